"""What applications, evidence, codes and intents must do in every database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.applications import ApplicationState
from ca.domain.batches import Batch
from ca.domain.case_contents import FormerCase
from ca.domain.codes import CodeState
from ca.domain.companies import Asked
from ca.domain.decisions import Act, Decision
from ca.domain.errors import InvalidTransition, NotFound
from ca.ports import UnitOfWork
from tests.builders import NOW, SEAL, a_case, a_code_pair, an_application, an_intent, evidence

HOUR = timedelta(hours=1)
LARGEST_SERIAL = 2**159 - 1


class ApplicationsContract:
    def test_a_saved_application_reads_back_with_digest_and_seal(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.applications.save(an_application(), SEAL)
            work.commit()

        with unit_of_work() as work:
            application, seal = work.applications.get("application-1")

        assert (application, seal) == (an_application(), SEAL)
        assert application.case.digest() == a_case().digest()

    def test_applications_are_listed_by_the_u_shield_they_name(self, unit_of_work: UnitOfWork) -> None:
        other = an_application(case=a_case(application="application-2", device_serial="US2"))

        with unit_of_work() as work:
            work.applications.save(an_application(), SEAL)
            work.applications.save(other, SEAL)

            assert list(work.applications.list_by_device("US2")) == [other]
            assert list(work.applications.list_by_device("US3")) == []

    def test_a_customers_applications_are_listed_the_youngest_first(self, unit_of_work: UnitOfWork) -> None:
        later = an_application(case=a_case(application="application-2", submitted_at=NOW + HOUR))
        asked = Asked("a1", "li@example.com", "00" * 32, "ab")
        for_company = an_application(case=a_case(application="application-3", customer="customer-3", company="c-1",
                                                 asked=asked, addresses=("li@example.com",)))  # fmt: skip

        with unit_of_work() as work:
            for each in (an_application(), later, for_company):
                work.applications.save(each, SEAL)

            assert list(work.applications.list_by_customer("customer-1")) == [later, an_application()]
            assert list(work.applications.list_by_customer("customer-3")) == [for_company]

    def test_a_new_state_leaves_case_and_seal_alone(self, unit_of_work: UnitOfWork) -> None:
        approved = an_application(state=ApplicationState.APPROVED, reason="checked", updated_at=NOW + HOUR)

        with unit_of_work() as work:
            work.applications.save(an_application(), SEAL)
            work.applications.set_state(approved)
            work.commit()

        with unit_of_work() as work:
            assert work.applications.get("application-1") == (approved, SEAL)

    def test_a_state_carries_no_other_case_in(self, unit_of_work: UnitOfWork) -> None:
        other = an_application(case=a_case(customer_name="Somebody Else"), state=ApplicationState.APPROVED)

        with unit_of_work() as work:
            work.applications.save(an_application(), SEAL)
            work.applications.set_state(other)

            assert work.applications.get("application-1")[0].case == a_case()

    def test_an_unknown_application_is_not_found(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            with pytest.raises(NotFound):
                work.applications.get("none")
            with pytest.raises(NotFound):
                work.applications.set_state(an_application())

    def test_evidence_reads_back_whole_and_in_order(self, unit_of_work: UnitOfWork) -> None:
        decision = Decision(Act.APPROVE_INVITATION, "application-1", b"\x09" * 32, "officer-3", "P-3")
        second = evidence(decision=decision, at=NOW - HOUR)

        with unit_of_work() as work:
            work.applications.add_evidence("application-1", evidence())
            work.applications.add_evidence("application-1", second)
            work.applications.add_evidence("application-2", evidence())
            work.commit()

        with unit_of_work() as work:
            assert list(work.applications.list_evidence("application-1")) == [evidence(), second]

    def test_versions_that_went_back_are_listed_in_their_order(self, unit_of_work: UnitOfWork) -> None:
        first = FormerCase(a_case(), "the name is short", "P-2", NOW)
        second = replace(first, case=a_case(version=2), reason="still short", returned_at=NOW + HOUR)
        other = replace(first, case=a_case(application="application-2"))
        with unit_of_work() as work:
            for former in (first, other, second):
                work.applications.add_former(former, SEAL)
            work.commit()
        with unit_of_work() as work:
            assert list(work.applications.list_former("application-1")) == [(first, SEAL), (second, SEAL)]
            assert list(work.applications.list_former("application-3")) == []


class BatchesContract:
    def test_a_batch_reads_back_with_its_seal(self, unit_of_work: UnitOfWork) -> None:
        cases = (("application-1", "ab" * 32), ("application-2", "cd" * 32))
        batch = Batch("batch-1", "customer-9", "Acme 有限公司", "u-shield", "0001", "P-1", "Maria Nagy", NOW, cases)
        with unit_of_work() as work:
            work.batches.add(batch, SEAL)
            work.commit()
        with unit_of_work() as work:
            assert work.batches.get("batch-1") == (batch, SEAL)
            with pytest.raises(NotFound):
                work.batches.get("batch-2")


class CodesContract:
    def test_a_saved_pair_reads_back_and_can_be_changed(self, unit_of_work: UnitOfWork) -> None:
        claimed = a_code_pair().claim("12" * 32)

        with unit_of_work() as work:
            work.codes.save(a_code_pair())
            assert work.codes.find("1234567894") == a_code_pair()
            work.codes.save(claimed)
            work.commit()

        with unit_of_work() as work:
            assert work.codes.find("1234567894") == claimed
            assert work.codes.find("9999999999") is None

    def test_the_newest_pair_of_an_application_is_the_last_one_made(self, unit_of_work: UnitOfWork) -> None:
        first = a_code_pair(reference="9000000000")
        second = a_code_pair(reference="1000000000")

        with unit_of_work() as work:
            work.codes.save(first)
            work.codes.save(second)
            work.codes.save(a_code_pair(reference="9000000000", state=CodeState.VOID))

            assert work.codes.find_for_application("application-1") == second
            assert work.codes.find_for_application("none") is None

    def test_open_codes_past_their_last_second_are_listed(self, unit_of_work: UnitOfWork) -> None:
        over = a_code_pair(reference="1", expires_at=NOW - timedelta(seconds=1))

        with unit_of_work() as work:
            work.codes.save(over)
            work.codes.save(a_code_pair(reference="2", expires_at=NOW))
            work.codes.save(a_code_pair(reference="3", expires_at=NOW - HOUR, state=CodeState.CLAIMED))

            assert list(work.codes.list_open_expired(NOW)) == [over]


class IntentsContract:
    def test_an_intent_is_found_by_its_request_with_the_exact_bytes(self, unit_of_work: UnitOfWork) -> None:
        intent = an_intent(tbs_der=bytes(range(256)), predecessor=LARGEST_SERIAL)

        with unit_of_work() as work:
            work.intents.add(intent)
            work.commit()

        with unit_of_work() as work:
            assert work.intents.find_for_request("application-1", "12" * 32) == intent
            assert work.intents.find_for_request("application-1", "34" * 32) is None
            assert work.intents.find_for_request("application-2", "12" * 32) is None

    def test_a_signed_intent_is_no_longer_listed(self, unit_of_work: UnitOfWork) -> None:
        second = an_intent(serial=0xA2, request="34" * 32)

        with unit_of_work() as work:
            work.intents.add(an_intent())
            work.intents.add(second)
            work.intents.mark_signed(0xA1)

            assert list(work.intents.list_unsigned()) == [second]
            assert work.intents.find_for_request("application-1", "12" * 32) == an_intent(signed=True)

    def test_only_a_recorded_intent_can_be_signed(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work, pytest.raises(NotFound):
            work.intents.mark_signed(0xA1)

    def test_a_tag_is_intended_once_and_leads_to_its_serial(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.intents.add(an_intent(serial=LARGEST_SERIAL, application=""))
            with pytest.raises(InvalidTransition):
                work.intents.add(an_intent(serial=LARGEST_SERIAL % 2**56, request="34" * 32))
            work.commit()

        with unit_of_work() as work:
            assert work.intents.find_serial(LARGEST_SERIAL % 2**56) == LARGEST_SERIAL
            assert work.intents.find_serial(1) is None
            assert work.intents.find(LARGEST_SERIAL) == an_intent(serial=LARGEST_SERIAL, application="")
            assert work.intents.find(1) is None

    def test_a_serial_is_intended_once(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.intents.add(an_intent())
            with pytest.raises(InvalidTransition, match="a1"):
                work.intents.add(an_intent(request="34" * 32))

            assert list(work.intents.list_unsigned()) == [an_intent()]

    def test_an_application_has_one_intent_for_a_request(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.intents.add(an_intent())
            with pytest.raises(InvalidTransition, match="application-1"):
                work.intents.add(an_intent(serial=0xA2))

    def test_the_cas_own_certificates_may_be_intended_again_from_one_request(self, unit_of_work: UnitOfWork) -> None:
        again = an_intent(serial=0xA2, application="")

        with unit_of_work() as work:
            work.intents.add(an_intent(application=""))
            work.intents.add(again)

            assert work.intents.find_for_request("", "12" * 32) == again
