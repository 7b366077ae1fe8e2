"""Indexes by which each list of the console is read in its order, and the table by which names are found

Revision 0014, after 0013. On a database of millions of rows it takes some minutes.
"""

import sqlalchemy as sa
from alembic import op

from ca.domain.name_parts import parts_of

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_BEFORE = {
    "applications": ["branch", "customer", "maker_person", "state", "submitted_at"],
    "audit_events": ["actor", "name"],
    "certificates": ["branch", "customer", "issued_at", "not_after", "status issued_at"],
    "customers": ["branch", "company", "name"],
    "devices": ["branch", "customer", "state"],
    "invitations": ["expires_at", "state"],
    "officers": ["state"],
    "unlock_cases": ["branch"],
}
_AFTER = {
    "applications": [
        "submitted_at id",
        "branch submitted_at id",
        "state submitted_at id",
        "branch state submitted_at id",
        "customer submitted_at id",
        "maker_person state updated_at",
    ],
    "audit_events": ["actor number", "name number", "subject number"],
    "certificates": [
        "issued_at id",
        "branch issued_at id",
        "status issued_at id",
        "branch status issued_at id",
        "not_after id",
        "branch not_after id",
        "customer id",
    ],
    "crls": ["this_update number name"],
    "customers": [
        "registered_at id",
        "branch registered_at id",
        "kind registered_at id",
        "branch kind registered_at id",
        "name id",
        "branch name id",
        "company number",
    ],
    "devices": [
        "registered_at id",
        "branch registered_at id",
        "state registered_at id",
        "branch state registered_at id",
        "customer registered_at",
    ],
    "evidence": ["subject id"],
    "invitations": ["expires_at id", "state expires_at id"],
    "officers": ["name id", "state name id"],
    "unlock_cases": [
        "opened_at reference",
        "branch opened_at reference",
        "state opened_at reference",
        "branch state opened_at reference",
    ],
}
_CUSTOMERS = sa.table("customers", *(sa.column(name, sa.String()) for name in ("id", "name", "branch")))
_PARTS = sa.table("name_parts", *(sa.column(name, sa.String()) for name in ("customer", "part", "branch")))
_TOGETHER = 5_000


def upgrade() -> None:
    _exchange(_BEFORE, _AFTER)
    in_code_points = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "name_parts",
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("part", in_code_points, nullable=False),
        sa.Column("branch", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "part", name=op.f("pk_name_parts")),
        sqlite_with_rowid=False,
    )
    _file_names()
    _create("name_parts", ["branch part customer", "part customer"])


def downgrade() -> None:
    op.drop_table("name_parts")
    _exchange(_AFTER, _BEFORE)


def _file_names() -> None:
    connection = op.get_bind()
    last = ""
    while customers := connection.execute(
        sa.select(_CUSTOMERS).where(_CUSTOMERS.c.id > last).order_by(_CUSTOMERS.c.id).limit(_TOGETHER)
    ).all():
        last = customers[-1].id
        parts = [
            {"customer": row.id, "part": part, "branch": row.branch}
            for row in customers
            for part in sorted(parts_of(row.name))
        ]
        if parts:
            connection.execute(_PARTS.insert(), parts)


def _exchange(old: dict[str, list[str]], new: dict[str, list[str]]) -> None:
    for table, indexes in old.items():
        for columns in indexes:
            op.drop_index(_name(table, columns), table)
    for table, indexes in new.items():
        _create(table, indexes)


def _create(table: str, indexes: list[str]) -> None:
    for columns in indexes:
        op.create_index(_name(table, columns), table, columns.split())


def _name(table: str, columns: str) -> str:
    return op.f(f"ix_{table}_{columns.replace(' ', '_')}")
