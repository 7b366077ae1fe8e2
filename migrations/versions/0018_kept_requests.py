"""The bytes of certification requests

Revision 0018, after 0017.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("intents", sa.Column("request_der", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("intents", "request_der")
