"""Reinstatements of officers, proposed and decided as changes of roles are

Revision 0019, after 0018.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "officer_changes", sa.Column("reinstates", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    with op.batch_alter_table("officer_changes") as changes:
        changes.drop_column("reinstates")
