"""ca/certificate_handlers.py: a revocation that a second officer decides, asked as the console asks."""

import base64

import pytest

from ca import operations as ops
from ca.certificate_operations import (
    ApproveRevocation,
    ExamineCertificate,
    ForeseeRevocation,
    RejectRevocation,
    ShowRevocation,
    UndoHold,
)
from ca.domain.decisions import Assertion
from ca.domain.serials import serial_text
from tests.fakes.bank import PAVEL, SUPERVISOR, Bank
from tests.fakes.bank_console import BankSigner


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def signer(bank: Bank) -> BankSigner:
    return BankSigner(bank)


def b64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def message(assertion: Assertion) -> ops.AssertionMessage:
    return ops.AssertionMessage(
        credential_id=assertion.credential_id,
        client_data=assertion.client_data,
        authenticator_data=assertion.authenticator_data,
        signature=assertion.signature,
    )


def test_a_revocation_by_two(signer: BankSigner, bank: Bank) -> None:
    bank.amend("personal-signing", revocation_by_two=True)
    serials = [serial_text(bank.active().serial) for _ in range(2)]
    maker, supervisor = bank.session(PAVEL), bank.session(SUPERVISOR)
    for serial in serials:
        assert signer.call(ForeseeRevocation(session=maker, serial=serial)) == {"by_two": True}
        asked = ops.Revoke(session=maker, serial=serial, reason="superseded", why="another one was bought")
        assert signer.call(asked) == {"serial": serial, "status": "on-hold"}
    first, second = bank.stored.revocation_cases
    shown = signer.call(ShowRevocation(session=supervisor, case=first))
    assert shown["fields"]["why"] == "another one was bought"
    assert (shown["state"], shown["status"], shown["may_approve"]) == ("proposed", "on-hold", True)
    assert (shown["late"], shown["changed"], shown["decided_by"], shown["decision_reason"]) == (False, False, "", "")
    assertion = message(bank[SUPERVISOR].passkey.sign(b64(shown["challenge"])))
    approve = ApproveRevocation(session=supervisor, case=first, digest=b64(shown["digest"]), assertion=assertion)
    assert signer.call(approve) == {"serial": serials[0], "status": "revoked"}
    assert signer.call(RejectRevocation(session=supervisor, case=second, reason="no")) == {"state": "rejected"}


NOBODY = ops.AssertionMessage(credential_id=b"n", client_data=b"{}", authenticator_data=b"a", signature=b"s")
CERTIFICATE_ACTS: list[ops.Operation] = [
    ops.Hold(session="none", serial="a1"),
    ops.Release(session="none", serial="a1"),
    ops.Revoke(session="none", serial="a1", reason="keyCompromise"),
    UndoHold(session="none", serial="a1"),
    ApproveRevocation(session="none", case="none", digest=bytes(32), assertion=NOBODY),
    RejectRevocation(session="none", case="none", reason="no"),
]
CERTIFICATE_QUESTIONS: list[ops.Operation] = [
    ExamineCertificate(session="none", serial="a1"),
    ForeseeRevocation(session="none", serial="a1"),
    ShowRevocation(session="none", case="none"),
]
