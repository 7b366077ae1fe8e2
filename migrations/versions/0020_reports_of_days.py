"""Indexes by which reports count what happened in some days

Revision 0020, after 0019. On a database of millions of rows it takes a minute.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_audit_events_name_at_actor"), "audit_events", ["name", "at", "actor"])
    op.create_index(
        op.f("ix_certificates_issued_at_branch_predecessor_application"),
        "certificates",
        ["issued_at", "branch", "predecessor", "application"],
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_certificates_issued_at_branch_predecessor_application"), "certificates")
    op.drop_index(op.f("ix_audit_events_name_at_actor"), "audit_events")
