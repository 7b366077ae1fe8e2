"""The standings map in memory. It passes the same contract tests (`tests/contracts/standings.py`) as the real one."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from ca.domain.certificates import Certificate, CertificateStatus
from ca.domain.errors import NotReady
from ca.domain.standings import Standing, packed_records, serial_key
from ca.keeping import Record


class FakeStandings:
    """ports.Standings. `lost` makes it fail as a full disk would."""

    def __init__(self) -> None:
        self.kept: dict[int, Standing] = {}
        self.lost = False
        self._applied: int | None = None

    def applied(self) -> int:
        self._require()
        return self._applied or 0

    def find(self, serial: int) -> Standing | None:
        self._require()
        return self.kept.get(serial)

    def list_not_good(self, issuer: str, since: datetime) -> Iterator[tuple[int, Standing]]:
        self._require()
        listed = [(serial, each) for serial, each in sorted(self.kept.items()) if each.issuer == issuer]
        final = [(serial, each) for serial, each in listed if each.is_final()]
        # sorted() keeps the order of serial numbers among those of one time.
        yield from (one for one in sorted(final, key=lambda one: _revoked_at(one[1])) if _revoked_at(one[1]) >= since)
        may_change = CertificateStatus.UNCONFIRMED, CertificateStatus.ON_HOLD
        yield from ((serial, each) for serial, each in listed if each.status in may_change)

    def apply(self, changed: Iterable[tuple[int, Standing]], *, after: int, number: int) -> None:
        self._require()
        if self._applied is not None and number <= self._applied:
            return
        self._put(changed)
        if self._applied is not None and after <= self._applied:
            self._applied = number

    def rebuild(self, records: Iterable[Record], *, number: int) -> None:
        self._require()
        self.kept.clear()
        self._put((int.from_bytes(key, "big"), Standing.unpack(packed)) for key, packed in records)
        self._applied = number

    @contextmanager
    def records(self) -> Iterator[tuple[int, Iterator[Record]]]:
        self._require()
        yield self.applied(), packed_records(sorted(self.kept.items()))

    def follow(
        self, before: Mapping[int, Certificate], now: Mapping[int, Certificate], *, after: int, number: int
    ) -> None:
        """A commit of the fake database, which may change certificates without an event."""
        changed = [(serial, one) for serial, one in now.items() if before.get(serial) is not one]
        self._put((serial, Standing.of(one)) for serial, one in changed)
        if after <= (self._applied or 0):
            self._applied = number

    def _put(self, changed: Iterable[tuple[int, Standing]]) -> None:
        for serial, standing in changed:
            before = self.kept.get(serial)
            if serial_key(serial) and not (before and before.is_final()):
                self.kept[serial] = standing

    def _require(self) -> None:
        if self.lost:
            raise NotReady("the standings map is lost")


def _revoked_at(standing: Standing) -> datetime:
    assert standing.revocation
    return standing.revocation.revoked_at
