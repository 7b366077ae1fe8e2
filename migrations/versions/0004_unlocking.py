"""Cases to unlock U-Shields

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unlock_cases",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("device_serial", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("branch", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("maker_person", sa.String(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("code_mac", sa.LargeBinary(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.Column("attempts_left", sa.Integer(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_unlock_cases")),
    )
    op.create_index(op.f("ix_unlock_cases_device_serial"), "unlock_cases", ["device_serial"])
    op.create_index(op.f("ix_unlock_cases_branch"), "unlock_cases", ["branch"])
    op.add_column("devices", sa.Column("so_use", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_table("unlock_cases")
    with op.batch_alter_table("devices") as devices:
        devices.drop_column("so_use")
