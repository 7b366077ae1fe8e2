"""Receipts of changes of status

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _waiting(stage: str) -> None:
    condition = sa.text(f"stage = '{stage}'")
    op.create_index(
        f"ix_receipts_{stage}",
        "receipts",
        ["changed_at", "serial"],
        sqlite_where=condition,
        postgresql_where=condition,
    )


def upgrade() -> None:
    op.create_table(
        "receipts",
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("became", sa.String(), nullable=False),
        sa.Column("after_crl", sa.BigInteger(), nullable=False),
        sa.Column("sightings", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("serial", "changed_at", name=op.f("pk_receipts")),
    )
    op.create_index(op.f("ix_receipts_changed_at"), "receipts", ["changed_at"])
    _waiting("soon")
    _waiting("later")


def downgrade() -> None:
    op.drop_table("receipts")
