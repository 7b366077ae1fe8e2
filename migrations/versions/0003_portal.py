"""Accounts, sessions and cancellations of customers

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer_accounts",
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("password_mac", sa.LargeBinary(), nullable=False),
        sa.Column("letter_mac", sa.LargeBinary(), nullable=False),
        sa.Column("letter_expires_at", sa.BigInteger(), nullable=True),
        sa.Column("letter_attempts_left", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("customer", name=op.f("pk_customer_accounts")),
    )
    op.create_table(
        "customer_sessions",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_customer_sessions")),
    )
    op.create_index(op.f("ix_customer_sessions_customer"), "customer_sessions", ["customer"])
    op.create_table(
        "cancellations",
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_cancellations")),
    )
    is_open = sa.text("state = 'open'")
    op.create_index(
        "ix_cancellations_open", "cancellations", ["due_at"], sqlite_where=is_open, postgresql_where=is_open
    )


def downgrade() -> None:
    for table in ("cancellations", "customer_sessions", "customer_accounts"):
        op.drop_table(table)
