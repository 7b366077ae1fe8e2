"""Changes of officers' roles and branches

Revision 0009, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0006"
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


def downgrade() -> None:
    op.drop_table("officer_changes")
