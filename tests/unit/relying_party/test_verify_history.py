"""relying_party/verify_history.py against what the CA tells: nothing but what the signed log has passes."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ca.domain.revocation import RevocationReason
from ca.telling import as_json
from ca.usecases.look_back import LookBack
from relying_party.verify_history import RefusedError, load_key, verify
from tests.architecture.sources import ROOT
from tests.fakes.bank import ISSUING, SUPERVISOR, Bank

HOUR = timedelta(hours=1)
Answer = dict[str, Any]


def told(bank: Bank, serial: int, at: datetime) -> Answer:
    """As it arrives."""
    found: Answer = json.loads(json.dumps(as_json(LookBack(bank.unit_of_work, bank.clock)(serial, at))))
    return found


class Past:
    """A certificate on hold, then revoked, with CRLs after each change."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.serial = bank.active().serial
        self.files: dict[str, dict[str, bytes]] = {}
        self.at = {"active": self.publish("active")}
        bank.change_status.hold(bank.session(SUPERVISOR), self.serial)
        self.at["held"] = self.publish("held")
        bank.change_status.revoke(bank.session(SUPERVISOR), self.serial, RevocationReason.KEY_COMPROMISE)
        self.at["revoked"] = self.publish("revoked")
        bank.checkpoint()

    def publish(self, name: str) -> datetime:
        self.bank.publish_crl(ISSUING)
        self.files[name] = dict(self.bank.publisher.crls)
        now = self.bank.clock.now()
        self.bank.clock.tick(HOUR)
        return now

    def answer(self, when: str) -> Answer:
        found: Answer = json.loads(
            json.dumps(as_json(LookBack(self.bank.unit_of_work, self.bank.clock)(self.serial, self.at[when])))
        )
        return found

    def verified(self, answer: Answer, when: str = "") -> list[tuple[bool, str]]:
        key = load_key(self.bank.trust.kept["audit.spki"])
        names = {crl["name"]: crl["sha256"] for crl in answer["crls"]}
        files = {names[name]: blob for name, blob in self.files.get(when, {}).items() if name in names}
        return list(verify(key, answer, files))


@pytest.fixture
def past() -> Past:
    return Past(Bank())


@pytest.mark.parametrize(
    ("when", "ocsp", "says"),
    [("active", "good", "not listed"), ("held", "certificateHold", "listed"), ("revoked", "keyCompromise", "listed")],
)
def test_what_the_log_has_is_proven_with_and_without_the_files(past: Past, when: str, ocsp: str, says: str) -> None:
    answer = past.answer(when)
    proven = past.verified(answer, when)
    assert all(is_proven for is_proven, _ in proven)
    assert [ocsp in proven[0][1], said_of(proven, "in the file"), len(proven)] == [True, 2, 3]
    assert said_of(past.verified(answer), "by the log") == 2
    assert answer["crls"][0]["says"] == says


def said_of(proven: list[tuple[bool, str]], words: str) -> int:
    return sum(sentence.endswith(words) for _, sentence in proven)


def edit(path: str, value: object) -> Callable[[Answer], None]:
    def change(answer: Answer) -> None:
        *way, last = path.split(".")
        place: Any = answer
        for step in way:
            place = place[int(step)] if step.isdigit() else place[step]
        place[int(last) if last.isdigit() else last] = value

    return change


def said_in_event(before: str, after: str, place: int = 0) -> Callable[[Answer], None]:
    def change(answer: Answer) -> None:
        event = answer["proofs"][place]["event"]
        assert before in event
        answer["proofs"][place]["event"] = event.replace(before, after)

    return change


def swapped(answer: Answer) -> None:
    answer["proofs"][0], answer["proofs"][1] = (
        answer["proofs"][0] | {"checkpoint": answer["proofs"][1]["checkpoint"] | {"number": 1}},
        answer["proofs"][1],
    )


FORGERIES = [
    edit("format", "vermilion history v2"),
    edit("ocsp.status", "good"),
    edit("ocsp.reason", "superseded"),
    edit("ocsp.revoked_at", "2027-01-01T00:00:00Z"),
    edit("serial", "a1"),
    edit("changed_at", "2026-11-23T00:00:00Z"),
    edit("at", "2026-11-20T00:00:00Z"),
    edit("crls.0.sha256", "00" * 32),
    edit("crls.0.number", 7),
    edit("crls.0.next_update", "2030-01-01T00:00:00Z"),
    edit("crls.0.published_at", "2026-11-20T00:00:00Z"),
    edit("crls.0.name", "issuing-p1"),
    edit("crls.0.says", "not listed"),
    edit("crls.0.reason", "superseded"),
    said_in_event("keyCompromise", "superseded"),
    said_in_event("certificate.revoked", "certificate.released"),
    said_in_event('"number":"', '"number":"1', 1),
    edit("proofs.0.untold", "00" * 32),
    edit("proofs.0.untold", "00"),
    edit("proofs.0.previous", "00" * 32),
    edit("proofs.0.behind.0", "00" * 32),
    edit("proofs.0.behind.0", "00"),
    edit("proofs.0.checkpoint.hash", "00" * 32),
    edit("proofs.0.checkpoint.number", 1),
    edit("proofs.0.checkpoint.at", "2026-01-01T00:00:00Z"),
    edit("proofs.0.checkpoint.signature", "3000"),
    swapped,
]


@pytest.mark.parametrize("forge", FORGERIES, ids=map(str, range(len(FORGERIES))))
def test_whatever_else_is_said_is_refused_or_not_proven(past: Past, forge: Callable[[Answer], None]) -> None:
    answer = past.answer("revoked")
    forge(answer)
    try:
        proven = past.verified(answer, "revoked")
    except RefusedError:
        return
    assert not all(is_proven for is_proven, _ in proven)


def test_another_key_proves_nothing(past: Past) -> None:
    other = load_key(past.bank.key_store.public_key(next(iter(past.bank.key_store._keys))))
    with pytest.raises(RefusedError, match="not signed"):
        list(verify(other, past.answer("held"), {}))


def test_an_earlier_answer_is_no_answer_about_later(past: Past) -> None:
    early, late = past.answer("held"), past.answer("revoked")
    early["at"] = late["at"]
    # The hold did happen before; that nothing came after it the log alone cannot show, but the CRL's file does.
    forged = copy.deepcopy(late)
    forged["ocsp"], forged["changed_at"] = early["ocsp"], early["changed_at"]
    with pytest.raises(RefusedError):
        past.verified(forged, "revoked")


def test_a_serial_that_nobody_issued_is_not_proven(past: Past) -> None:
    answer = told(past.bank, 0xDEAD, past.at["held"])
    ((is_proven, sentence),) = past.verified(answer)
    assert not is_proven
    assert "cannot be proven" in sentence


def test_the_script_stands_alone(past: Past, tmp_path: Path) -> None:
    (tmp_path / "audit.spki").write_bytes(past.bank.trust.kept["audit.spki"])
    (tmp_path / "issuing.crl").write_bytes(past.files["held"][ISSUING])
    (tmp_path / "junk.json").write_text('{"format": "vermilion history v1", "proofs": [{}]}')
    answer = past.answer("held")
    (tmp_path / "good.json").write_text(json.dumps(answer))
    (tmp_path / "bad.json").write_text(json.dumps(answer | {"ocsp": answer["ocsp"] | {"status": "good"}}))
    (tmp_path / "bare.json").write_text(json.dumps(answer | {"proofs": []}))

    def run(*more: str) -> tuple[int, str]:
        argv = [sys.executable, "-I", ROOT / "relying_party" / "verify_history.py", "--key", "audit.spki", *more]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    code, said = run("good.json", "--crl", "issuing.crl")
    assert (code, said.count("proven  "), "in the file" in said) == (0, 3, True)
    assert run("bad.json")[0] == 3
    assert run("bare.json")[0] == 1
    assert run("junk.json") == (3, "refused: the answer is not as docs/protocols/history.md has it\n")
    assert run("missing.json")[0] == 2
    assert run("good.json", "--key", "good.json")[0] == 3
