"""The custody of U-Shields: ledger, consignments, balances, alarms

Revision 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# By what is known of a U-Shield from before the ledger: whom it was assigned to has it.
_HOLDER = (
    "CASE state WHEN 'in-stock' THEN 'branch' WHEN 'returned' THEN 'returned' WHEN 'destroyed' THEN 'destroyed' "
    "ELSE 'customer' END"
)


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=False)


def upgrade() -> None:
    op.add_column("devices", sa.Column("holder", sa.String(), nullable=False, server_default=sa.text("'supplier'")))
    op.add_column("devices", sa.Column("keeper", sa.String(), nullable=False, server_default=sa.text("''")))
    op.create_index(op.f("ix_devices_branch_holder"), "devices", ["branch", "holder"])
    op.create_index(op.f("ix_devices_branch_state_serial"), "devices", ["branch", "state", "serial"])
    op.create_table(
        "custody_moves",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        *map(_text, ("device_serial", "from_holder", "from_branch", "to_holder", "to_branch", "keeper", "by_person")),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *map(_text, ("why", "confirmed_by", "consignment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_moves")),
    )
    op.create_index(op.f("ix_custody_moves_device_serial"), "custody_moves", ["device_serial"])
    op.create_index(op.f("ix_custody_moves_from_branch_at"), "custody_moves", ["from_branch", "at"])
    op.create_index(op.f("ix_custody_moves_to_branch_at"), "custody_moves", ["to_branch", "at"])
    op.create_table(
        "consignments",
        *map(_text, ("id", "purpose", "serials", "origin", "from_branch", "to_branch", "why", "sent_by")),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        *map(_text, ("state", "ended_by")),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        _text("reason"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consignments")),
    )
    op.create_index(op.f("ix_consignments_from_branch_state"), "consignments", ["from_branch", "state"])
    op.create_index(op.f("ix_consignments_to_branch_state"), "consignments", ["to_branch", "state"])
    op.create_table(
        "stock_balances",
        *map(_text, ("id", "branch")),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *map(_text, ("lines", "counted", "counted_by", "state", "confirmed_by")),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_balances")),
    )
    op.create_index(op.f("ix_stock_balances_branch_state_at"), "stock_balances", ["branch", "state", "at"])
    op.create_table(
        "stock_alarms",
        *map(_text, ("id", "kind", "branch", "subject", "told", "raised_by")),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        _text("settled_by"),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        _text("finding"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_alarms")),
    )
    op.create_index(op.f("ix_stock_alarms_branch_settled_by"), "stock_alarms", ["branch", "settled_by"])
    op.create_index(op.f("ix_stock_alarms_settled_by_raised_at"), "stock_alarms", ["settled_by", "raised_at"])
    op.create_index(op.f("ix_stock_alarms_subject"), "stock_alarms", ["subject"])
    op.execute(f"UPDATE devices SET holder = {_HOLDER}")
    op.execute(
        "INSERT INTO custody_moves (device_serial, from_holder, from_branch, to_holder, to_branch, keeper, by_person, "
        "at, why, confirmed_by, consignment) SELECT serial, 'supplier', branch, holder, branch, "
        "CASE holder WHEN 'customer' THEN customer ELSE '' END, registered_by, registered_at, "
        "'before the ledger', '', '' FROM devices ORDER BY registered_at, serial"
    )


def downgrade() -> None:
    for table in ("stock_alarms", "stock_balances", "consignments", "custody_moves"):
        op.drop_table(table)
    op.drop_index(op.f("ix_devices_branch_state_serial"), "devices")
    op.drop_index(op.f("ix_devices_branch_holder"), "devices")
    op.drop_column("devices", "keeper")
    op.drop_column("devices", "holder")
