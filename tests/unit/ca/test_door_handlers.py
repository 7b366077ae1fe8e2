"""ca/door_handlers.py: certificates that officers sign in with, asked as the fronts ask."""

import base64

import pytest

from ca import door_operations as door
from ca import operations as ops
from ca.domain.decisions import Assertion
from tests.fakes.bank import MARIA, SECOND_SECURITY, SECURITY, Bank
from tests.fakes.bank_console import BankSigner
from tests.fakes.doors import vouch


@pytest.fixture
def bank() -> Bank:
    return Bank()


def message(assertion: Assertion) -> ops.AssertionMessage:
    return ops.AssertionMessage(
        credential_id=assertion.credential_id,
        client_data=assertion.client_data,
        authenticator_data=assertion.authenticator_data,
        signature=assertion.signature,
    )


def b64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


NOBODY = message(Assertion(b"id", b"{}", bytes(4), b"signature"))
DOOR_ACTS: list[ops.Operation] = [
    door.SignInByCertificate(challenge=bytes(32), certificate=b"", voucher=b""),
    door.ProposeBinding(session="none", officer="none", serial="a1", reason="x"),
    door.ApproveBinding(session="none", binding="none", digest=bytes(32), assertion=NOBODY),
    door.RejectBinding(session="none", binding="none", reason="x"),
    door.EndBinding(session="none", binding="none", reason="x"),
]
DOOR_CHALLENGE = door.CertificateChallenge
DOOR_QUESTIONS: list[ops.Operation] = [door.ShowBinding(session="none", binding="none")]
"""Asked of the signer by somebody without a session: tests/unit/ca/test_handlers.py walks them with all others."""


def test_a_certificate_is_bound_by_two_lets_in_and_is_unbound(bank: Bank) -> None:
    signer, certificate = BankSigner(bank), bank.active(profile="officer")
    maria = bank[MARIA].officer
    first, second = bank.session(SECURITY), bank.session(SECOND_SECURITY)
    asked = {"officer": maria.id, "serial": f"0x{certificate.serial:X}", "reason": "a U-Shield"}
    other = signer.call(door.ProposeBinding(session=first, **asked))["binding"]
    binding = signer.call(door.ProposeBinding(session=first, **asked))["binding"]

    assert signer.call(door.RejectBinding(session=first, binding=other, reason="twice")) == {"state": "rejected"}
    shown = signer.call(door.ShowBinding(session=second, binding=binding))
    assert (shown["state"], shown["flaw"], shown["may_approve"], shown["yours"]) == ("proposed", "", True, False)
    approved = door.ApproveBinding(
        session=second,
        binding=binding,
        digest=b64(shown["digest"]),
        assertion=message(bank[SECOND_SECURITY].passkey.sign(b64(shown["challenge"]))),
    )
    assert signer.call(approved) == {"officer": maria.id}
    challenge = b64(signer.call(door.CertificateChallenge())["challenge"])
    given = {"certificate": certificate.der, "voucher": vouch(bank, challenge, certificate.der)}
    entered = signer.call(door.SignInByCertificate(challenge=challenge, source="192.0.2.7", **given))
    assert entered["officer"]["person"] == MARIA
    assert signer.call(ops.WhoAmI(session=entered["token"]))["officer"]["id"] == maria.id
    ended = door.EndBinding(session=entered["token"], binding=binding, reason="lost")
    assert signer.call(ended) == {"state": "ended"}
