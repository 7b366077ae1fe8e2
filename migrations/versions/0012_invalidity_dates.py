"""Invalidity dates of revocations

Revision 0012, after 0011.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("certificates", sa.Column("invalid_since", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("certificates", "invalid_since")
