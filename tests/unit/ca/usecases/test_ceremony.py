"""ca/usecases/ceremony.py: the script is followed to the letter, once, and the transcript says so (CPS section 6.1)."""

from dataclasses import replace

import pytest
from cryptography import x509

from ca.domain.ceremony import Act, Script, Step
from ca.domain.errors import InvalidRequest, InvalidTransition, NotReady, SigningRefused
from ca.domain.officers import InvitationState, code_halves
from ca.usecases.ceremony import HoldCeremony, find_held
from config.ceremony_files import load_script
from tests.fakes.bank import Bank
from tests.fakes.ceremony import SCRIPT, Ceremony
from tests.fakes.clock import FakeClock, FakeRandom
from tests.fakes.key_store import FakeKeyStore
from tests.fakes.work import FakeUnitOfWork


class World:
    def __init__(self) -> None:
        self.unit_of_work = FakeUnitOfWork()
        self.random = FakeRandom()
        self.ceremony = Ceremony(self.unit_of_work, FakeClock(), self.random)


@pytest.fixture
def world() -> World:
    return World()


def test_root_and_issuing_ca_are_born_in_their_tokens(world: World) -> None:
    world.ceremony()
    issuers = world.unit_of_work.stored.issuers
    root = x509.load_der_x509_certificate(issuers["root"].certificate_der)
    issuing = x509.load_der_x509_certificate(issuers["issuing"].certificate_der)
    root.verify_directly_issued_by(root)
    issuing.verify_directly_issued_by(root)
    assert issuing.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert world.ceremony.publisher.certificates == {name: issuer.certificate_der for name, issuer in issuers.items()}
    assert set(world.ceremony.trust.kept) == {
        "root.cer",
        "issuing.cer",
        "audit.spki",
        "tool-jobs.spki",
        "tool-release.spki",
    }


def test_the_root_has_no_ocsp_and_the_issuing_ca_has(world: World) -> None:
    world.ceremony()
    issuers = world.unit_of_work.stored.issuers
    assert issuers["root"].ocsp_url == ""
    assert issuers["issuing"].ocsp_url == "http://localhost:8080/ocsp"


def test_the_roots_first_crl_is_empty_and_signed(world: World) -> None:
    world.ceremony()
    crl = x509.load_der_x509_crl(world.ceremony.publisher.crls["root"])
    root = x509.load_der_x509_certificate(world.unit_of_work.stored.issuers["root"].certificate_der)
    assert crl.is_signature_valid(root.public_key())  # type: ignore[arg-type]  # RSA or EC
    assert list(crl) == []


def test_every_step_is_read_out_and_written_down(world: World) -> None:
    script = load_script(SCRIPT)
    attended: list[Step] = []
    record = world.ceremony.hold(script, attend=attended.append, keep=lambda _: None)
    assert attended == list(script.steps)
    for step in script.steps:
        assert f"Step {step.number}. {script.roles[step.role]} ({step.role}): {step.words}" in record.transcript.lines
    assert world.unit_of_work.events[0].details["script"] == script.digest
    assert world.unit_of_work.events[-1].details == {"transcript": record.transcript.digest}


def test_no_code_and_no_pin_is_in_the_transcript(world: World) -> None:
    record = world.ceremony()
    for appointment in record.appointments:
        for half in code_halves(appointment.code):
            assert half not in record.transcript.text
            assert half not in str(world.unit_of_work.stored)


def test_the_first_officers_are_invited_by_the_ceremony(world: World) -> None:
    record = world.ceremony()
    invitations = [invitation for invitation, _ in world.unit_of_work.stored.invitations.values()]
    assert {one.state for one in invitations} == {InvitationState.OPEN}
    assert {one.approved_by for one in invitations} == {"ceremony"}
    first = ["E1001", "E1002", "E2001", "E2002", "E3001", "E4001", "E4002"]
    assert [one.person for one in record.appointments] == first


def test_an_invitation_of_the_ceremony_is_redeemed() -> None:
    from tests.fakes.authenticators import FakePasskey

    bank = Bank()
    first = bank.appointments[0]
    _, challenge = bank.redeem.open(first.invitation, first.code)
    passkey = FakePasskey()
    registration = passkey.register(challenge)
    bank.redeem(first.invitation, first.code, challenge=challenge, registration=registration, label="office")
    assert bank.signed_in(passkey).officer.person == first.person


def test_it_is_held_once(world: World) -> None:
    world.ceremony()
    tokens = world.ceremony.room.tokens
    with pytest.raises(InvalidTransition, match="held once"):
        world.ceremony()
    assert world.ceremony.room.tokens is tokens


def test_one_that_was_begun_is_not_begun_again(world: World) -> None:
    world.ceremony.room.make_token("root")
    with pytest.raises(NotReady, match="already"):
        world.ceremony()
    with pytest.raises(InvalidTransition, match="begun"):
        world.ceremony()
    assert world.unit_of_work.event_names == ["ceremony.begun"]


def test_a_ceremony_that_was_held_is_found_with_its_transcript(world: World) -> None:
    assert find_held(world.unit_of_work) is None
    record = world.ceremony()
    held = find_held(world.unit_of_work)
    assert held is not None
    assert held.details == {"transcript": record.transcript.digest}


def only(script: Script, *acts: Act) -> Script:
    return replace(script, steps=tuple(step for step in script.steps if step.act in acts))


def test_a_key_in_a_token_that_was_not_made_stops_it(world: World) -> None:
    with pytest.raises(InvalidRequest, match=r"step 3 .*: token"):
        world.ceremony(only(load_script(SCRIPT), Act.MAKE_KEY))


def test_a_certificate_of_a_key_that_was_not_made_stops_it(world: World) -> None:
    with pytest.raises(InvalidRequest, match="step 12"):
        world.ceremony(only(load_script(SCRIPT), Act.MAKE_TOKEN, Act.CERTIFY_ROOT))


@pytest.mark.parametrize(
    ("act", "name", "value"),
    [
        (Act.MAKE_KEY, "algorithm", "rsa-1024"),
        (Act.MAKE_KEY, "algorithm", ""),
        (Act.CERTIFY_ROOT, "profile", "no-such-profile"),
        (Act.CERTIFY_ISSUING, "key", "no-such-key"),
        (Act.SIGN_ROOT_CRL, "days", "many"),
        (Act.SIGN_ROOT_CRL, "days", "0"),
        (Act.INVITE_OFFICER, "roles", "auditor security-officer"),
        (Act.INVITE_OFFICER, "roles", ""),
        (Act.MAKE_TOKEN, "token", "rot"),
        (Act.MAKE_TOKEN, "token", "root"),
        (Act.MAKE_KEY, "token", "rot"),
        (Act.MAKE_KEY, "key", "root-1"),
        (Act.MAKE_KEY, "key", ""),
        (Act.MAKE_SEAL_KEY, "token", "rot"),
        (Act.MAKE_SEAL_KEY, "key", "seals-2"),
        (Act.CERTIFY_ROOT, "algorithm", "ec-p256"),
        (Act.CERTIFY_ROOT, "profile", "machine"),
        (Act.CERTIFY_ROOT, "key", "seals-1"),
        (Act.CERTIFY_ROOT, "token", "issuing"),
        (Act.CERTIFY_ROOT, "issuer", "../root"),
        (Act.CERTIFY_ISSUING, "token", "issuing"),
        (Act.CERTIFY_ISSUING, "signed_by", "rot"),
        (Act.CERTIFY_ISSUING, "issuer", "root"),
        (Act.SIGN_ROOT_CRL, "issuer", "rot"),
        (Act.SIGN_ROOT_CRL, "token", "issuing"),
        (Act.INVITE_OFFICER, "person", "e2001"),
        (Act.INVITE_OFFICER, "person", "E2001\n"),
        (Act.INVITE_OFFICER, "name", ""),
        (Act.INVITE_OFFICER, "name", "x" * 65),
        (Act.INVITE_OFFICER, "branch", "head\u202eoffice"),
    ],
)
def test_a_slip_of_the_pen_is_found_before_any_key_is_made(world: World, act: Act, name: str, value: str) -> None:
    script = load_script(SCRIPT)
    steps = [
        replace(step, parameters={**step.parameters, name: value}) if step.act is act else step for step in script.steps
    ]
    with pytest.raises(InvalidRequest):
        world.ceremony(replace(script, steps=tuple(steps)))
    assert world.ceremony.room.tokens == {}
    assert world.unit_of_work.events == []


def test_an_issuing_ca_without_its_root_stops_it(world: World) -> None:
    with pytest.raises(InvalidRequest, match="signed_by"):
        world.ceremony(only(load_script(SCRIPT), Act.MAKE_TOKEN, Act.MAKE_KEY, Act.CERTIFY_ISSUING))


def test_an_invitation_before_there_is_a_seal_key_stops_it(world: World) -> None:
    with pytest.raises(InvalidRequest, match="before the key seals-1 is made in the token issuing"):
        world.ceremony(only(load_script(SCRIPT), Act.MAKE_TOKEN, Act.INVITE_OFFICER))
    assert world.ceremony.room.tokens == {}


class LyingKeyStore(FakeKeyStore):
    """It signs something else than it was given."""

    lies = False

    def sign(self, key, message):  # type: ignore[no-untyped-def]  # as its base
        return super().sign(key, message + b"!" if self.lies else message)


def held_with_lies_from(world: World, act: Act) -> None:
    """The root's token begins to lie when the first step of this kind is read out."""
    store = LyingKeyStore()

    def attend(step: Step) -> None:
        if "root" in world.ceremony.room.tokens:
            world.ceremony.room.tokens["root"] = store
        store.lies = store.lies or step.act is act

    hold: HoldCeremony = world.ceremony.hold
    hold(load_script(SCRIPT), attend=attend, keep=lambda _: None)


@pytest.mark.parametrize("act", [Act.CERTIFY_ROOT, Act.CERTIFY_ISSUING])
def test_a_signature_that_does_not_verify_makes_no_ca(world: World, act: Act) -> None:
    with pytest.raises(SigningRefused):
        held_with_lies_from(world, act)
    assert len(world.unit_of_work.stored.issuers) == (act is Act.CERTIFY_ISSUING)


def test_a_crl_whose_signature_does_not_verify_stops_it(world: World) -> None:
    with pytest.raises(InvalidRequest, match="not made with this key"):
        held_with_lies_from(world, Act.SIGN_ROOT_CRL)
    assert world.unit_of_work.stored.crls == []
    assert world.ceremony.publisher.crls == {}
