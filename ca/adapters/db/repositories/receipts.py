"""Receipts in the database: one row a change of status."""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import literal, select, tuple_
from sqlalchemy.orm import Session

from ca.adapters.db.mapping.common import Values
from ca.adapters.db.receipt_rows import ReceiptRow
from ca.adapters.db.repositories.statements import add_row, change_row, find_row, list_rows
from ca.domain.certificates import CertificateStatus
from ca.domain.errors import InvalidRequest, NotFound, Tampered
from ca.domain.receipts import Receipt, Sighting
from ca.domain.serials import parse_serial, serial_text
from ca.domain.times import Millis

_PIECE = 1000

_log = logging.getLogger(__name__)


class SqlReceipts:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, receipt: Receipt) -> None:
        refusal = "there is a receipt of this change already"
        add_row(self._session, ReceiptRow, _key(receipt) | _values(receipt), refusal=refusal)

    def get(self, serial: int, changed_at: Millis) -> Receipt:
        wanted = select(ReceiptRow).filter_by(serial=serial_text(serial), changed_at=changed_at)
        row = find_row(self._session, wanted, lock=True)
        if row is None:
            raise NotFound("there was no such change of a status")
        return receipt_of(row)

    def save(self, receipt: Receipt) -> None:
        change_row(self._session, ReceiptRow, _key(receipt), _values(receipt))

    def about(self, serial: int) -> Sequence[Receipt]:
        wanted = select(ReceiptRow).filter_by(serial=serial_text(serial)).order_by(ReceiptRow.changed_at.desc())
        return [receipt_of(row) for row in list_rows(self._session, wanted)]

    def waiting(self, *, soon: bool, since: Millis, after: tuple[Millis, int], limit: int) -> Sequence[Receipt]:
        # Spelled out, so that SQLite sees which of the partial indexes serves.
        stage = literal("soon" if soon else "later", literal_execute=True)
        place = (after[0], serial_text(after[1]))
        found: list[Receipt] = []
        while len(found) < limit:
            wanted = select(ReceiptRow).where(
                ReceiptRow.stage == stage,
                ReceiptRow.changed_at >= since,
                tuple_(ReceiptRow.changed_at, ReceiptRow.serial) > place,
            )
            ordered = wanted.order_by(ReceiptRow.changed_at, ReceiptRow.serial).limit(limit - len(found))
            rows = list_rows(self._session, ordered)
            found += _readable(rows)
            if not rows:
                break
            place = (Millis(rows[-1].changed_at), rows[-1].serial)
        return found

    def since(self, changed_at: Millis) -> Iterator[Receipt]:
        wanted = select(ReceiptRow).where(ReceiptRow.changed_at >= changed_at).order_by(ReceiptRow.changed_at)
        for row in self._session.scalars(wanted.execution_options(yield_per=_PIECE)):
            yield receipt_of(row)


def _readable(rows: Iterable[ReceiptRow]) -> Iterator[Receipt]:
    for row in rows:
        try:
            yield receipt_of(row)
        except Tampered as error:
            # Said here and by `since`; who asks about the others goes on.
            _log.critical("%s", error)


def _key(receipt: Receipt) -> Values:
    return {"serial": serial_text(receipt.serial), "changed_at": receipt.changed_at}


def _values(receipt: Receipt) -> Values:
    stage = "overtaken" if receipt.overtaken else "soon" if receipt.is_soon else "later" if receipt.missing else "done"
    sightings = [[one.channel, one.promised, one.not_before, one.seen_at] for one in receipt.sightings]
    return {
        "issuer": receipt.issuer,
        "became": receipt.became.value,
        "after_crl": receipt.after_crl,
        "sightings": json.dumps(sightings, separators=(",", ":")),
        "stage": stage,
    }


def receipt_of(row: ReceiptRow) -> Receipt:
    """The value in a row. Raises Tampered when it is none that we wrote."""
    try:
        return Receipt(
            parse_serial(row.serial),
            Millis(int(row.changed_at)),
            row.issuer,
            CertificateStatus(row.became),
            int(row.after_crl),
            tuple(_sighting(*each) for each in json.loads(row.sightings)),
            overtaken=row.stage == "overtaken",
        )
    except (ValueError, TypeError, OverflowError, RecursionError, InvalidRequest) as error:
        raise Tampered(f"the receipt of {row.serial} is none that we wrote: somebody changed the record") from error


def _sighting(channel: str, promised: int, not_before: int | None, seen_at: int | None) -> Sighting:
    asked, seen = (None if at is None else Millis(int(at)) for at in (not_before, seen_at))
    return Sighting(channel, int(promised), asked, seen)
