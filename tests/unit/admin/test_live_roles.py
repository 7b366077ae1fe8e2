"""The console over the signer's real use cases: a role taken away is gone at the very next request (THREATS 6, 45)."""

from dataclasses import replace

import pytest

from ca.usecases.authorize import token_hash
from tests.fakes.bank import BRANCH, MARIA, PAVEL, SECOND_SECURITY, SECURITY, Bank
from tests.fakes.bank_console import BankSigner


@pytest.fixture
def bank(app):
    bank = Bank()
    app.extensions["vermilion_signer"] = BankSigner(bank)
    return bank


@pytest.fixture
def maria(bank, visitor):
    """Maria's browser, with a running session."""
    visitor.client.set_cookie("vermilion_officer", bank.session(MARIA), path="/admin", secure=True)
    return visitor


def _move(bank, person, roles, branch=BRANCH):
    proposed = bank.move.propose(
        bank.session(SECURITY), f"officer-{person}", branch=branch, roles=roles, reason="another desk"
    )
    view = bank.move.show(bank.session(SECOND_SECURITY), proposed.id)
    assertion = bank[SECOND_SECURITY].passkey.sign(view.challenge)
    bank.move.approve(bank.session(SECOND_SECURITY), proposed.id, change_digest=proposed.digest(), assertion=assertion)


def _bring_back(bank, session):
    """Undo the session's end in the database, as somebody with a pen in it would."""
    kept, seal = bank.stored.sessions[token_hash(session)]
    bank.stored.sessions[token_hash(session)] = (replace(kept, ended=False), seal)


def test_a_running_session_ends_with_the_change(bank, maria):
    case = f"/admin/cases/{bank.submitted(maker=PAVEL)}"
    assert maria.get(case).status_code == 200

    _move(bank, MARIA, ["hotline"])

    assert maria.get(case).headers["Location"].startswith("/admin/sign-in")
    maria.client.set_cookie("vermilion_officer", bank.session(PAVEL), path="/admin", secure=True)
    assert maria.get(case).status_code == 200


def test_a_command_of_a_session_that_ended_is_refused_and_not_repeated(bank, maria):
    application = bank.submitted(maker=PAVEL)
    _move(bank, MARIA, ["ra-operator"])

    response = maria.post(f"/admin/cases/{application}/reject", {"reason": "no"})

    assert response.status_code == 401
    assert bank.state(application).value == "submitted"


def test_a_session_brought_back_opens_only_what_the_new_roles_open(bank, maria):
    application, session = bank.submitted(maker=PAVEL), bank.session(MARIA)
    _move(bank, MARIA, ["hotline"])
    _bring_back(bank, session)

    assert maria.get(f"/admin/cases/{application}").status_code == 403
    assert maria.post(f"/admin/cases/{application}/reject", {"reason": "no"}).status_code == 403
    assert bank.state(application).value == "submitted"


def test_a_session_brought_back_sees_the_new_branch_only(bank, maria):
    application, session = bank.submitted(maker=PAVEL), bank.session(MARIA)
    _move(bank, MARIA, ["ra-operator", "ra-approver"], branch="minhang")
    _bring_back(bank, session)

    assert maria.get(f"/admin/cases/{application}").status_code == 404
