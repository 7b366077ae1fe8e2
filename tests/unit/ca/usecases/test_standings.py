"""ca/usecases/standings.py: the map follows the records, and never takes back what was acted on."""

import pytest

from ca.domain.errors import NotReady
from ca.usecases.standings import FollowRecords
from tests.fakes.bank import Bank
from tests.fakes.standings import FakeStandings


@pytest.fixture
def bank() -> Bank:
    return Bank()


def test_an_empty_map_is_built_from_the_records(bank: Bank) -> None:
    certificate = bank.active()
    empty = FakeStandings()
    follow = FollowRecords(bank.unit_of_work, empty)

    assert follow()
    assert empty.kept == bank.unit_of_work.standings.kept
    assert certificate.serial in empty.kept
    assert not follow()


def test_what_another_signer_did_is_taken_in(bank: Bank) -> None:
    certificate = bank.active()
    mine = FakeStandings()
    follow = FollowRecords(bank.unit_of_work, mine)
    follow()
    bank.revoked(certificate)
    issued = bank.issued()

    assert follow()
    assert mine.kept == bank.unit_of_work.standings.kept
    assert mine.kept[certificate.serial].revocation is not None
    assert issued.serial in mine.kept
    assert mine.applied() == len(bank.stored.audit)


def test_records_older_than_the_map_are_refused(bank: Bank) -> None:
    bank.active()
    del bank.stored.audit[-1]

    with pytest.raises(NotReady, match="older"):
        FollowRecords(bank.unit_of_work, bank.unit_of_work.standings)()
