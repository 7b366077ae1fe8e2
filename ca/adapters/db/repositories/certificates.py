"""Certificates and intents in the database."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from ca.adapters.db.mapping.certificates import (
    certificate_values,
    intent_values,
    to_certificate,
    to_intent,
    to_standing,
)
from ca.adapters.db.mapping.common import Values, serial_number, serial_text
from ca.adapters.db.mapping.crls import listing_values, to_listing
from ca.adapters.db.repositories.numbering import lock_numbering
from ca.adapters.db.repositories.statements import add_row, change_row, find_row, list_rows
from ca.adapters.db.rows import CertificateRow, IntentRow
from ca.domain.certificates import Certificate, CertificateStatus, Intent
from ca.domain.crl import CRLScope, Listing, crl_entry
from ca.domain.errors import NotFound
from ca.domain.standings import Standing

_CHUNK = 4000
"""Entries held in memory at a time when all of an issuer's are read."""

# What a standing is made of: read without the rest of the row, which is a hundred times longer.
_STANDING = select(
    CertificateRow.serial,
    CertificateRow.issuer,
    CertificateRow.status,
    CertificateRow.issued_at,
    CertificateRow.not_after,
    CertificateRow.revoked_at,
    CertificateRow.reason,
    CertificateRow.invalid_since,
)


_STANDINGS_OF = _STANDING.where(CertificateRow.serial.in_(bindparam("serials", expanding=True)))


class SqlCertificates:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, serial: int) -> Certificate:
        row = find_row(self._session, _by_serial(serial), lock=True)
        if row is None:
            raise NotFound(f"there is no certificate with serial number {serial_text(serial)}")
        return to_certificate(row)

    def find(self, serial: int) -> Certificate | None:
        row = find_row(self._session, _by_serial(serial))
        return to_certificate(row) if row else None

    def find_by_application(self, application_id: str) -> Certificate | None:
        return self._find_newest_of(select(CertificateRow).where(CertificateRow.application == application_id))

    def find_newest(self, issuer: str, profile: str) -> Certificate | None:
        return self._find_newest_of(
            select(CertificateRow).where(
                CertificateRow.issuer == issuer,
                CertificateRow.profile == profile,
                CertificateRow.status != CertificateStatus.REVOKED.value,
            )
        )

    def _find_newest_of(self, wanted: Select[CertificateRow]) -> Certificate | None:
        row = find_row(self._session, wanted.order_by(CertificateRow.issued_at.desc(), CertificateRow.id.desc()))
        return to_certificate(row) if row else None

    def count_issued(self, issuer: str, profile: str, since: datetime) -> int:
        wanted = select(func.count()).where(
            CertificateRow.issuer == issuer, CertificateRow.profile == profile, CertificateRow.issued_at >= since
        )
        return self._session.execute(wanted).scalar_one()

    def list_by_customer(self, customer: str) -> Sequence[Certificate]:
        return self._list(select(CertificateRow).where(CertificateRow.customer == customer))

    def list_by_public_key(self, fingerprint: str) -> Sequence[Certificate]:
        return self._list(select(CertificateRow).where(CertificateRow.public_key == fingerprint))

    def list_successors(self, serial: int) -> Sequence[Certificate]:
        return self._list(select(CertificateRow).where(CertificateRow.predecessor == serial_text(serial)))

    def list_unconfirmed_since_before(self, limit: datetime) -> Sequence[Certificate]:
        unconfirmed = CertificateRow.status == CertificateStatus.UNCONFIRMED.value
        return self._list(select(CertificateRow).where(unconfirmed, CertificateRow.issued_at < limit))

    def _list(self, wanted: Select[CertificateRow]) -> Sequence[Certificate]:
        return [to_certificate(row) for row in list_rows(self._session, wanted.order_by(CertificateRow.id))]

    def find_standings(self, serials: Sequence[int]) -> dict[int, Standing]:
        # Asked for with each OCSP answer that is signed: neither put together each time nor made into objects.
        found = self._session.connection().execute(
            _STANDINGS_OF, {"serials": [serial_text(serial) for serial in serials]}
        )
        return dict(map(to_standing, found))

    def find_listed(self, serials: Sequence[int]) -> dict[int, tuple[Standing, bytes | None]]:
        wanted = _STANDING.add_columns(CertificateRow.crl_entry)
        rows = self._session.execute(wanted.where(CertificateRow.serial.in_([serial_text(each) for each in serials])))
        found = {}
        for *columns, entry in rows:
            serial, standing = to_standing(columns)
            found[serial] = standing, entry
        return found

    def list_standings(self) -> Iterator[tuple[int, Standing]]:
        in_order = _STANDING.order_by(func.length(CertificateRow.serial), CertificateRow.serial)
        for row in self._session.execute(in_order.execution_options(yield_per=_CHUNK)):
            yield to_standing(row)

    def measure_entries(self, scope: CRLScope, alive_at: datetime) -> tuple[int, int]:
        totals = select(func.count(), func.coalesce(func.sum(func.length(CertificateRow.crl_entry)), 0))
        count, octets = self._session.execute(totals.where(*_listed(scope, alive_at))).one()
        return int(count), int(octets)

    def list_entries(self, scope: CRLScope, alive_at: datetime) -> Iterator[Sequence[bytes]]:
        # Nothing but the entries is asked for, and no row becomes an object: of a million, that is most of the time.
        wanted = select(CertificateRow.crl_entry).where(*_listed(scope, alive_at)).order_by(CertificateRow.serial)
        found = self._session.connection().execute(wanted, execution_options={"yield_per": _CHUNK})
        yield from cast("Iterator[Sequence[bytes]]", found.scalars().partitions())

    def list_changed(self, issuer: str, after: int, alive_at: datetime) -> Iterator[Sequence[tuple[int, bytes | None]]]:
        wanted = (
            select(CertificateRow.serial, CertificateRow.crl_entry)
            .where(
                CertificateRow.issuer == issuer,
                CertificateRow.crl_changed > after,
                CertificateRow.not_after >= alive_at,
            )
            .order_by(CertificateRow.serial)
        )
        # Closed also when the reader has seen enough: PostgreSQL keeps a cursor open otherwise.
        with self._session.connection().execute(wanted, execution_options={"yield_per": _CHUNK}) as found:
            for rows in found.partitions():
                yield [(serial_number(serial), entry) for serial, entry in rows]

    def changed_partitions(self, issuer: str, after: int) -> Mapping[int, int]:
        wanted = (
            select(CertificateRow.crl_partition, func.max(CertificateRow.crl_changed))
            .where(
                CertificateRow.issuer == issuer,
                CertificateRow.crl_changed > after,
                CertificateRow.crl_partition.is_not(None),
            )
            .group_by(CertificateRow.crl_partition)
        )
        return {int(partition or 0): int(number or 0) for partition, number in self._session.execute(wanted)}

    def add(self, certificate: Certificate) -> None:
        serial = serial_text(certificate.serial)
        add_row(
            self._session,
            CertificateRow,
            {"serial": serial, **certificate_values(certificate), **self._place(certificate, Listing())},
            refusal=f"a certificate with serial number {serial} exists already",
        )

    def save(self, certificate: Certificate) -> None:
        row = find_row(self._session, _by_serial(certificate.serial), lock=True)
        serial = serial_text(certificate.serial)
        if row is None:
            raise NotFound(f"there is no certificate with serial number {serial}")
        values = {**certificate_values(certificate), **self._place(certificate, to_listing(row))}
        change_row(self._session, CertificateRow, {"serial": serial}, values)

    def _place(self, certificate: Certificate, before: Listing) -> Values:
        """The certificate's place in CRLs, as it is from now on."""
        entry = crl_entry(certificate)
        if entry == before.entry:
            return listing_values(before)
        upcoming = lock_numbering(self._session, certificate.issuer).number + 1
        return listing_values(before.become(entry, upcoming))


def _listed(scope: CRLScope, alive_at: datetime) -> list[ColumnElement[bool]]:
    wanted = [
        CertificateRow.issuer == scope.issuer,
        CertificateRow.crl_entry.is_not(None),
        CertificateRow.not_after >= alive_at,
    ]
    return wanted if scope.partition is None else [*wanted, CertificateRow.crl_partition == scope.partition]


def _by_serial(serial: int) -> Select[CertificateRow]:
    return select(CertificateRow).where(CertificateRow.serial == serial_text(serial))


class SqlIntents:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, intent: Intent) -> None:
        serial = serial_text(intent.serial)
        add_row(
            self._session,
            IntentRow,
            intent_values(intent),
            refusal=f"serial number {serial} is taken, or application {intent.application} has this request already",
        )

    def find_serial(self, tag: int) -> int | None:
        row = find_row(self._session, select(IntentRow).where(IntentRow.tag == tag))
        return int(row.serial, 16) if row else None

    def find(self, serial: int) -> Intent | None:
        row = find_row(self._session, select(IntentRow).where(IntentRow.serial == serial_text(serial)))
        return to_intent(row) if row else None

    def find_for_request(self, application: str, request: str) -> Intent | None:
        newest_first = (
            select(IntentRow)
            .where(IntentRow.application == application, IntentRow.request == request)
            .order_by(IntentRow.id.desc())
        )
        row = find_row(self._session, newest_first)
        return to_intent(row) if row else None

    def list_unsigned(self) -> Sequence[Intent]:
        wanted = select(IntentRow).where(IntentRow.signed.is_(False)).order_by(IntentRow.id)
        return [to_intent(row) for row in list_rows(self._session, wanted)]

    def mark_signed(self, serial: int) -> None:
        if not change_row(self._session, IntentRow, {"serial": serial_text(serial)}, {"signed": True}):
            raise NotFound(f"there is no intent with serial number {serial_text(serial)}")
