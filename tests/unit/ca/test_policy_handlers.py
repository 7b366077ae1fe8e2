"""ca/policy_handlers.py: a version of the policy over the socket, from the proposal to what pages are told."""

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from ca import policy_operations as policy
from ca.domain.errors import InvalidRequest
from ca.domain.policy import NUMBERS, USUAL
from ca.domain.times import timestamp
from ca.handlers import Handlers
from ca.operations import AssertionMessage, Operation
from tests.fakes.bank import ADMINISTRATOR, AUDITOR, SECOND_ADMINISTRATOR, Bank

HOUR = timedelta(hours=1)


@pytest.fixture
def bank() -> Bank:
    return Bank()


def ask(bank: Bank, operation: Operation) -> Mapping[str, Any]:
    kind = type(operation)
    return Handlers(bank.use_cases).table()[kind](kind.model_validate(operation.payload()))


def propose(bank: Bank, **numbers: str) -> str:
    operation = policy.ProposePolicy(
        session=bank.session(ADMINISTRATOR),
        numbers=USUAL.numbers() | numbers,
        effective_from=timestamp(bank.clock.now() + HOUR),
        reason="x",
    )
    version: str = ask(bank, operation)["version"]
    return version


def test_a_version_is_proposed_shown_approved_and_in_force(bank: Bank) -> None:
    version = propose(bank, hold_undo="5m")
    session = bank.session(SECOND_ADMINISTRATOR)
    shown = ask(bank, policy.ShowPolicyVersion(session=session, version=version))
    assert (shown["state"], shown["may_approve"], shown["changed"]) == ("proposed", True, ["hold_undo"])
    assert (shown["replaced"]["hold_undo"], shown["numbers"]["hold_undo"]) == ("10m", "5m")
    signed = bank[SECOND_ADMINISTRATOR].passkey.sign(base64.b64decode(shown["challenge"]))
    assertion = AssertionMessage(
        credential_id=signed.credential_id,
        client_data=signed.client_data,
        authenticator_data=signed.authenticator_data,
        signature=signed.signature,
    )
    digest = base64.b64decode(shown["digest"])
    approve = policy.ApprovePolicy(session=session, version=version, digest=digest, assertion=assertion)
    assert ask(bank, approve) == {"version": version, "state": "approved"}

    told = ask(bank, policy.ShowPolicy(session=bank.session(AUDITOR)))
    undo = next(one for one in told["numbers"] if one["name"] == "hold_undo")
    since = timestamp(bank.clock.now() + HOUR)
    assert (undo["value"], undo["since"], undo["coming"]) == ("10m", "", {"value": "5m", "since": since})
    assert (undo["least"], undo["most"], told["number"], told["number_of_next"]) == ("1m", "1h", 1, 3)
    bank.clock.tick(HOUR)
    told = ask(bank, policy.ShowPolicy(session=bank.session(AUDITOR)))
    undo = next(one for one in told["numbers"] if one["name"] == "hold_undo")
    assert (undo["value"], undo["since"], undo["decided_by"], undo["version"]) == (
        "5m",
        since,
        SECOND_ADMINISTRATOR,
        version,
    )
    assert ask(bank, policy.PolicyInForce())["numbers"]["hold_undo"] == "5m"


def test_what_waits_is_told_and_can_be_rejected(bank: Bank) -> None:
    version = propose(bank, letter_life="1d")
    told = ask(bank, policy.ShowPolicy(session=bank.session(AUDITOR)))
    assert (told["waiting"], [one["state"] for one in told["versions"]]) == (version, ["proposed"])
    rejected = policy.RejectPolicy(session=bank.session(ADMINISTRATOR), version=version, reason="no")
    assert ask(bank, rejected) == {"version": version, "state": "rejected"}


@pytest.mark.parametrize("left_out", NUMBERS)
def test_a_proposal_says_every_number(bank: Bank, left_out: str) -> None:
    with pytest.raises(InvalidRequest, match=left_out):
        propose(bank, **{left_out: ""})


def test_a_line_break_smuggles_no_number_in(bank: Bank) -> None:
    with pytest.raises(InvalidRequest):
        propose(bank, hold_undo="5m\nversion = 9")
