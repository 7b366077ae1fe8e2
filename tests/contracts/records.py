"""What issuing CAs, CRLs, blocked keys, the audit log and the jobs' records must do in every database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ca.domain.audit import Head
from ca.domain.crl import CRLScope
from ca.domain.errors import InvalidTransition, NotFound
from ca.domain.jobs import JobRun, Lease
from ca.ports import UnitOfWork
from tests.builders import NOW, a_checkpoint, a_crl, an_event, an_issuer

MINUTE = timedelta(minutes=1)
SCOPES: list[dict[str, Any]] = [
    {"scope": CRLScope("issuing")},
    {"scope": CRLScope("issuing", delta=True), "base": 2**40},
    {"scope": CRLScope("issuing", 12), "published": True},
]


class IssuersContract:
    def test_issuers_read_back_and_are_listed_by_name(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.issuers.save(an_issuer(name="root"))
            work.issuers.save(an_issuer(crl_url="http://old.example/crl"))
            work.issuers.save(an_issuer())
            work.commit()

        with unit_of_work() as work:
            assert work.issuers.get("issuing") == an_issuer()
            assert list(work.issuers.list()) == [an_issuer(), an_issuer(name="root")]

    def test_an_unknown_issuer_is_not_found(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work, pytest.raises(NotFound):
            work.issuers.get("none")

    def test_nobody_takes_a_turn_of_an_unknown_issuer(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work, pytest.raises(NotFound):
            work.issuers.take_turn("none")


class CRLsContract:
    def test_the_last_crl_says_when_it_was_made(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.crls.add(a_crl(number=10, this_update=NOW))
            work.crls.add(a_crl(number=9, this_update=NOW - MINUTE))

            assert work.crls.last_made("issuing") == NOW
            assert work.crls.last_made("none") is None

    def test_the_last_crl_has_the_highest_number_of_its_issuer(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.crls.add(a_crl(number=10))
            work.crls.add(a_crl(number=9))
            work.crls.add(a_crl(scope=CRLScope("root"), number=11))
            work.commit()

        with unit_of_work() as work:
            assert work.crls.last("issuing") == a_crl(number=10)
            assert work.crls.last("none") is None

    @pytest.mark.parametrize("changes", SCOPES, ids=["full", "delta", "partition"])
    def test_a_crl_reads_back_the_same_and_by_its_scope(
        self, unit_of_work: UnitOfWork, changes: dict[str, Any]
    ) -> None:
        with unit_of_work() as work:
            for each in SCOPES:
                work.crls.add(a_crl(number=7, **each))
            work.commit()

        with unit_of_work() as work:
            assert work.crls.find_last(changes["scope"]) == a_crl(number=7, **changes)
            assert work.crls.find_last(CRLScope("none")) is None

    def test_what_was_published_by_a_time_is_found(self, unit_of_work: UnitOfWork) -> None:
        scope = CRLScope("issuing")
        with unit_of_work() as work:
            made = {number: a_crl(number=number, this_update=NOW + number * MINUTE) for number in (1, 2, 3, 4)}
            assert work.crls.find_published(scope, NOW) is None
            for record in made.values():
                work.crls.add(record)
            assert work.crls.find_published(scope, NOW + 9 * MINUTE) is None
            for number in (1, 2, 4):
                work.crls.mark_published(made[number])
            work.crls.add(a_crl(scope=CRLScope("issuing", delta=True), base=4, number=5, published=True))

            found = [work.crls.find_published(scope, NOW + minutes * MINUTE) for minutes in (0, 1, 3, 4, 9)]
            assert [record.number for record in found if record is not None] == [1, 1, 2, 4, 4]
            assert work.crls.find_last(scope) == replace(made[4], published=True)

    def test_partitions_are_listed_with_every_address_they_had(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            for partition, url in ((10, "http://a/p10"), (2, "http://b/p2"), (2, "http://a/p2"), (2, "http://b/p2")):
                work.crls.add_partition("issuing", partition, url)
            work.commit()

        with unit_of_work() as work:
            found = work.crls.list_partitions("issuing")
            assert [(key, list(urls)) for key, urls in found.items()] == [
                (2, ["http://a/p2", "http://b/p2"]),
                (10, ["http://a/p10"]),
            ]
            assert dict(work.crls.list_partitions("root")) == {}

    def test_a_crl_number_is_used_once_for_a_scope(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.crls.add(a_crl())
            work.crls.add(a_crl(scope=CRLScope("issuing", 1)))
            with pytest.raises(InvalidTransition):
                work.crls.add(a_crl())

    def test_a_new_crl_is_due_only_when_said_so(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            assert work.crls.is_due("issuing") is False
            work.crls.set_due("issuing", due=True)
            assert work.crls.is_due("issuing") is True
            assert work.crls.is_due("root") is False
            work.crls.set_due("issuing", due=False)

            assert work.crls.is_due("issuing") is False

    def test_crl_numbers_only_grow(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            assert work.crls.last_number("issuing") == 0
            taken = [work.crls.take_number("issuing", above) for above in (0, 0, 7, 3)]
            work.crls.set_due("issuing", due=True)
            work.commit()

        with unit_of_work() as work:
            assert taken == [1, 2, 8, 9]
            assert work.crls.last_number("issuing") == 9
            assert work.crls.last_number("root") == 0

    def test_a_crl_number_of_more_than_32_bits_is_kept(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            assert work.crls.take_number("issuing", 2**62) == 2**62 + 1


class BlockedKeysContract:
    def test_a_blocked_key_keeps_its_first_reason(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.blocked_keys.add("ef" * 32, "compromised", NOW)
            work.blocked_keys.add("ef" * 32, "another", NOW)
            work.commit()

        with unit_of_work() as work:
            assert work.blocked_keys.find("ef" * 32) == "compromised"
            assert work.blocked_keys.find("00" * 32) is None


class AuditLogContract:
    def test_an_empty_log_ends_at_its_beginning(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            assert work.audit.head() == Head()
            assert list(work.audit.read()) == []

    def test_events_form_a_chain_that_follows_from_its_beginning(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.audit.append(an_event("customer.registered"))
            work.audit.append(an_event("device.assigned", details={}))
            work.commit()
        with unit_of_work() as work:
            work.audit.append(an_event("application.submitted"))
            work.commit()

        with unit_of_work() as work:
            chain = list(work.audit.read())
            head = work.audit.head()

        assert [each.event.name for each in chain] == [
            "customer.registered",
            "device.assigned",
            "application.submitted",
        ]
        assert Head().follow(chain[0]).follow(chain[1]).follow(chain[2]) == head

    def test_events_with_any_text_read_back_the_same(self, unit_of_work: UnitOfWork) -> None:
        event = an_event(subject="名前 \u2028\n\t'\"", details={"ключ": "é\n{}", "": ""})

        with unit_of_work() as work:
            work.audit.append(event)
            work.commit()

        with unit_of_work() as work:
            assert [each.event for each in work.audit.read()] == [event]

    def test_reading_can_begin_after_a_number(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            for name in ("a.first", "b.second", "c.third"):
                work.audit.append(an_event(name))
            work.commit()

        with unit_of_work() as work:
            assert [each.event.name for each in work.audit.read(after=1)] == ["b.second", "c.third"]

    def test_the_events_about_one_thing_are_found_in_order(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            for name, subject in (("a.first", "a1"), ("b.second", "a2"), ("c.third", "a1")):
                work.audit.append(an_event(name, subject=subject))
            work.commit()

        with unit_of_work() as work:
            about = [(each.number, each.event.name) for each in work.audit.about("a1")]

        assert about == [(1, "a.first"), (3, "c.third")]

    def test_checkpoints_read_back_in_order(self, unit_of_work: UnitOfWork) -> None:
        later = a_checkpoint(number=2, at=NOW + MINUTE)

        with unit_of_work() as work:
            work.audit.add_checkpoint(a_checkpoint())
            work.audit.add_checkpoint(later)
            work.commit()

        with unit_of_work() as work:
            assert list(work.audit.list_checkpoints()) == [a_checkpoint(), later]


class JobsContract:
    def test_one_leader_at_a_time(self, unit_of_work: UnitOfWork) -> None:
        first = Lease("jobs", "node-1", NOW + MINUTE)

        with unit_of_work() as work:
            assert work.jobs.take_lease("jobs", "node-1", NOW, NOW + MINUTE) == first
            assert work.jobs.take_lease("jobs", "node-2", NOW, NOW + 2 * MINUTE) == first

    def test_a_leader_renews_its_lease(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.jobs.take_lease("jobs", "node-1", NOW, NOW + MINUTE)
            renewed = work.jobs.take_lease("jobs", "node-1", NOW, NOW + 2 * MINUTE)
            work.commit()

        with unit_of_work() as work:
            seen = work.jobs.take_lease("jobs", "node-2", NOW + MINUTE, NOW + 3 * MINUTE)

        assert seen == renewed == Lease("jobs", "node-1", NOW + 2 * MINUTE)

    def test_a_dead_leader_is_followed_when_its_lease_has_run_out(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.jobs.take_lease("jobs", "node-1", NOW, NOW + MINUTE)
            lease = work.jobs.take_lease("jobs", "node-2", NOW + MINUTE, NOW + 2 * MINUTE)

        assert lease == Lease("jobs", "node-2", NOW + 2 * MINUTE)

    def test_each_jobs_last_run_is_listed_by_name(self, unit_of_work: UnitOfWork) -> None:
        last = JobRun("publish-crl", NOW + MINUTE, True, "CRL 4 with 12 entries")
        sweep = JobRun("sweep", NOW, False, "the HSM is away")

        with unit_of_work() as work:
            work.jobs.record(sweep)
            work.jobs.record(JobRun("publish-crl", NOW, False, "the HSM is away"))
            work.jobs.record(last)
            work.commit()

        with unit_of_work() as work:
            assert list(work.jobs.list()) == [last, sweep]
