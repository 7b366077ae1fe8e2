"""relying_party/verify_dossier.py, run as a court runs it: what is whole is proven, each part that is not is named."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ca.domain import audit
from ca.domain.audit import GENESIS
from ca.domain.batches import BatchLine
from ca.domain.dossiers import MANIFEST, PROGRAMS, SIGNATURE
from ca.domain.excerpts import excerpt
from ca.usecases.compose_dossier import Files
from relying_party import verify_dossier as verifier
from relying_party import verify_log
from tests.architecture.sources import ROOT
from tests.drafts import BORN, a_request
from tests.fakes.bank import ISSUING, MARIA, PAVEL, Bank, new_key, request_like
from tests.fakes.company import Company
from tests.fakes.dispute import Dispute, lie_in


@pytest.fixture(scope="module")
def dispute() -> Dispute:
    return Dispute()


def run(tmp_path: Path, key: bytes, name: str, content: bytes, programs: Files | None = None) -> tuple[int, str, str]:
    """In a process of its own, with nothing of ours beside it."""
    program = tmp_path / "verify.py"
    for copy, source in PROGRAMS.items():
        (tmp_path / copy).write_bytes((programs or {}).get(copy) or (ROOT / "relying_party" / source).read_bytes())
    (tmp_path / "audit.spki").write_bytes(key)
    (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-Es", str(program), "--key", str(tmp_path / "audit.spki"), str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    return done.returncode, done.stdout, done.stderr


def zipped(files: Files) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as bundle:
        for name, content in files.items():
            bundle.writestr(name, content)
    return sink.getvalue()


def test_a_whole_dossier_is_proven_by_the_script_that_is_in_it(dispute: Dispute, tmp_path: Path) -> None:
    code, told, wrong = run(tmp_path, dispute.key, "d.zip", zipped(dispute.files), dispute.files)

    assert (code, wrong) == (0, "")
    assert "approved by E1002 with a passkey" in told
    assert f"the tool says of it: {BORN}" in told
    assert "issuing.crl" in told
    assert told.count("active") == 2
    assert "revoked, keyCompromise" in told
    assert all(line.startswith("proven  ") for line in told.splitlines())


def test_a_renewed_certificate_rests_on_the_approval_of_its_case(dispute: Dispute) -> None:
    bank = dispute.bank
    first = bank.active(profile="machine")
    renewed = bank.re_enrol(first.der, request_like(first.der, new_key()))

    told = dispute.lines(dispute.compose(renewed.serial))

    assert any(f"certificate {renewed.serial:x}: as approved" in line for line in told)


def test_an_operators_certificate_is_proven_like_any_other(dispute: Dispute) -> None:
    operator = Company(dispute.bank).operator()

    told = dispute.lines(dispute.compose(operator.serial))

    assert any("company administrator of Harbour Trading Ltd" in line for line in told)


@pytest.fixture(scope="module")
def of_batch(dispute: Dispute) -> Files:
    """Of a certificate whose case was approved by one signature over a list."""
    bank = dispute.bank
    bank.customer(number="C100", name="Acme", kind="company")
    lines = [BatchLine(f"C100-{one}", f"Wang {one}", f"ID-{one}", device_serial=bank.device()) for one in range(3)]
    entered = bank.submit_batch(
        bank.session(MARIA), company="C100", profile="corporate-operator", lines=lines, apply=True
    )
    assert entered.batch is not None
    view = bank.decide_on_batch.show(bank.session(PAVEL), entered.batch.id)
    assertion = bank[PAVEL].passkey.sign(view.challenge)
    bank.decide_on_batch.approve(
        bank.session(PAVEL), entered.batch.id, batch_digest=view.batch.digest(), assertion=assertion
    )
    application, _digest = entered.batch.cases[1]
    key = new_key()
    certificate = bank.confirmed(bank.download(bank.codes(application), a_request(key)), key)
    return dispute.compose(certificate.serial)


def test_what_was_approved_with_a_batch_is_proven_by_the_list(dispute: Dispute, of_batch: Files) -> None:
    assert any("approved by E1002 with a passkey" in line for line in dispute.lines(of_batch))


@pytest.mark.parametrize("change", [{"cases": []}, {"maker_person": "E9"}, {"company": "another"}])
def test_another_list_than_the_one_that_was_signed_is_refused(
    dispute: Dispute, of_batch: Files, change: dict[str, Any]
) -> None:
    batch = json.loads(of_batch["batch.json"]) | change
    files = dispute.signed_again(of_batch | {"batch.json": json.dumps(batch).encode()})

    with pytest.raises(verifier.RefusedError, match="nobody approved the case"):
        dispute.lines(files)


def test_what_has_expired_is_not_missed_in_a_list() -> None:
    dispute = Dispute()
    bank = dispute.bank
    certificate = bank.active()
    bank.revoked(certificate)
    bank.clock.tick(certificate.not_after - bank.clock.now() + timedelta(days=1))
    bank.publish_crl(ISSUING)
    bank.responder(ISSUING)
    bank.publish_crl(ISSUING)

    told = dispute.lines(dispute.compose(certificate.serial))

    assert any("revoked, keyCompromise" in line for line in told)


def test_an_unpacked_dossier_is_proven_too(dispute: Dispute, tmp_path: Path) -> None:
    place = tmp_path / "unpacked"
    place.mkdir()
    for name, content in dispute.good.items():
        (place / name).write_bytes(content)

    assert verifier.read_files(place) == dispute.good
    assert any("OCSP" in line and "good" in line for line in dispute.lines(dispute.good))


PARTS = (
    "README.txt", "application.json", "approvals.json", "certificate.cer", "certificate.json", "events.jsonl",
    "identity.json", "issuer.cer", "issuing-delta.crl", "issuing.crl", "ocsp.der", "request.p10", "root.cer",
    "status.json", "verify.py", "verify_log.py",
)  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_each_part_that_was_changed_is_named(dispute: Dispute, tmp_path: Path, name: str) -> None:
    changed = dispute.files | {name: dispute.files[name] + b" "}

    code, told, wrong = run(tmp_path, dispute.key, "d.zip", zipped(changed))

    assert (code, told) == (3, "")
    assert wrong == f"refused: {name} is not as the manifest says\n"


def test_a_part_that_is_gone_or_was_put_in_is_named(dispute: Dispute) -> None:
    gone = {name: content for name, content in dispute.files.items() if name != "ocsp.der"}
    for files, sentence in ((gone, "ocsp.der is missing"), (dispute.files | {"x": b""}, "x is not in the manifest")):
        with pytest.raises(verifier.RefusedError, match=sentence):
            dispute.lines(files)


@pytest.mark.parametrize("name", [MANIFEST, SIGNATURE])
def test_what_the_bank_did_not_sign_is_refused(dispute: Dispute, tmp_path: Path, name: str) -> None:
    changed = dispute.files | {name: dispute.other[name]}

    code, _, wrong = run(tmp_path, dispute.key, "d.zip", zipped(changed))

    assert (code, wrong) == (3, "refused: manifest.json is not signed with the audit key\n")


def test_another_banks_key_proves_nothing(dispute: Dispute) -> None:
    with pytest.raises(verifier.RefusedError, match="not signed with the audit key"):
        list(verifier.verify_dossier(verifier.load_key(Bank().trust.kept["audit.spki"]), dispute.files))


# What only the files can tell, when somebody signs lies


def _swap(*names: str) -> Callable[[Files, Files], Files]:
    return lambda files, other: files | {name: other[name] for name in names}


def _events(change: Callable[[list[dict[str, Any]]], None]) -> Callable[[Files, Files], Files]:
    def changed(files: Files, _other: Files) -> Files:
        lines = [json.loads(line) for line in files["events.jsonl"].splitlines()]
        change(lines)
        return files | {"events.jsonl": "\n".join(map(json.dumps, lines)).encode()}

    return changed


def _request(files: Files, request: bytes) -> Files:
    """Another request with the digest that goes with it."""
    told = json.loads(files["certificate.json"]) | {"request_sha256": hashlib.sha256(request).hexdigest()}
    return files | {"request.p10": request, "certificate.json": json.dumps(told).encode()}


def _first(lines: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(line for line in lines if kind in line)


def _drop(name: str) -> Callable[[list[dict[str, Any]]], None]:
    """An event with its way to the checkpoint, as if it had never been."""

    def drop(lines: list[dict[str, Any]]) -> None:
        starts = [at for at, line in enumerate(lines) if "format" in line] + [len(lines)]
        for begin, end in reversed(list(pairwise(starts))):
            if lines[begin + 1]["event"]["name"] == name:
                del lines[begin:end]

    return drop


LIES: list[tuple[str, Callable[[Files, Files], Files]]] = [
    ("approvals.json: nobody approved", lie_in("application.json", lambda told: told["case"].update(branch="x"))),
    ("approvals.json: nobody approved", lie_in("approvals.json", lambda told: told.clear())),
    ("approvals.json: nobody approved", _swap("approvals.json")),
    ("is about something else", lie_in("approvals.json", lambda told: told[0].update(person="E9"))),
    ("is not signed by the passkey", lie_in("approvals.json", lambda told: told[0].update(
        authenticator_data=told[0]["authenticator_data"][:-2] + "01"))),
    ("was not verified", lie_in("approvals.json", lambda told: told[0].update(
        authenticator_data=told[0]["authenticator_data"][:64] + "01" + told[0]["authenticator_data"][66:]))),
    ("identity.json is another", _swap("identity.json")),
    ("certificate.json is about another", _swap("certificate.cer", "certificate.json")),
    ("certificate.json is about another", _swap("certificate.cer")),
    ("certificate.json: what was recorded", lie_in("certificate.json", lambda told: told.update(tbs_sha256="00" * 32))),
    ("certificate.json names another U", lie_in("certificate.json", lambda told: told.update(device_serial="US0"))),
    ("application.json is another", lie_in("certificate.json", lambda told: told.update(application="x"))),
    ("certificate.json: its life", lie_in("certificate.json", lambda told: told["statuses"].pop())),
    ("request.p10 does not match its digest", _swap("request.p10")),
    ("request.p10 does not match its digest", lambda files, other: _request(files, other["request.p10"])),
    ("request.p10 is missing", lambda files, _: {name: files[name] for name in files if name != "request.p10"}),
    ("certificate.cer is not signed", lambda files, _: files | {"issuer.cer": files["root.cer"]}),
    ("issuer.cer is not signed", lambda files, _: files | {"root.cer": files["issuer.cer"]}),
    ("status.json contradicts", lie_in("status.json", lambda told: told["ocsp"].update(status="good"))),
    ("ocsp.der contradicts", _swap("ocsp.der")),
    ("the log does not know the approval", _events(_drop("application.approved"))),
    ("the log does not know that this key", _events(_drop("certificate.intended"))),
    ("event [0-9]+ is not as the log", _events(lambda lines: _first(lines, "event")["event"].update(actor="E9"))),
    ("do not lead to the checkpoint", _events(lambda lines: _first(lines, "behind").update(behind="00" * 32))),
    ("is not signed with the audit key", _events(lambda lines: _first(lines, "checkpoint")["checkpoint"].update(
        at="2020-01-01T00:00:00Z"))),
    ("not under a checkpoint", _events(lambda lines: lines.remove(_first(lines, "checkpoint")))),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "lie"), LIES, ids=map(str, range(len(LIES))))
def test_lies_contradict_one_another_even_when_they_are_signed(
    dispute: Dispute, sentence: str, lie: Callable[[Files, Files], Files]
) -> None:
    files = dispute.signed_again(lie(dispute.files, dispute.other))

    with pytest.raises(verifier.RefusedError, match=sentence):
        dispute.lines(files)


def test_an_old_list_is_told_and_contradicts_nothing_but_a_newer_one_does(dispute: Dispute) -> None:
    older = dispute.signed_again(dispute.good | {"issuing.crl": dispute.files["issuing.crl"]})
    with pytest.raises(verifier.RefusedError, match=r"issuing\.crl contradicts the log"):
        dispute.lines(older)


def test_what_is_no_dossier_is_refused_in_words(dispute: Dispute, tmp_path: Path) -> None:
    code, _, wrong = run(tmp_path, dispute.key, "d.zip", b"PK\x03\x04 nothing")
    assert code == 3
    assert wrong.startswith("refused: ")


# An excerpt of the log


@pytest.fixture
def log(dispute: Dispute) -> str:
    kept, checkpoints = dispute.bank.stored.audit, dispute.bank.stored.checkpoints
    number = checkpoints[-1].number
    plain = excerpt(GENESIS, kept[:20], kept[20:number], [checkpoints[-1]])
    return "".join(json.dumps(line) + "\n" for line in plain)


def test_an_excerpt_of_the_log_is_proven(dispute: Dispute, log: str, tmp_path: Path) -> None:
    assert run(tmp_path, dispute.key, "log.jsonl", log.encode()) == (0, "proven    20 events, 1 to 20\n", "")


def test_what_no_checkpoint_covers_is_named_and_not_proven(dispute: Dispute, tmp_path: Path) -> None:
    plain = "".join(json.dumps(line) + "\n" for line in excerpt(GENESIS, dispute.bank.stored.audit[:5], [], []))

    code, told, _ = run(tmp_path, dispute.key, "log.jsonl", plain.encode())

    assert (code, told.startswith("unproven  5 events")) == (1, True)


@pytest.mark.parametrize("change", ["actor", "subject", "name", "at", "salt", "hash"])
def test_an_event_that_was_altered_in_an_excerpt_is_named(
    dispute: Dispute, log: str, change: str, tmp_path: Path
) -> None:
    lines = [json.loads(line) for line in log.splitlines()]
    lines[8]["event"][change] = "00" if change in ("salt", "hash") else "x"

    code, _, wrong = run(tmp_path, dispute.key, "log.jsonl", "\n".join(map(json.dumps, lines)).encode())

    assert (code, wrong) == (3, "refused: event 8 is not as the log has it\n")


def test_an_event_that_is_missing_in_an_excerpt_is_noticed(dispute: Dispute, log: str, tmp_path: Path) -> None:
    lines = log.splitlines()
    del lines[8]
    code, _, wrong = run(tmp_path, dispute.key, "log.jsonl", "\n".join(lines).encode())
    assert (code, wrong) == (3, "refused: events 1 to 20 are not all there\n")


def test_the_verifier_knows_which_details_may_be_shown() -> None:
    assert verify_log.TOLD == audit._TOLD
