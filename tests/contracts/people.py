"""What customers, U-Shields, officers, invitations, sessions and challenges must do in every database."""

from datetime import timedelta

import pytest

from ca.domain.customers import CustomerKind
from ca.domain.devices import DeviceState
from ca.domain.errors import InvalidTransition, NotFound
from ca.domain.officers import InvitationState, OfficerState
from ca.domain.policy import USUAL
from ca.ports import UnitOfWork
from tests.builders import (
    NOW,
    SEAL,
    a_challenge,
    a_credential,
    a_customer,
    a_device,
    a_session,
    an_invitation,
    an_officer,
)

OTHER_SEAL = b"\xff" * 32


class CustomersContract:
    def test_a_saved_customer_reads_back_the_same(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.customers.save(a_customer())
            work.commit()

        with unit_of_work() as work:
            assert work.customers.get("customer-1") == a_customer()
            assert work.customers.find_by_number("100200300") == a_customer()

    def test_a_customer_saved_again_is_changed(self, unit_of_work: UnitOfWork) -> None:
        changed = a_customer(email="new@example.com", kind=CustomerKind.COMPANY)

        with unit_of_work() as work:
            work.customers.save(a_customer())
            work.customers.save(changed)

            assert work.customers.get("customer-1") == changed

    def test_who_acts_for_a_company_is_found_by_it(self, unit_of_work: UnitOfWork) -> None:
        second = a_customer(id="customer-2", number="2", company="company-1")
        first = a_customer(id="customer-3", number="1", company="company-1")

        with unit_of_work() as work:
            for each in (a_customer(), second, first):
                work.customers.save(each)

            assert list(work.customers.list_by_company("company-1")) == [first, second]
            assert list(work.customers.list_by_company("company-2")) == []

    def test_an_unknown_customer_is_not_found(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            assert work.customers.find_by_number("999") is None
            with pytest.raises(NotFound):
                work.customers.get("nobody")

    def test_a_customer_number_is_given_once_and_the_transaction_goes_on(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.customers.save(a_customer())
            with pytest.raises(InvalidTransition, match="100200300"):
                work.customers.save(a_customer(id="customer-2"))
            work.commit()

        with unit_of_work() as work:
            assert work.customers.find_by_number("100200300") == a_customer()


class DevicesContract:
    def test_a_saved_device_reads_back_the_same(self, unit_of_work: UnitOfWork) -> None:
        assigned = a_device(state=DeviceState.ASSIGNED, customer="customer-1")

        with unit_of_work() as work:
            work.devices.save(a_device())
            work.devices.save(assigned)
            work.commit()

        with unit_of_work() as work:
            assert work.devices.find("US0000000001") == assigned

    def test_what_a_customer_was_handed_is_found_by_them(self, unit_of_work: UnitOfWork) -> None:
        mine = [a_device(id=f"device-{n}", serial=f"US{n}", customer="customer-1") for n in (3, 2)]

        with unit_of_work() as work:
            for each in (a_device(), *mine):
                work.devices.save(each)

            assert list(work.devices.list_by_customer("customer-1")) == mine[::-1]

    def test_an_unknown_device_is_not_found(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            assert work.devices.find("US9") is None

    def test_a_device_serial_is_registered_once(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.devices.save(a_device())
            with pytest.raises(InvalidTransition, match="US0000000001"):
                work.devices.save(a_device(id="device-2"))


class OfficersContract:
    def test_a_saved_officer_reads_back_with_seal_and_passkeys_in_order(self, unit_of_work: UnitOfWork) -> None:
        second = a_credential(id=b"\x00second", label="Spare key", sign_count=2**32 - 1)
        officer = an_officer(credentials=(a_credential(), second))

        with unit_of_work() as work:
            work.officers.save(officer, SEAL)
            work.commit()

        with unit_of_work() as work:
            assert work.officers.get("officer-1") == (officer, SEAL)
            assert work.officers.find_by_person("P-1") == (officer, SEAL)
            assert work.officers.find_by_credential(b"\x00second") == (officer, SEAL)

    def test_an_officer_saved_again_is_changed_with_seal_and_passkeys(self, unit_of_work: UnitOfWork) -> None:
        changed = an_officer(credentials=(a_credential(id=b"new"),), state=OfficerState.SUSPENDED, version=2)

        with unit_of_work() as work:
            work.officers.save(an_officer(), SEAL)
            work.officers.get("officer-1")
            work.officers.save(changed, OTHER_SEAL)

            assert work.officers.get("officer-1") == (changed, OTHER_SEAL)
            assert work.officers.find_by_credential(a_credential().id) is None

    def test_an_officer_without_passkeys_reads_back(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.officers.save(an_officer(credentials=()), SEAL)

            assert work.officers.get("officer-1") == (an_officer(credentials=()), SEAL)

    def test_an_unknown_officer_is_not_found(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            assert work.officers.find_by_person("P-9") is None
            assert work.officers.find_by_credential(b"nothing") is None
            with pytest.raises(NotFound):
                work.officers.get("nobody")

    def test_a_sign_count_is_noted_for_one_passkey(self, unit_of_work: UnitOfWork) -> None:
        second = a_credential(id=b"second")

        with unit_of_work() as work:
            work.officers.save(an_officer(credentials=(a_credential(), second)), SEAL)
            work.officers.get("officer-1")
            work.officers.note_use(b"second", 7, NOW)

            officer, seal = work.officers.get("officer-1")

        used = [(credential.sign_count, credential.used_at) for credential in officer.credentials]
        assert used == [(0, None), (7, NOW)]
        assert seal == SEAL

    def test_a_person_is_an_officer_once(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.officers.save(an_officer(), SEAL)
            with pytest.raises(InvalidTransition, match="P-1"):
                work.officers.save(an_officer(id="officer-2", credentials=()), SEAL)

    def test_a_change_made_meanwhile_is_not_written_over(self, unit_of_work: UnitOfWork) -> None:
        suspended = an_officer(state=OfficerState.SUSPENDED, version=2)

        with unit_of_work() as work:
            work.officers.save(an_officer(), SEAL)
            work.officers.save(suspended, SEAL)
            with pytest.raises(InvalidTransition, match="P-1"):
                work.officers.save(an_officer(name="Maria Kiss", version=2), OTHER_SEAL)

            assert work.officers.get("officer-1") == (suspended, SEAL)

    def test_a_passkey_belongs_to_one_officer(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.officers.save(an_officer(), SEAL)
            with pytest.raises(InvalidTransition, match="passkey"):
                work.officers.save(an_officer(id="officer-2", person="P-2"), SEAL)

            assert work.officers.get("officer-1") == (an_officer(), SEAL)


class InvitationsContract:
    def test_a_saved_invitation_reads_back_with_its_seal(self, unit_of_work: UnitOfWork) -> None:
        redeemed = an_invitation(state=InvitationState.REDEEMED, code_mac=b"")

        with unit_of_work() as work:
            work.invitations.save(an_invitation(), SEAL)
            assert work.invitations.get("invitation-1") == (an_invitation(), SEAL)
            work.invitations.save(redeemed, OTHER_SEAL)
            work.commit()

        with unit_of_work() as work:
            assert work.invitations.get("invitation-1") == (redeemed, OTHER_SEAL)

    def test_an_unknown_invitation_is_not_found(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work, pytest.raises(NotFound):
            work.invitations.get("none")


class SessionsContract:
    def test_a_saved_session_reads_back_with_its_seal(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.sessions.save(a_session(), SEAL)
            work.commit()

        with unit_of_work() as work:
            assert work.sessions.find("ab" * 32) == (a_session(), SEAL)
            assert work.sessions.find("cd" * 32) is None

    def test_a_touched_session_was_seen_later(self, unit_of_work: UnitOfWork) -> None:
        later = NOW + timedelta(minutes=3)

        with unit_of_work() as work:
            work.sessions.save(a_session(), SEAL)
            work.sessions.find("ab" * 32)
            work.sessions.touch("ab" * 32, later)

            assert work.sessions.find("ab" * 32) == (a_session(seen_at=later), SEAL)

    def test_a_session_can_be_ended(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.sessions.save(a_session(), SEAL)
            work.sessions.end("ab" * 32)

            assert work.sessions.find("ab" * 32) == (a_session(ended=True), SEAL)

    def test_all_sessions_of_one_officer_end_and_no_others(self, unit_of_work: UnitOfWork) -> None:
        other = a_session(token_hash="03", officer="officer-2")

        with unit_of_work() as work:
            work.sessions.save(a_session(token_hash="01"), SEAL)
            work.sessions.save(a_session(token_hash="02"), SEAL)
            work.sessions.save(other, SEAL)
            assert work.sessions.end_all_of("officer-1") == 2
            assert work.sessions.end_all_of("officer-1") == 0

            assert work.sessions.find("01") == (a_session(token_hash="01", ended=True), SEAL)
            assert work.sessions.find("02") == (a_session(token_hash="02", ended=True), SEAL)
            assert work.sessions.find("03") == (other, SEAL)

    def test_sessions_that_are_over_are_forgotten_and_others_stay(self, unit_of_work: UnitOfWork) -> None:
        second = timedelta(seconds=1)
        over = [
            a_session(token_hash="01", ended=True),
            a_session(token_hash="02", seen_at=NOW - USUAL.session_idle - second),
            a_session(token_hash="03", began_at=NOW - USUAL.session_life - second),
        ]
        live = a_session(token_hash="04", began_at=NOW - USUAL.session_life, seen_at=NOW - USUAL.session_idle)

        with unit_of_work() as work:
            for session in (*over, live):
                work.sessions.save(session, SEAL)

            assert work.sessions.forget_over(NOW, USUAL) == 3

            assert [work.sessions.find(session.token_hash) for session in over] == [None] * 3
            assert work.sessions.find("04") == (live, SEAL)

    def test_all_sessions_but_one_end_or_those_of_everybody(self, unit_of_work: UnitOfWork) -> None:
        mine = [a_session(token_hash=f"0{n}", began_at=NOW + timedelta(seconds=n)) for n in (1, 2, 3)]
        other = a_session(token_hash="09", officer="officer-2", source="192.0.2.7", stepped_up_at=NOW)

        with unit_of_work() as work:
            for session in (*mine, other):
                work.sessions.save(session, SEAL)
            assert work.sessions.list_of("officer-1") == [(session, SEAL) for session in mine[::-1]]
            assert work.sessions.end_all_of("officer-1", but="02") == 2
            assert work.sessions.list_of("officer-1") == [(mine[1], SEAL)]
            assert work.sessions.list_of("officer-2") == [(other, SEAL)]
            assert work.sessions.end_all() == 2
            assert work.sessions.list_of("officer-1") == work.sessions.list_of("officer-2") == []


class ChallengesContract:
    def test_a_challenge_is_taken_once(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.challenges.add(a_challenge())
            work.commit()

        with unit_of_work() as work:
            assert work.challenges.take("sign-in", b"\x00" * 32) == a_challenge()
            assert work.challenges.take("sign-in", b"\x00" * 32) is None

    def test_a_challenge_serves_its_own_purpose_only(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.challenges.add(a_challenge())

            assert work.challenges.take("confirm:a1", b"\x00" * 32) is None

    def test_a_challenge_is_given_out_once(self, unit_of_work: UnitOfWork) -> None:
        with unit_of_work() as work:
            work.challenges.add(a_challenge())
            with pytest.raises(InvalidTransition):
                work.challenges.add(a_challenge())

    def test_expired_challenges_are_forgotten_and_others_stay(self, unit_of_work: UnitOfWork) -> None:
        second = timedelta(seconds=1)
        with unit_of_work() as work:
            work.challenges.add(a_challenge(value=b"over", expires_at=NOW - second))
            work.challenges.add(a_challenge(value=b"last second", expires_at=NOW))

            assert work.challenges.forget_expired(NOW) == 1

            assert work.challenges.take("sign-in", b"over") is None
            assert work.challenges.take("sign-in", b"last second") is not None
