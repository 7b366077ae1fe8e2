"""ca/usecases/certificate_sign_in.py: the second door, attacked (THREATS 6, 45)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from ca.domain.certificates import Certificate
from ca.domain.errors import NotAllowed, NotAuthenticated, Tampered
from ca.domain.officers import OfficerState
from ca.domain.sessions import CHALLENGE_LIFE
from ca.usecases.authorize import Authorize, save_officer, token_hash
from tests.fakes.bank import MARIA, PAVEL, SECURITY, SUPERVISOR, Bank
from tests.fakes.doors import bound, entered, vouch
from tests.fakes.software_ca import SoftwareCA


@pytest.fixture
def certificate(bank: Bank) -> Certificate:
    """Maria's, on a U-Shield and bound to her."""
    found = bank.active(profile="officer")
    bound(bank, found)
    return found


def test_a_bound_certificate_signs_its_officer_in_and_the_log_names_it(bank: Bank, certificate: Certificate) -> None:
    token, officer = entered(bank, certificate.der)

    assert officer.person == MARIA
    assert bank.sign_in.who(token).id == officer.id
    event = bank.unit_of_work.events[-1]
    assert (event.name, event.details["certificate"]) == ("officer.signed-in", f"{certificate.serial:x}")


def test_each_sign_in_gives_a_session_of_its_own(bank: Bank, certificate: Certificate) -> None:
    first, _ = entered(bank, certificate.der)
    second, _ = entered(bank, certificate.der)

    bank.sign_in.out(first)

    assert first != second
    assert bank.sign_in.who(second).person == MARIA


# Whose certificate


def test_a_certificate_of_another_ca_opens_nothing(bank: Bank, certificate: Certificate) -> None:
    with pytest.raises(NotAuthenticated, match="bound to no officer"):
        entered(bank, SoftwareCA("Foreign Bank").holder("Maria").der)


@pytest.mark.parametrize("profile", ["personal-signing", "officer"])
def test_a_certificate_that_is_bound_to_nobody_opens_nothing(
    bank: Bank, certificate: Certificate, profile: str
) -> None:
    with pytest.raises(NotAuthenticated, match="bound to no officer"):
        entered(bank, bank.active(profile=profile).der)


def test_one_that_we_signed_and_do_not_know_raises_the_alarm(bank: Bank, certificate: Certificate) -> None:
    unknown = bank.active(profile="officer")
    bank.stored.certificates.pop(unknown.serial)

    with pytest.raises(NotAuthenticated):
        entered(bank, unknown.der)

    assert "certificate.unknown-seen" in bank.event_names


@pytest.mark.parametrize("garbage", [b"", b"0", bytes(40_000)])
def test_what_is_no_certificate_opens_nothing(bank: Bank, garbage: bytes) -> None:
    with pytest.raises(NotAuthenticated):
        entered(bank, garbage)


# Whether it holds


def hold(bank: Bank, certificate: Certificate) -> None:
    bank.change_status.hold(bank.session(SUPERVISOR), certificate.serial)


def revoke(bank: Bank, certificate: Certificate) -> None:
    bank.revoked(certificate)


def suspend(bank: Bank, certificate: Certificate) -> None:
    del certificate
    bank.suspend(MARIA)


def expire(bank: Bank, certificate: Certificate) -> None:
    bank.stored.certificates[certificate.serial] = replace(certificate, not_after=bank.clock.now() - timedelta(1))


def unbind(bank: Bank, certificate: Certificate) -> None:
    ((binding, _),) = bank.stored.bindings.values()
    bank.door.bind.end(bank.session(SECURITY), binding.id, reason="lost")


def close_the_door(bank: Bank, certificate: Certificate) -> None:
    del certificate
    authorize = Authorize(bank.seals, bank.clock, bank.policy)
    bank.sign_in = replace(bank.sign_in, authorize=authorize)
    bank.door = replace(bank.door, sign_in=replace(bank.door.sign_in, authorize=authorize, edge_key=None))


ENDS = [hold, revoke, suspend, expire, unbind, close_the_door]


@pytest.mark.parametrize("end", ENDS)
def test_it_opens_nothing_any_more(bank: Bank, certificate: Certificate, end) -> None:
    challenge = bank.door.sign_in.challenge()
    end(bank, certificate)

    with pytest.raises((NotAuthenticated, NotAllowed)):
        bank.door.sign_in(challenge, certificate.der, vouch(bank, challenge, certificate.der))


@pytest.mark.parametrize("end", ENDS)
def test_what_it_opened_is_closed_at_the_next_request(bank: Bank, certificate: Certificate, end) -> None:
    token, _ = entered(bank, certificate.der)
    end(bank, certificate)

    with pytest.raises(NotAuthenticated):
        bank.sign_in.who(token)


@pytest.mark.parametrize("end", [hold, revoke, expire, unbind])
def test_a_session_that_a_passkey_began_lives_on(bank: Bank, certificate: Certificate, end) -> None:
    session = bank.session(MARIA)
    end(bank, certificate)

    assert bank.sign_in.who(session).person == MARIA


def test_a_step_up_does_not_free_the_session_from_its_certificate(bank: Bank, certificate: Certificate) -> None:
    token, _ = entered(bank, certificate.der)
    access = bank.officers.access
    challenge = access.challenge(token)
    fresh = access.step_up(token, challenge, bank[MARIA].passkey.sign(challenge))
    assert bank.sign_in.who(fresh).person == MARIA
    hold(bank, certificate)

    with pytest.raises(NotAuthenticated):
        bank.sign_in.who(fresh)


def test_a_binding_cannot_be_put_on_another_certificate_by_writing_its_row(
    bank: Bank, certificate: Certificate
) -> None:
    ((binding, seal),) = bank.stored.bindings.values()
    successor = bank.active(profile="officer")
    bank.stored.bindings[binding.id] = (replace(binding, serial=successor.serial), seal)

    with pytest.raises(Tampered):
        entered(bank, successor.der)


def test_another_certificate_under_the_bound_serial_number_opens_nothing(bank: Bank, certificate: Certificate) -> None:
    other = bank.active(profile="officer")
    token, _ = entered(bank, certificate.der)
    bank.stored.certificates[certificate.serial] = replace(certificate, der=other.der)

    with pytest.raises(NotAuthenticated):
        bank.sign_in.who(token)


def test_turning_back_the_row_of_a_revoked_one_lets_nobody_in(bank: Bank, certificate: Certificate) -> None:
    token, _ = entered(bank, certificate.der)
    revoke(bank, certificate)
    bank.stored.certificates[certificate.serial] = certificate

    with pytest.raises(NotAuthenticated, match="by what was done with it"):
        entered(bank, certificate.der)
    with pytest.raises(NotAuthenticated):
        bank.sign_in.who(token)


# Who vouches


def test_a_voucher_of_another_key_is_worth_nothing(bank: Bank, certificate: Certificate) -> None:
    challenge, stranger = bank.door.sign_in.challenge(), ec.generate_private_key(ec.SECP256R1())

    with pytest.raises(NotAuthenticated, match="begin again"):
        bank.door.sign_in(challenge, certificate.der, vouch(bank, challenge, certificate.der, stranger))


def test_a_voucher_is_for_one_certificate_and_one_challenge(bank: Bank, certificate: Certificate) -> None:
    own = bank.active(profile="officer")
    first, second = bank.door.sign_in.challenge(), bank.door.sign_in.challenge()

    with pytest.raises(NotAuthenticated):
        bank.door.sign_in(first, certificate.der, vouch(bank, first, own.der))
    with pytest.raises(NotAuthenticated):
        bank.door.sign_in(second, certificate.der, vouch(bank, first, certificate.der))


def test_a_voucher_opens_once(bank: Bank, certificate: Certificate) -> None:
    challenge = bank.door.sign_in.challenge()
    voucher = vouch(bank, challenge, certificate.der)
    bank.door.sign_in(challenge, certificate.der, voucher)

    with pytest.raises(NotAuthenticated, match="begin again"):
        bank.door.sign_in(challenge, certificate.der, voucher)


def test_a_challenge_that_was_given_for_a_passkey_or_is_too_old_opens_nothing(
    bank: Bank, certificate: Certificate
) -> None:
    for_passkeys, old = bank.sign_in.challenge(), bank.door.sign_in.challenge()
    bank.clock.tick(CHALLENGE_LIFE + timedelta(seconds=1))

    for challenge in (for_passkeys, old, bytes(32)):
        with pytest.raises(NotAuthenticated, match="begin again"):
            bank.door.sign_in(challenge, certificate.der, vouch(bank, challenge, certificate.der))


def test_a_closed_door_gives_no_challenge(bank: Bank) -> None:
    close_the_door(bank, None)  # type: ignore[arg-type]  # there is none

    with pytest.raises(NotAllowed, match="do not sign in with certificates"):
        bank.door.sign_in.challenge()


# Rows that somebody wrote


def test_a_session_row_that_names_a_binding_of_another_officer_counts_for_nothing(
    bank: Bank, certificate: Certificate
) -> None:
    ((binding, _),) = bank.stored.bindings.values()
    token = bank.session(PAVEL)
    hashed = token_hash(token)
    session, seal = bank.stored.sessions[hashed]
    bank.stored.sessions[hashed] = (replace(session, binding=binding.id), seal)

    with pytest.raises(Tampered):
        bank.sign_in.who(token)


def test_a_session_cannot_be_freed_from_its_certificate_by_writing_its_row(
    bank: Bank, certificate: Certificate
) -> None:
    token, _ = entered(bank, certificate.der)
    session, seal = bank.stored.sessions[token_hash(token)]
    bank.stored.sessions[token_hash(token)] = (replace(session, binding=""), seal)

    with pytest.raises(Tampered):
        bank.sign_in.who(token)


def test_an_officer_who_left_stays_out_whatever_is_bound(bank: Bank, certificate: Certificate) -> None:
    officer = bank[MARIA].officer
    with bank.unit_of_work() as work:
        save_officer(work, bank.seals, replace(officer, state=OfficerState.LEFT, version=officer.version + 1))
        work.commit()

    with pytest.raises(NotAuthenticated, match="left"):
        entered(bank, certificate.der)


def test_two_bindings_of_one_certificate_let_nobody_in(bank: Bank, certificate: Certificate) -> None:
    ((binding, seal),) = bank.stored.bindings.values()
    bank.stored.bindings["other"] = (replace(binding, id="other", officer="officer-E9"), seal)

    with pytest.raises(NotAuthenticated, match="bound to no officer"):
        entered(bank, certificate.der)
