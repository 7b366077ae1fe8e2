"""Cases that were returned for correction, and batches of applications

Revision 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("applications", sa.Column("batch", sa.String(), nullable=False, server_default=sa.text("''")))
    op.create_index(op.f("ix_applications_batch"), "applications", ["batch"])
    op.create_table(
        "former_cases",
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("case_json", sa.String(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("returned_by", sa.String(), nullable=False),
        sa.Column("returned_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("application", "version", name=op.f("pk_former_cases")),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("company_name", sa.String(), nullable=False),
        sa.Column("profile", sa.String(), nullable=False),
        sa.Column("branch", sa.String(), nullable=False),
        sa.Column("maker_person", sa.String(), nullable=False),
        sa.Column("maker_name", sa.String(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("batch_json", sa.String(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_index(op.f("ix_batches_branch"), "batches", ["branch"])
    op.create_index(op.f("ix_batches_submitted_at"), "batches", ["submitted_at"])


def downgrade() -> None:
    op.drop_table("batches")
    op.drop_table("former_cases")
    op.drop_index(op.f("ix_applications_batch"), "applications")
    op.drop_column("applications", "batch")
