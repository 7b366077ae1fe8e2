"""What every standings map must do, in memory and in LMDB."""

from dataclasses import replace
from datetime import timedelta

from ca.domain.certificates import CertificateStatus
from ca.domain.revocation import Revocation, RevocationReason
from ca.domain.standings import Standing, packed_records
from ca.keeping import Standings
from tests.builders import NOW

GOOD = Standing("issuing", CertificateStatus.ACTIVE, NOW, NOW, None)
REVOKED = replace(GOOD, status=CertificateStatus.REVOKED, revocation=Revocation(RevocationReason.KEY_COMPROMISE, NOW))
HELD = replace(GOOD, status=CertificateStatus.ON_HOLD, revocation=Revocation(RevocationReason.CERTIFICATE_HOLD, NOW))
EVER = NOW - timedelta(days=3650)
LATER = NOW + timedelta(seconds=1)
LARGEST = 2**159 - 1


class StandingsContract:
    def test_it_holds_what_it_was_built_from_and_nothing_else(self, standings: Standings) -> None:
        assert standings.applied() == 0
        standings.rebuild(packed_records([(1, GOOD), (LARGEST, REVOKED), (0, GOOD), (-5, GOOD)]), number=7)

        assert standings.applied() == 7
        assert [standings.find(serial) for serial in (1, LARGEST, 2, 0, -5, 1 << 200)] == [
            *(GOOD, REVOKED),
            *(None, None, None, None),
        ]
        standings.rebuild(packed_records([(2, HELD)]), number=9)
        assert [standings.find(serial) for serial in (1, 2)] == [None, HELD]
        assert [serial for serial, _ in standings.list_not_good("issuing", EVER)] == [2]

    def test_a_commit_is_taken_in(self, standings: Standings) -> None:
        standings.rebuild(packed_records([(1, GOOD)]), number=7)
        standings.apply([(1, HELD), (2, GOOD)], after=7, number=9)

        assert (standings.applied(), standings.find(1), standings.find(2)) == (9, HELD, GOOD)
        standings.apply([(1, GOOD)], after=9, number=10)
        assert standings.find(1) == GOOD
        assert list(standings.list_not_good("issuing", EVER)) == []

    def test_what_was_taken_in_already_is_not_taken_in_again(self, standings: Standings) -> None:
        standings.rebuild(packed_records([(1, REVOKED)]), number=9)
        standings.apply([(1, GOOD)], after=7, number=8)

        assert (standings.applied(), standings.find(1)) == (9, REVOKED)

    def test_with_a_gap_before_it_a_commit_is_taken_in_and_the_gap_stays_known(self, standings: Standings) -> None:
        standings.rebuild(packed_records([(1, GOOD)]), number=7)
        standings.apply([(1, REVOKED)], after=8, number=9)

        assert (standings.applied(), standings.find(1)) == (7, REVOKED)

    def test_one_that_was_never_built_stays_incomplete(self, standings: Standings) -> None:
        standings.apply([(1, REVOKED)], after=0, number=1)

        assert (standings.applied(), standings.find(1)) == (0, REVOKED)

    def test_those_not_good_are_listed_by_issuer_the_revoked_ones_by_their_times(self, standings: Standings) -> None:
        other = replace(REVOKED, issuer="issuing2")
        unconfirmed = replace(GOOD, status=CertificateStatus.UNCONFIRMED)
        later = replace(REVOKED, revocation=Revocation(RevocationReason.KEY_COMPROMISE, LATER))
        everything = [(0x1FF, REVOKED), (0x2, HELD), (0x3, GOOD), (0x4, other), (0x100, unconfirmed), (0x5, later)]
        standings.rebuild(packed_records(everything), number=1)

        assert list(standings.list_not_good("issuing", EVER)) == [
            *((0x1FF, REVOKED), (0x5, later)),
            *((0x2, HELD), (0x100, unconfirmed)),
        ]
        assert list(standings.list_not_good("issuing2", EVER)) == [(0x4, other)]

    def test_of_those_revoked_long_ago_none_is_listed_and_of_the_others_all(self, standings: Standings) -> None:
        unconfirmed = replace(GOOD, status=CertificateStatus.UNCONFIRMED)
        standings.rebuild(packed_records([(1, REVOKED), (2, HELD), (3, unconfirmed)]), number=1)

        listed = [[serial for serial, _ in standings.list_not_good("issuing", since)] for since in (NOW, LATER)]
        assert listed == [[1, 2, 3], [2, 3]]

    def test_one_whose_hold_becomes_final_is_listed_once(self, standings: Standings) -> None:
        standings.rebuild(packed_records([(1, HELD), (2, HELD)]), number=7)
        standings.apply([(1, REVOKED), (2, GOOD)], after=7, number=8)

        assert list(standings.list_not_good("issuing", EVER)) == [(1, REVOKED)]
        assert list(standings.list_not_good("issuing", LATER)) == []

    def test_a_revocation_is_not_taken_back_whatever_is_said_later(self, standings: Standings) -> None:
        standings.rebuild(packed_records([(1, REVOKED), (1, GOOD), (2, GOOD)]), number=7)
        standings.apply([(1, HELD), (2, REVOKED)], after=7, number=8)
        standings.apply([(1, GOOD), (2, HELD)], after=8, number=9)

        assert [standings.find(serial) for serial in (1, 2)] == [REVOKED, REVOKED]
        assert [serial for serial, _ in standings.list_not_good("issuing", EVER)] == [1, 2]

    def test_all_records_of_one_moment_can_be_read_while_others_write(self, standings: Standings) -> None:
        before = list(packed_records([(1, GOOD), (0x100, REVOKED), (LARGEST, HELD)]))
        standings.rebuild(reversed(before), number=7)

        with standings.records() as (number, records):
            first = next(records)
            assert (number, [first, *records]) == (7, before)
