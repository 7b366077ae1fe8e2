"""Phone numbers of customers, and the way they want to be told

Revision 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("phone", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("customer_accounts", sa.Column("channel", sa.String(), nullable=False, server_default=sa.text("'both'")))


def downgrade() -> None:
    op.drop_column("customer_accounts", "channel")
    op.drop_column("customers", "phone")
