"""Figures of the console's home page, and the indexes by which they are counted

Revision 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "figures",
        sa.Column("branch", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("branch", "subject", "slot", name=op.f("pk_figures")),
    )
    op.create_index(op.f("ix_certificates_branch_status_not_after"), "certificates", ["branch", "status", "not_after"])


def downgrade() -> None:
    op.drop_index(op.f("ix_certificates_branch_status_not_after"), "certificates")
    op.drop_table("figures")
