"""Changes of officers' roles and branches, recovery codes, and what officers see of their own access

Revision 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "officer_changes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("officer", sa.String(), nullable=False),
        sa.Column("officer_version", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("old_branch", sa.String(), nullable=False),
        sa.Column("old_roles", sa.String(), nullable=False),
        sa.Column("branch", sa.String(), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decision_reason", sa.String(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officer_changes")),
    )
    op.create_index(op.f("ix_officer_changes_officer"), "officer_changes", ["officer"])
    op.create_index(op.f("ix_officer_changes_state"), "officer_changes", ["state"])
    op.create_table(
        "recovery_codes",
        sa.Column("officer", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("macs", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("missed_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("officer", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_used_at"), "recovery_codes", ["used_at"])
    op.add_column("officer_credentials", sa.Column("used_at", sa.BigInteger(), nullable=True))
    op.add_column("sessions", sa.Column("source", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("sessions", sa.Column("stepped_up_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("sessions") as sessions:
        sessions.drop_column("stepped_up_at")
        sessions.drop_column("source")
    with op.batch_alter_table("officer_credentials") as credentials:
        credentials.drop_column("used_at")
    op.drop_table("recovery_codes")
    op.drop_table("officer_changes")
