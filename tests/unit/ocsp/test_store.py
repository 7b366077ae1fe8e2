"""ocsp/store.py: where standings are read, and what a row of the database tells."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ca.domain.errors import NotReady
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.standings import Standing
from ocsp.standings import MappedStandings
from ocsp.store import PostgresStatuses, open_statuses, packed

ISSUED = datetime(2026, 11, 1, tzinfo=UTC)
SECONDS = int(ISSUED.timestamp())
LATER = SECONDS + 5


@pytest.mark.parametrize(
    ("status", "revoked_at", "reason", "seen"),
    [
        ("active", None, None, None),
        ("unconfirmed", None, None, Revocation(RevocationReason.CERTIFICATE_HOLD, ISSUED)),
        ("revoked", LATER, 1, Revocation(RevocationReason.KEY_COMPROMISE, ISSUED + timedelta(seconds=5))),
        ("revoked", LATER, None, Revocation(RevocationReason.UNSPECIFIED, ISSUED + timedelta(seconds=5))),
    ],
)
def test_a_row_is_the_standing_that_relying_parties_see(
    status: str, revoked_at: int | None, reason: int | None, seen: Revocation | None
) -> None:
    standing = Standing.unpack(packed("issuing", status, SECONDS, LATER, revoked_at, reason))
    assert standing.seen_by_relying_parties() == seen
    assert (standing.issuer, standing.not_after) == ("issuing", ISSUED + timedelta(seconds=5))


@pytest.mark.parametrize(
    "row",
    [
        ("i", "fine", 0, 0, None, None),
        ("i", "revoked", 0, 0, 1, 7),
        ("i", "active", 1 << 70, 0, None, None),
        ("i", "active", 1 << 33, 0, None, None),
        ("i", "active", None, 0, None, None),
    ],
)
def test_a_row_that_makes_no_sense_is_not_ready(row: tuple[str, str, int, int, int | None, int | None]) -> None:
    with pytest.raises(NotReady, match="no sense"):
        packed(*row)


def test_the_database_url_chooses_the_reader(tmp_path: Path) -> None:
    assert isinstance(open_statuses("sqlite:////database", tmp_path), MappedStandings)
    assert isinstance(open_statuses("postgresql+psycopg://nobody@localhost/none", tmp_path), PostgresStatuses)
    with pytest.raises(NotReady):
        open_statuses("mysql://localhost/none", tmp_path)


@pytest.mark.socket
def test_a_postgresql_that_is_away_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        open_statuses("postgresql+psycopg://nobody@127.0.0.1:1/none", tmp_path).find(bytes(20))
