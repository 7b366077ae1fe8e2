"""People who act for a company, and which certificate began a session

Revision 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("company", sa.String(), nullable=False, server_default=sa.text("''")))
    op.create_index(op.f("ix_customers_company"), "customers", ["company"])
    op.add_column("customer_sessions", sa.Column("by", sa.String(), nullable=False, server_default=sa.text("''")))
    # Begun under a seal that did not say by what: their owners sign in again.
    op.execute("DELETE FROM customer_sessions")


def downgrade() -> None:
    op.drop_column("customer_sessions", "by")
    op.drop_index(op.f("ix_customers_company"), "customers")
    op.drop_column("customers", "company")
