"""The repositories of `FakeWork` for certificates and CRLs: dictionaries with the rules that ports.py states."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.crl import CRLRecord, CRLScope, Listing, crl_entry
from ca.domain.errors import InvalidTransition, NotFound
from ca.domain.standings import Standing


class FakeCertificates:
    def __init__(self, kept: dict[int, Certificate], listings: dict[int, Listing], numbers: dict[str, int]) -> None:
        self._kept = kept
        self._listings = listings
        self._numbers = numbers

    def get(self, serial: int) -> Certificate:
        if serial not in self._kept:
            raise NotFound(f"there is no certificate with serial number {serial:x}")
        return self._kept[serial]

    def find(self, serial: int) -> Certificate | None:
        return self._kept.get(serial)

    def find_by_application(self, application_id: str) -> Certificate | None:
        return _newest([each for each in self._kept.values() if each.application == application_id])

    def find_newest(self, issuer: str, profile: str) -> Certificate | None:
        return _newest(
            [
                each
                for each in self._kept.values()
                if (each.issuer, each.profile) == (issuer, profile) and each.status is not CertificateStatus.REVOKED
            ]
        )

    def count_issued(self, issuer: str, profile: str, since: datetime) -> int:
        issued = [each for each in self._kept.values() if (each.issuer, each.profile) == (issuer, profile)]
        return sum(each.issued_at >= since for each in issued)

    def find_standings(self, serials: Sequence[int]) -> dict[int, Standing]:
        return {serial: Standing.of(self._kept[serial]) for serial in serials if serial in self._kept}

    def find_listed(self, serials: Sequence[int]) -> dict[int, tuple[Standing, bytes | None]]:
        standings = self.find_standings(serials)
        return {serial: (standing, self._listings[serial].entry) for serial, standing in standings.items()}

    def list_standings(self) -> Iterator[tuple[int, Standing]]:
        return ((serial, Standing.of(each)) for serial, each in sorted(self._kept.items()))

    def list_by_customer(self, customer: str) -> Sequence[Certificate]:
        return [each for each in self._kept.values() if each.customer == customer]

    def list_by_public_key(self, fingerprint: str) -> Sequence[Certificate]:
        return [each for each in self._kept.values() if each.public_key == fingerprint]

    def list_successors(self, serial: int) -> Sequence[Certificate]:
        return [each for each in self._kept.values() if each.predecessor == serial]

    def list_unconfirmed_since_before(self, limit: datetime) -> Sequence[Certificate]:
        return [
            each
            for each in self._kept.values()
            if each.status is CertificateStatus.UNCONFIRMED and each.issued_at < limit
        ]

    def measure_entries(self, scope: CRLScope, alive_at: datetime) -> tuple[int, int]:
        entries = [entry for piece in self.list_entries(scope, alive_at) for entry in piece]
        return len(entries), sum(map(len, entries))

    def list_entries(self, scope: CRLScope, alive_at: datetime) -> Iterator[Sequence[bytes]]:
        # In pieces of two, so that tests see the seams.
        entries = [
            listing.entry
            for each, listing in self._listed(scope.issuer)
            if listing.entry is not None
            and each.not_after >= alive_at
            and scope.partition in (None, each.crl_partition)
        ]
        return (entries[start : start + 2] for start in range(0, len(entries), 2))

    def list_changed(self, issuer: str, after: int, alive_at: datetime) -> Iterator[Sequence[tuple[int, bytes | None]]]:
        changed = [
            (each.serial, listing.entry)
            for each, listing in self._listed(issuer)
            if listing.changed is not None and listing.changed > after and each.not_after >= alive_at
        ]
        return (changed[start : start + 2] for start in range(0, len(changed), 2))

    def changed_partitions(self, issuer: str, after: int) -> Mapping[int, int]:
        found: dict[int, int] = {}
        for each, listing in self._listed(issuer):
            if each.crl_partition is not None and listing.changed is not None and listing.changed > after:
                found[each.crl_partition] = max(listing.changed, found.get(each.crl_partition, 0))
        return found

    def _listed(self, issuer: str) -> list[tuple[Certificate, Listing]]:
        by_text = sorted(self._kept.values(), key=lambda each: f"{each.serial:x}")
        return [(each, self._listings[each.serial]) for each in by_text if each.issuer == issuer]

    def add(self, certificate: Certificate) -> None:
        if certificate.serial in self._kept:
            raise InvalidTransition(f"a certificate with serial number {certificate.serial:x} exists already")
        self._keep(certificate)

    def save(self, certificate: Certificate) -> None:
        self.get(certificate.serial)
        self._keep(certificate)

    def _keep(self, certificate: Certificate) -> None:
        before = self._listings.get(certificate.serial, Listing())
        upcoming = self._numbers.get(certificate.issuer, 0) + 1
        self._listings[certificate.serial] = before.become(crl_entry(certificate), upcoming)
        self._kept[certificate.serial] = certificate


def _newest(certificates: list[Certificate]) -> Certificate | None:
    # max() keeps the first of equals; of two issued in one second the later one is the newest.
    return max(reversed(certificates), key=lambda each: each.issued_at, default=None)


class FakeCRLs:
    def __init__(
        self,
        kept: list[CRLRecord],
        due: dict[str, bool],
        numbers: dict[str, int],
        partitions: dict[tuple[str, int, str], None],
    ) -> None:
        self._partitions = partitions
        self._kept = kept
        self._due = due
        self._numbers = numbers

    def last(self, issuer: str) -> CRLRecord | None:
        return max(
            (each for each in self._kept if each.scope.issuer == issuer), key=lambda each: each.number, default=None
        )

    def last_made(self, issuer: str) -> datetime | None:
        last = self.last(issuer)
        return last.this_update if last else None

    def take_number(self, issuer: str, above: int) -> int:
        self._numbers[issuer] = max(above, self.last_number(issuer)) + 1
        return self._numbers[issuer]

    def last_number(self, issuer: str) -> int:
        return self._numbers.get(issuer, 0)

    def find_last(self, scope: CRLScope) -> CRLRecord | None:
        return next(iter(self._of(scope)), None)

    def find_published(self, scope: CRLScope, by: datetime) -> CRLRecord | None:
        published = [each for each in self._of(scope) if each.published]
        return next((each for each in published if each.this_update <= by), published[-1] if published else None)

    def _of(self, scope: CRLScope) -> list[CRLRecord]:
        """Newest first."""
        wanted = [each for each in self._kept if each.scope == scope]
        return sorted(wanted, key=lambda each: each.number, reverse=True)

    def add(self, record: CRLRecord) -> None:
        if any((each.scope, each.number) == (record.scope, record.number) for each in self._kept):
            raise InvalidTransition(f"CRL {record.number} of {record.scope.name} exists already")
        self._kept.append(record)

    def add_partition(self, issuer: str, partition: int, url: str) -> None:
        self._partitions[issuer, partition, url] = None

    def list_partitions(self, issuer: str) -> Mapping[int, Sequence[str]]:
        found: dict[int, list[str]] = {}
        for of, partition, url in sorted(self._partitions):
            if of == issuer:
                found.setdefault(partition, []).append(url)
        return found

    def mark_published(self, record: CRLRecord) -> None:
        self._kept[:] = [replace(each, published=True) if each == record else each for each in self._kept]

    def is_due(self, issuer: str) -> bool:
        return self._due.get(issuer, False)

    def set_due(self, issuer: str, *, due: bool) -> None:
        self._due[issuer] = due
