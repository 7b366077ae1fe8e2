"""Somebody writes into the database behind the signer's back: the signer believes none of it (DESIGN invariant 2)."""

import base64
import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ca import case_operations as case_ops
from ca import operations as ops
from ca.demo.authenticator import SoftwareAuthenticator
from ca.demo.officers import CHECKER, MAKER, DemoOfficer
from ca.domain.applications import Case
from ca.domain.decisions import approval
from ca.domain.errors import PKIError
from ca.domain.officers import Officer, OfficerState, TrustedRole
from tests.integration.system.clients import ask_ocsp, enroll, issue, issuing_pem, new_request, serial_of
from tests.integration.system.running import Demo, run, wait_for

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.openssl, pytest.mark.curl]


def submit(demo: Demo) -> str:
    """An application that nobody approved."""
    number = f"{secrets.randbelow(10**10):010d}"
    maker = demo.maker
    customer = maker.call(
        ops.RegisterCustomer, kind="system", number=f"D{number}", name="A system", document_number=number, email=""
    )["customer"]
    application: str = maker.call(
        case_ops.SubmitApplication,
        customer=customer,
        profile="machine",
        device_serial="",
        host_names=[f"host-{number}.demo.example"],
    )["application"]
    return application


def hand_out(demo: Demo, application: str) -> Mapping[str, Any]:
    return demo.maker.call(ops.HandOutCodes, application=application)


def require_nothing_issued(demo: Demo, directory: Path, codes: Mapping[str, Any], application: str) -> None:
    new_request(directory)
    answer = enroll(demo, directory, codes)
    assert answer.status in {401, 403, 409}, answer
    assert demo.rows("SELECT serial FROM intents WHERE application = ?", application) == []
    assert demo.rows("SELECT serial FROM certificates WHERE application = ?", application) == []


def put_into_state(demo: Demo, application: str, state: str) -> None:
    assert demo.write("UPDATE applications SET state = ? WHERE id = ?", state, application) == 1


def officer_id(demo: Demo, person: str) -> str:
    ((found,),) = demo.rows("SELECT id FROM officers WHERE person = ?", person)
    return str(found)


def test_an_approval_without_evidence_opens_nothing(victim: Demo, tmp_path: Path) -> None:
    application = submit(victim)
    put_into_state(victim, application, "approved")

    try:
        codes = hand_out(victim, application)
    except PKIError:
        return
    require_nothing_issued(victim, tmp_path, codes, application)


def test_the_evidence_of_another_case_approves_nothing(victim: Demo, tmp_path: Path) -> None:
    approved, application = submit(victim), submit(victim)
    victim.checker.approve(approved)
    ((digest,),) = victim.rows("SELECT subject_digest FROM evidence WHERE application = ?", approved)
    own = hashlib.sha256(b"whatever").digest()
    for subject, claimed in ((approved, digest), (application, own)):
        victim.write(
            "INSERT INTO evidence (application, subject, subject_digest, act, officer, person, credential_id,"
            " client_data, authenticator_data, signature, public_key, at)"
            " SELECT ?, ?, ?, act, officer, person, credential_id,"
            " client_data, authenticator_data, signature, public_key, at FROM evidence WHERE application = ?",
            *(application, subject, claimed, approved),
        )
    put_into_state(victim, application, "approved")

    try:
        codes = hand_out(victim, application)
    except PKIError:
        return
    require_nothing_issued(victim, tmp_path, codes, application)


def test_makers_cannot_approve_their_own_case_by_their_own_row(victim: Demo, tmp_path: Path) -> None:
    application = submit(victim)
    maker = Officer(
        id=officer_id(victim, MAKER),
        person=MAKER,
        name="",
        branch="",
        roles=frozenset({TrustedRole.RA_APPROVER}),
        state=OfficerState.ACTIVE,
        credentials=(),
    )
    decision = approval(read_case(victim, application), maker)
    signed = SoftwareAuthenticator.load(victim.state / "demo" / f"{MAKER}.json").sign(decision.challenge())
    victim.write(
        "INSERT INTO evidence (application, act, subject, subject_digest, officer, person, credential_id,"
        " client_data, authenticator_data, signature, public_key, at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        *(application, decision.act.value, decision.subject, decision.subject_digest, decision.officer),
        *(decision.person, signed.credential_id, signed.client_data, signed.authenticator_data, signed.signature),
        *(b"", int(time.time())),
    )
    put_into_state(victim, application, "approved")

    try:
        codes = hand_out(victim, application)
    except PKIError:
        return
    require_nothing_issued(victim, tmp_path, codes, application)


def read_case(demo: Demo, application: str) -> Case:
    from ca.adapters.db.mapping.applications import to_application
    from ca.adapters.db.rows import ApplicationRow

    ((case_json, seal),) = demo.rows("SELECT case_json, seal FROM applications WHERE id = ?", application)
    row = ApplicationRow(id=application, case_json=case_json, seal=seal, state="submitted", reason="", updated_at=None)
    return to_application(row).case


def test_makers_cannot_approve_their_own_case_by_the_signer_either(victim: Demo) -> None:
    application = submit(victim)

    with pytest.raises(PKIError, match="another officer must"):
        victim.maker.approve(application)


def test_a_case_edited_after_its_approval_is_not_issued(victim: Demo, tmp_path: Path) -> None:
    application = submit(victim)
    victim.checker.approve(application)
    codes = hand_out(victim, application)
    ((text,),) = victim.rows("SELECT case_json FROM applications WHERE id = ?", application)
    edited = json.dumps(json.loads(text) | {"alternative_names": [["dns", "bank.example"]]})
    victim.write("UPDATE applications SET case_json = ? WHERE id = ?", edited, application)

    require_nothing_issued(victim, tmp_path, codes, application)


def test_a_case_swapped_for_another_approved_one_is_not_issued(victim: Demo, tmp_path: Path) -> None:
    application, other = submit(victim), submit(victim)
    for one in (application, other):
        victim.checker.approve(one)
    codes = hand_out(victim, application)
    victim.write(
        "UPDATE applications SET (case_json, seal) = (SELECT case_json, seal FROM applications WHERE id = ?)"
        " WHERE id = ?",
        *(other, application),
    )

    require_nothing_issued(victim, tmp_path, codes, application)


def test_an_officer_made_by_hand_cannot_sign_in(victim: Demo, tmp_path: Path) -> None:
    stranger = SoftwareAuthenticator.create(tmp_path / "stranger.json")
    fields = json.loads((tmp_path / "stranger.json").read_text())
    known = json.loads((victim.state / "demo" / f"{CHECKER}.json").read_text())
    (tmp_path / "stranger.json").write_text(json.dumps(fields | {k: known[k] for k in ("origin", "rp_id")}))
    stranger = SoftwareAuthenticator.load(tmp_path / "stranger.json")
    victim.write(
        "INSERT INTO officers (id, person, name, branch, roles, state, version, seal)"
        " SELECT 'made-by-hand', 'E9999', name, branch, roles, state, version, seal FROM officers WHERE person = ?",
        CHECKER,
    )
    victim.write(
        "INSERT INTO officer_credentials (credential_id, officer, position, public_key, label, sign_count)"
        " VALUES (?, 'made-by-hand', 0, ?, 'mine', 0)",
        *(stranger.credential_id, stranger._cose_key()),
    )

    with pytest.raises(PKIError):
        _ = DemoOfficer(victim.signer, stranger).session


def test_a_passkey_slipped_under_an_officers_name_opens_nothing(victim: Demo, tmp_path: Path) -> None:
    (tmp_path / "known.json").write_bytes((victim.state / "demo" / f"{CHECKER}.json").read_bytes())
    mine = SoftwareAuthenticator.create(tmp_path / "mine.json")
    known = json.loads((tmp_path / "known.json").read_text())
    fields = json.loads((tmp_path / "mine.json").read_text())
    (tmp_path / "mine.json").write_text(json.dumps(fields | {k: known[k] for k in ("origin", "rp_id")}))
    mine = SoftwareAuthenticator.load(tmp_path / "mine.json")
    added = (mine.credential_id, officer_id(victim, "E3001"), mine._cose_key())
    victim.write(
        "INSERT INTO officer_credentials (credential_id, officer, position, public_key, label, sign_count)"
        " VALUES (?, ?, 9, ?, 'mine', 0)",
        *added,
    )

    with pytest.raises(PKIError):
        _ = DemoOfficer(victim.signer, mine).session

    victim.write("DELETE FROM officer_credentials WHERE credential_id = ?", mine.credential_id)


def test_roles_written_into_an_officers_row_end_their_power(victim: Demo) -> None:
    ((before,),) = victim.rows("SELECT roles FROM officers WHERE person = 'E2001'")
    victim.write("UPDATE officers SET roles = 'ra-approver,ra-operator,ra-supervisor' WHERE person = 'E2001'")

    with pytest.raises(PKIError):
        victim.officers["E2001"].call(ops.WhoAmI)

    victim.write("UPDATE officers SET roles = ? WHERE person = 'E2001'", before)


def test_a_session_made_by_hand_is_nobodys(victim: Demo) -> None:
    assert victim.checker.session
    token = "a-token-of-my-own"
    victim.write(
        "INSERT INTO sessions (token_hash, officer, began_at, seen_at, ended, seal)"
        " SELECT ?, officer, began_at, seen_at, ended, seal FROM sessions ORDER BY began_at DESC LIMIT 1",
        hashlib.sha256(token.encode()).hexdigest(),
    )

    with pytest.raises(PKIError):
        victim.signer.call(ops.WhoAmI(session=token))


def test_codes_moved_to_another_case_open_nothing(victim: Demo, tmp_path: Path) -> None:
    mine, theirs = victim.codes("machine", 2)
    ((target,),) = victim.rows("SELECT application FROM code_pairs WHERE reference = ?", theirs["reference_number"])
    victim.write("UPDATE code_pairs SET application = ? WHERE reference = ?", target, mine["reference_number"])

    require_nothing_issued(victim, tmp_path, mine, target)


def test_codes_opened_again_by_hand_make_no_second_certificate(victim: Demo, tmp_path: Path) -> None:
    (codes,) = victim.codes("machine")
    issue(victim, tmp_path, codes)
    reference = codes["reference_number"]
    ((application,),) = victim.rows("SELECT application FROM code_pairs WHERE reference = ?", reference)
    victim.write("UPDATE code_pairs SET state = 'open', request = '', attempts_left = 5 WHERE reference = ?", reference)
    put_into_state(victim, application, "codes-issued")

    new_request(tmp_path, "second")
    answer = enroll(victim, tmp_path, codes, "second")

    assert answer.status != 200, answer
    assert len(victim.rows("SELECT serial FROM certificates WHERE application = ?", application)) == 1


def test_an_intent_made_by_hand_is_never_signed_and_stops_no_honest_one(victim: Demo, tmp_path: Path) -> None:
    serial = serial_of(issue(victim, tmp_path, victim.codes("machine")[0]))
    ((tbs,),) = victim.rows("SELECT tbs_der FROM intents WHERE serial = ?", serial)
    forged = bytearray(tbs)
    forged[30] ^= 1
    victim.write(
        "INSERT INTO intents (serial, tag, tbs_der, request, signed,"
        " issuer, profile, application, public_key, predecessor, intended_at, needs_confirmation, seal)"
        " SELECT 'deadbeef', 3735928559, ?, 'forged', 0,"
        " issuer, profile, application, public_key, predecessor, intended_at, needs_confirmation, seal"
        " FROM intents WHERE serial = ?",
        *(bytes(forged), serial),
    )

    ran = victim.pki("reconcile")

    assert "Traceback" not in ran.text, ran
    assert victim.rows("SELECT serial FROM certificates WHERE serial = 'deadbeef'") == []
    assert victim.rows("SELECT signed FROM intents WHERE serial = 'deadbeef'") == [(0,)]
    issue(victim, tmp_path, victim.codes("machine")[0], "after")


def test_an_unsigned_intent_whose_bytes_were_changed_is_never_signed(victim: Demo, tmp_path: Path) -> None:
    serial = serial_of(issue(victim, tmp_path, victim.codes("machine")[0]))
    ((tbs,),) = victim.rows("SELECT tbs_der FROM intents WHERE serial = ?", serial)
    changed = bytes(tbs).replace(b"demo.example", b"bank.example")
    assert changed != tbs
    # As if the power had failed before the signature, and then somebody had edited what was to be signed.
    victim.write("CREATE TABLE kept AS SELECT * FROM certificates WHERE serial = ?", serial)
    victim.write("DELETE FROM certificates WHERE serial = ?", serial)
    victim.write("UPDATE intents SET tbs_der = ?, signed = 0 WHERE serial = ?", changed, serial)

    victim.pki("reconcile")

    assert victim.rows("SELECT der FROM certificates WHERE serial = ?", serial) == []
    # As it was: the audit log tells of this certificate, and another test proves the log.
    victim.write("INSERT INTO certificates SELECT * FROM kept")
    victim.write("DROP TABLE kept")
    victim.write("UPDATE intents SET tbs_der = ?, signed = 1 WHERE serial = ?", tbs, serial)


def test_what_the_urls_in_the_issuers_row_say_reaches_no_certificate(victim: Demo, tmp_path: Path) -> None:
    ((before,),) = victim.rows("SELECT ocsp_url FROM issuers WHERE name = 'issuing'")
    victim.write("UPDATE issuers SET ocsp_url = 'http://evil.example/ocsp' WHERE name = 'issuing'")
    (codes,) = victim.codes("machine")
    new_request(tmp_path)

    answer = enroll(victim, tmp_path, codes)

    victim.write("UPDATE issuers SET ocsp_url = ? WHERE name = 'issuing'", before)
    assert b"evil.example" not in base64.b64decode(answer.body or b"")


@pytest.mark.parametrize("nonce", ["-nonce", "-no_nonce"])
def test_a_revocation_taken_back_in_the_database_is_never_signed_good(victim: Demo, tmp_path: Path, nonce: str) -> None:
    certificate = issue(victim, tmp_path, victim.codes("machine")[0])
    serial = serial_of(certificate)
    victim.checker.call(ops.Revoke, serial=serial, reason="keyCompromise")
    taken_back = "UPDATE certificates SET status = 'active', revoked_at = NULL, reason = NULL WHERE serial = ?"
    assert victim.write(taken_back, serial) == 1

    said = run(
        *("openssl", "ocsp", "-issuer", issuing_pem(victim, tmp_path), "-cert", certificate, nonce),
        *("-url", f"{victim.status_url}/ocsp"),
    )

    assert "internalerror (2)" in said.text, said
    # The prober may have asked first: then its question is still writing the alarm while ours is answered.
    alarms = "SELECT count(*) FROM audit_events WHERE name = 'certificate.contradicted' AND subject = ?"
    wait_for("the alarm", lambda: victim.rows(alarms, serial) == [(1,)])
    revoked = "UPDATE certificates SET status = 'revoked', revoked_at = issued_at, reason = 1 WHERE serial = ?"
    victim.write(revoked, serial)


def test_after_a_restart_too_the_map_knows_what_was_revoked(victim: Demo, tmp_path: Path) -> None:
    certificate = issue(victim, tmp_path, victim.codes("machine")[0])
    serial = serial_of(certificate)
    victim.checker.call(ops.Revoke, serial=serial, reason="superseded")
    victim.stop()
    victim.start()

    assert f"{certificate}: revoked" in ask_ocsp(victim, tmp_path, "-cert", certificate)


def test_a_refusal_is_in_the_audit_log_and_the_chain_holds(victim: Demo) -> None:
    application = submit(victim)
    with pytest.raises(PKIError, match="another officer must"):
        victim.maker.approve(application)

    recorded = victim.rows("SELECT actor, details FROM audit_events WHERE name = 'operation.refused' ORDER BY number")
    proved = victim.pki("audit", "verify")

    assert recorded[-1][0] == MAKER
    assert "another officer must" in recorded[-1][1]
    assert proved.status == 0, proved


_TAKEN_BACK = (
    "UPDATE certificates SET status = 'active', revoked_at = NULL, reason = NULL, "
    "crl_entry = NULL, crl_since = NULL, crl_changed = NULL WHERE serial = ?"
)


@pytest.mark.campaign  # two starts, and a CRL must come due; tests/integration/db has the rule itself
def test_a_revocation_taken_back_while_the_machine_was_off_is_never_signed_good(victim: Demo, tmp_path: Path) -> None:
    certificate = issue(victim, tmp_path, victim.codes("machine")[0])
    serial = serial_of(certificate)
    victim.checker.call(ops.Revoke, serial=serial, reason="superseded")
    columns = "status, revoked_at, reason, crl_entry, crl_since, crl_changed"
    (before,) = victim.rows(f"SELECT {columns} FROM certificates WHERE serial = ?", serial)  # noqa: S608 - our own
    victim.stop()
    assert victim.write(_TAKEN_BACK, serial) == 1
    shutil.rmtree(victim.state / "standings")
    victim.start()

    for nonce in ("-nonce", "-no_nonce"):
        said = run(
            *("openssl", "ocsp", "-issuer", issuing_pem(victim, tmp_path), "-cert", certificate, nonce),
            *("-url", f"{victim.status_url}/ocsp"),
        )
        assert ": good" not in said.text, said

    alarms = "SELECT count(*) FROM audit_events WHERE name = 'certificate.contradicted' AND subject = ?"
    assert victim.rows(alarms, serial) == [(1,)]
    doctor = victim.pki("doctor")
    assert f"contradicts the journal about certificate {serial}" in doctor.out
    victim.write("UPDATE crl_due SET due = 1")
    refused = "SELECT count(*) FROM audit_events WHERE name = 'crl.refused' AND details LIKE ?"
    wait_for("a CRL that is refused", lambda: victim.rows(refused, f"%{serial}%") != [(0,)])
    crl = run("openssl", "crl", "-in", victim.state / "publication/crl/issuing.crl", "-noout", "-text")
    assert serial.upper() in crl.text.upper()

    victim.write(
        "UPDATE certificates SET (status, revoked_at, reason, crl_entry, crl_since, crl_changed) = (?, ?, ?, ?, ?, ?) "
        "WHERE serial = ?",
        *before,
        serial,
    )
