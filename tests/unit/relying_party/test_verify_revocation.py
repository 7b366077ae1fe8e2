"""relying_party/verify_dossier.py on an end that two officers decided: each lie about it is named, signed or not."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ca.domain import der
from ca.domain.canonical import digest
from ca.domain.certificates import Certificate
from ca.domain.decisions import Act, Decision
from ca.ports import KeyId
from ca.usecases.compose_dossier import Files
from relying_party import verify_dossier as verifier
from tests.fakes.bank import HOTLINE, ISSUING, PAVEL, SUPERVISOR, Bank
from tests.fakes.dispute import Dispute, lie_in
from tests.fakes.revoking import approve, propose

NAME = "revocation.json"


class EndedByTwo(Dispute):
    """One certificate whose end two officers decided, and another one like it."""

    def __init__(self) -> None:
        super().__init__()
        self.bank.amend("personal-signing", revocation_by_two=True)
        ended, another = self._ended(), self._ended()
        self.bank.clock.tick(timedelta(minutes=1))
        self.bank.publish_crl(ISSUING)
        self.serial = ended.serial
        self.one_alone = self.files
        self.files, self.other = self.compose(ended.serial), self.compose(another.serial)

    def _ended(self) -> Certificate:
        bank = self.bank
        certificate = bank.active()
        bank.clock.tick(timedelta(hours=2))
        case = propose(bank, certificate, invalid_since=bank.clock.now() - timedelta(hours=1))
        bank.clock.tick(timedelta(hours=1))
        return approve(bank, case)

    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.files[NAME])
        return found


@pytest.fixture(scope="module")
def dispute() -> EndedByTwo:
    return EndedByTwo()


def test_an_end_by_two_is_proven_and_both_are_named(dispute: EndedByTwo) -> None:
    lines = dispute.lines(dispute.files)

    case = dispute.told()["case"]
    assert f"its end: proposed by {PAVEL} at {case['proposed_at']}" in lines
    assert any(line.startswith(f"its end: approved by {SUPERVISOR} with a passkey at ") for line in lines)
    assert any("revoked, cessationOfOperation" in line for line in lines)
    assert case["invalid_since"]


def test_what_was_on_hold_before_and_was_rejected_once_is_proven_too(dispute: EndedByTwo) -> None:
    bank = dispute.bank
    certificate = bank.active()
    bank.change_status.hold(bank.session(HOTLINE), certificate.serial)
    bank.clock.tick(timedelta(hours=1))
    rejected = propose(bank, certificate)
    bank.revoking.reject(bank.session(SUPERVISOR), rejected.id, reason="ask the customer first")
    bank.clock.tick(timedelta(hours=1))
    approve(bank, propose(bank, certificate))

    files = dispute.compose(certificate.serial)

    assert any(line.startswith("its end: approved by") for line in dispute.lines(files))
    names = [json.loads(line).get("event", {}).get("name") for line in files["events.jsonl"].splitlines()]
    assert "revocation.rejected" in names


def test_where_one_officer_was_enough_nothing_is_said_of_a_second(dispute: EndedByTwo) -> None:
    assert NAME not in dispute.one_alone
    assert not any("its end" in line for line in dispute.lines(dispute.one_alone))


def test_a_changed_byte_is_named(dispute: EndedByTwo) -> None:
    with pytest.raises(verifier.RefusedError, match=r"revocation\.json is not as the manifest says"):
        dispute.lines(dispute.files | {NAME: dispute.files[NAME] + b" "})


def _case(**changes: Any) -> Callable[[Files, Files], Files]:
    return lie_in(NAME, lambda told: told["case"].update(changes))


def _decision(**changes: Any) -> Callable[[Files, Files], Files]:
    return lie_in(NAME, lambda told: told["approvals"][0].update(changes))


def _file(**changes: Any) -> Callable[[Files, Files], Files]:
    return lie_in(NAME, lambda told: told.update(changes))


def _without(files: Files, _other: Files) -> Files:
    return {name: files[name] for name in files if name != NAME}


def _of_the_other(files: Files, other: Files) -> Files:
    return files | {NAME: other[NAME]}


NOBODY, SOMETHING_ELSE = "nobody approved the case in it", "is about something else"
LIES: list[tuple[str, Callable[[Files, Files], Files]]] = [
    ("revocation.json is missing", _without),
    (NOBODY, _case(serial="ab")),
    (NOBODY, _case(reason="superseded")),
    (NOBODY, _case(invalid_since="")),
    (NOBODY, _case(why="another")),
    (NOBODY, _case(proposed_by="E9")),
    (NOBODY, _case(held_since="2020-01-01T00:00:00Z")),
    (NOBODY, _file(approvals=[])),
    (NOBODY, _decision(act="approve-application")),
    (NOBODY, _decision(subject="another")),
    (NOBODY, _decision(subject_digest="00" * 32)),
    (SOMETHING_ELSE, _decision(person="E9")),
    (SOMETHING_ELSE, _decision(officer="officer-E9")),
    ("is not signed by the passkey", _decision(signature="00")),
    ("stands otherwise", _file(state="rejected")),
    ("stands otherwise", _file(decided_by=PAVEL)),
    ("stands otherwise", _file(case_sha256="00" * 32)),
    ("the log knows no revocation.approved", _file(decided_at="2020-01-01T00:00:00Z")),
    ("is about another certificate", _of_the_other),
]


@pytest.mark.parametrize(("sentence", "lie"), LIES, ids=map(str, range(len(LIES))))
def test_each_lie_is_named_even_when_the_bank_signs_it(
    dispute: EndedByTwo, sentence: str, lie: Callable[[Files, Files], Files]
) -> None:
    files = dispute.signed_again(lie(dispute.files, dispute.other))

    with pytest.raises(verifier.RefusedError, match=sentence):
        dispute.lines(files)


def test_a_case_where_none_was_decided_is_refused(dispute: EndedByTwo) -> None:
    files = dispute.signed_again(dispute.one_alone | {NAME: dispute.files[NAME]})

    with pytest.raises(verifier.RefusedError, match="or the log knows none"):
        dispute.lines(files)


# Lies with a passkey's own signature over them, as an officer and a bank together could make


def _signed_case(bank: Bank, told: dict[str, Any], person: str, **changes: Any) -> dict[str, Any]:
    case = told["case"] | changes
    covered = digest("vermilion revocation case v1", case)
    officer, passkey = bank[person].officer, bank[person].passkey
    decision = Decision(Act.APPROVE_REVOCATION, case["id"], covered, officer.id, person)
    assertion = passkey.sign(decision.challenge())
    approval = told["approvals"][0] | {
        "subject_digest": covered.hex(), "officer": officer.id, "person": person,
        "public_key": passkey.public_key.hex(), "credential_id": assertion.credential_id.hex(),
        "client_data": assertion.client_data.hex(), "authenticator_data": assertion.authenticator_data.hex(),
        "signature": assertion.signature.hex(),
    }  # fmt: skip
    return told | {"case": case, "case_sha256": covered.hex(), "decided_by": person, "approvals": [approval]}


@pytest.mark.parametrize(
    ("sentence", "person", "changes"),
    [
        ("who proposed the revocation approved it", PAVEL, {}),
        ("who proposed the revocation approved it", SUPERVISOR, {"proposed_by": SUPERVISOR}),
        ("is about another certificate", SUPERVISOR, {"serial": "ab"}),
        ("another reason", SUPERVISOR, {"reason": "superseded"}),
        ("another invalidity date", SUPERVISOR, {"invalid_since": ""}),
        ("another invalidity date", SUPERVISOR, {"invalid_since": "2020-01-01T00:00:00Z"}),
        ("does not know the hold", SUPERVISOR, {"held_since": "2020-01-01T00:00:00Z"}),
        ("the log knows no revocation.proposed", SUPERVISOR, {"why": "another"}),
        ("the log knows no revocation.proposed", SUPERVISOR, {"proposed_by": "E9"}),
        ("the log knows no revocation.approved", SUPERVISOR, {"subject": "CN=somebody else"}),
    ],
)
def test_what_a_passkey_signed_must_be_what_the_log_tells(
    dispute: EndedByTwo, sentence: str, person: str, changes: dict[str, Any]
) -> None:
    told = _signed_case(dispute.bank, dispute.told(), person, **changes)
    files = dispute.signed_again(dispute.files | {NAME: json.dumps(told).encode()})

    with pytest.raises(verifier.RefusedError, match=sentence):
        dispute.lines(files)


def test_a_list_with_another_invalidity_date_is_named(dispute: EndedByTwo) -> None:
    """As when the list was made from rows that somebody changed."""
    with dispute.bank.unit_of_work() as work:
        issuer = work.issuers.get(ISSUING)
    said = "".join(each for each in dispute.told()["case"]["invalid_since"] if each not in "-:T").encode()
    tbs, algorithm, _signature = der.parse_sequence(dispute.files["issuing.crl"], "the list")
    changed = tbs.der.replace(said, b"20200101000000Z")
    assert changed != tbs.der
    signature = dispute.bank.key_store.sign(KeyId(issuer.key_id), changed)
    crl = der.sequence(changed, algorithm.der, der.bit_string(signature))
    files = dispute.signed_again(dispute.files | {"issuing.crl": crl})

    with pytest.raises(verifier.RefusedError, match=r"issuing\.crl names another invalidity date"):
        dispute.lines(files)
