"""Rows for the console's tests: a branch with some work, another branch, and what the CA did."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from admin.app import create_app
from ca.adapters.db import log_rows, portal_rows, profile_rows, receipt_rows, rows
from ca.adapters.db.mapping.audit import chained_event_values
from ca.adapters.db.names import file_name
from ca.domain.applications import Application, ApplicationState, Case
from ca.domain.audit import AuditEvent, Head
from ca.domain.journal import chained
from tests.drafts import BORN
from tests.fakes.console_authority import VERSION
from tests.fakes.console_figures import figures
from tests.fakes.console_officer_rows import officer_changes
from tests.fakes.console_policy import POLICY_VERSION
from tests.fakes.console_signer import HOSTILE, NOW, OFFICERS, FakeSigner
from tests.fakes.console_stock_rows import stock
from tests.fakes.revocation_answers import CASE, LATE, UNDECIDED, WAITING, a_case_row
from tests.fakes.software_ca import SoftwareCA, certification_request


def a_case(application: str, customer: str, name: str, branch: str, maker: str, *, hours: int) -> Application:
    """A submitted application."""
    officer = OFFICERS[maker]
    case = Case(
        application=application,
        version=1,
        profile="personal-signing",
        profile_digest="ab" * 32,
        customer=customer,
        customer_number="6222021001",
        customer_name=name,
        document_number="310101199003071234",
        subject=(("country", "CN"), ("organization", "Demo Bank"), ("common_name", name), ("serial_number", "6222")),
        alternative_names=(("email", "zhang.wei@example.com"),),
        device_serial="US-2026-000123",
        validity=timedelta(days=730),
        branch=branch,
        maker_person=officer["person"],
        maker_name=officer["name"],
        submitted_at=NOW - timedelta(hours=hours),
    )
    return Application(case, ApplicationState.SUBMITTED)


def application_row(application: Application, state: str = "submitted", reason: str = "") -> rows.ApplicationRow:
    """The row of an application, as the signer writes it."""
    case = application.case
    return rows.ApplicationRow(
        id=application.id,
        profile=case.profile,
        customer=case.customer,
        customer_number=case.customer_number,
        customer_name=case.customer_name,
        document_number=case.document_number,
        device_serial=case.device_serial,
        branch=case.branch,
        maker_person=case.maker_person,
        maker_name=case.maker_name,
        submitted_at=case.submitted_at,
        state=state,
        reason=reason,
        updated_at=case.submitted_at,
        case_json=case.sealed_fields().decode(),
        seal=b"s" * 32,
    )


def a_customer(customer: str, name: str, branch: str, number: str, kind: str = "person") -> rows.CustomerRow:
    return rows.CustomerRow(
        id=customer,
        number=number,
        kind=kind,
        name=name,
        document_number="310101199003071234",
        email="zhang.wei@example.com",
        branch=branch,
        registered_by="E-maker",
        registered_at=NOW - timedelta(days=2),
    )


def a_certificate(serial: str, name: str, branch: str, status: str, **changes: Any) -> rows.CertificateRow:
    fields: dict[str, Any] = {
        "serial": serial,
        "issuer": "issuing",
        "profile": "personal-signing",
        "der": _DER,
        "public_key": "9f" * 32,
        "subject": f"CN={name},O=Demo Bank,C=CN",
        "application": "application-done",
        "customer": "customer-1",
        "device_serial": "US-2026-000123",
        "branch": branch,
        "not_before": NOW - timedelta(days=1),
        "not_after": NOW + timedelta(days=729),
        "issued_at": NOW - timedelta(days=1),
        "status": status,
        "confirmed_at": NOW - timedelta(days=1),
        "predecessor": None,
        "revoked_at": NOW if status in ("on-hold", "revoked") else None,
        "reason": {"on-hold": 6, "revoked": 1}.get(status),
    }
    return rows.CertificateRow(**fields | changes)


_CA = SoftwareCA("Demo Bank")
_DER = _CA.holder("Zhang Wei").der
REQUEST = certification_request("Zhang Wei", born=BORN)
_MILLIS = int(NOW.timestamp() * 1000)
ACTIVE, HELD, REVOKED, ELSEWHERE, CANCELLED, ENDING = (digit * 31 for digit in "abcdef")


def fill(database: Path, signer: FakeSigner) -> None:
    """A branch with some work, another branch, and what the CA did."""
    cases = [
        a_case("application-1", "customer-1", "Zhang Wei", "Pudong", "maker", hours=3),
        a_case("application-hostile", "customer-2", HOSTILE, "Pudong", "maker", hours=2),
        a_case("application-both", "customer-1", "Zhang Wei", "Pudong", "both", hours=1),
        a_case("application-unusual", "customer-1", "Zh\u0430ng Wei", "Pudong", "maker", hours=1),
        a_case("application-xuhui", "customer-3", "Xu Only", "Xuhui", "elsewhere", hours=5),
    ]
    approved = a_case("application-approved", "customer-1", "Zhang Wei", "Pudong", "maker", hours=26)
    signer.cases = {case.id: case for case in cases}
    signer.cases[approved.id] = approved.become(ApplicationState.APPROVED, at=NOW)
    done = a_case("application-done", "customer-1", "Zhang Wei", "Pudong", "maker", hours=30)
    returned = a_case("application-returned", "customer-1", "Zhang Wei", "Pudong", "maker", hours=9)
    signer.cases[returned.id] = returned.become(ApplicationState.RETURNED, at=NOW, reason="the name is short")
    ending = a_case("application-ending", "customer-1", "Zhang Wei", "Pudong", "maker", hours=50)
    rejected = a_case("application-rejected", "customer-1", "Zhang Wei", "Pudong", "maker", hours=8)
    engine = create_engine(f"sqlite:///{database}")
    rows.Row.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(application_row(case) for case in cases)
        session.add(application_row(approved, "approved"))
        session.add(application_row(done, "completed"))
        session.add(application_row(returned, "returned", "the name is short"))
        session.add(application_row(rejected, "rejected", "document number differs"))
        session.add(application_row(ending, "codes-issued"))
        session.add_all(
            [*_others(), *_officers(), *officer_changes(), *_authority(), *_intents(), *_log(), *figures(ACTIVE)]
        )
        session.flush()
        for customer in session.scalars(select(rows.CustomerRow.id)).all():
            file_name(session, customer)
        session.commit()
    engine.dispose()


def _others() -> list[rows.Row]:
    decided = {"subject_digest": b"d" * 32, "officer": "approver", "person": "E-approver", "at": NOW}
    assertion = {"credential_id": b"c", "client_data": b"{}", "authenticator_data": b"a", "signature": b"s"}
    day = timedelta(days=1)
    return [
        a_customer("customer-1", "Zhang Wei", "Pudong", "6222021001"),
        a_customer("customer-2", HOSTILE, "Pudong", "6222021002"),
        a_customer("customer-3", "Xu Only", "Xuhui", "6222021003"),
        a_customer("customer-4", "Acme 有限公司", "Pudong", "6222021004", kind="company"),
        a_certificate(ACTIVE, "Zhang Wei", "Pudong", "active"),
        a_certificate(HELD, HOSTILE, "Pudong", "on-hold"),
        a_certificate(CANCELLED, "CN=Cancelled", "Pudong", "on-hold"),
        portal_rows.CancellationRow(
            serial=CANCELLED, customer="customer-1", asked_at=NOW, due_at=NOW + timedelta(days=1), state="open"
        ),
        a_certificate(WAITING, "Zhang Wei", "Pudong", "on-hold"),
        a_certificate(UNDECIDED, "Zhang Wei", "Pudong", "on-hold"),
        a_case_row(CASE, WAITING),
        a_case_row(LATE, UNDECIDED, proposed_at=NOW - 9 * day, expires_at=NOW - 2 * day),
        a_certificate(ENDING, "Zhang Wei", "Pudong", "active", not_after=NOW + timedelta(days=45)),
        a_certificate(REVOKED, "Acme 有限公司", "Pudong", "revoked", predecessor=HELD),
        a_certificate(ELSEWHERE, "Xu Only", "Xuhui", "active", application="application-xuhui", customer="customer-3"),
        rows.DeviceRow(
            id="device-1", serial="US-2026-000123", model="U-Shield 3", branch="Pudong", state="in-use",
            customer="customer-1", registered_by="E-maker", registered_at=NOW - 3 * day, holder="customer",
        ),
        *stock(),
        rows.DeviceRow(
            id="device-2", serial="US-2026-000999", model="U-Shield 3", branch="Xuhui", state="in-stock",
            customer="", registered_by="E-elsewhere", registered_at=NOW, holder="branch",
        ),
        rows.EvidenceRow(
            application="application-done", act="approve-application", subject="application-done",
            public_key=b"k", **decided, **assertion,
        ),
        rows.CodePairRow(
            reference="4711081513", application="application-done", code_mac=b"m", state="claimed",
            expires_at=NOW + 7 * day, attempts_left=5, request="aa",
        ),
        rows.CodePairRow(
            reference="4711081520", application="application-ending", code_mac=b"m", state="open",
            expires_at=NOW + 3 * day, attempts_left=5, request="",
        ),
        rows.CRLRow(
            name="issuing", issuer="issuing", number=1841, this_update=NOW - timedelta(minutes=14),
            next_update=NOW + timedelta(minutes=46), entries=2, size=412, sha256="ef" * 32, published=True,
        ),
        receipt_rows.ReceiptRow(
            serial=HELD, changed_at=_MILLIS - 60_000, issuer="issuing", became="on-hold", after_crl=1841,
            sightings=f'[["ocsp",1000,null,{_MILLIS - 59_992}],["delta-crl",10000,{_MILLIS - 40_000},null]]',
            stage="soon",
        ),
    ]  # fmt: skip


def _officers() -> list[rows.Row]:
    return [
        rows.OfficerRow(
            id="maker", person="E-maker", name="Maria Lin", branch="Pudong", roles="ra-operator", state="active",
            version=1, seal=b"s",
        ),
        rows.OfficerRow(
            id="away", person="E-away", name="Wei Luo", branch="Pudong", roles="ra-approver", state="suspended",
            version=2, seal=b"s",
        ),
        rows.OfficerRow(
            id="security", person="E-security", name="Sara Fu", branch="Head office", roles="security-officer",
            state="active", version=1, seal=b"s",
        ),
        rows.OfficerCredentialRow(
            credential_id=b"c1", officer="maker", position=0, public_key=b"k", label="office laptop", sign_count=3
        ),
        rows.InvitationRow(
            id="invitation-1", person="E-new", name="Nina Luo", branch="Pudong", roles="ra-approver,ra-supervisor",
            proposed_by="E-other", approved_by="", state="proposed", expires_at=NOW + timedelta(days=7), code_mac=b"",
            seal=b"s",
        ),
    ]  # fmt: skip


def _intents() -> list[rows.Row]:
    """Of a kept request, of one from before they were kept, of one nobody can read, and of one that was changed."""
    kept = {
        ACTIVE: (REQUEST, REQUEST),
        REVOKED: (REQUEST, None),
        HELD: (b"no request", b"no request"),
        ENDING: (b"another", REQUEST),
    }
    return [
        rows.IntentRow(
            serial=serial, tag=number, issuer="issuing", profile="personal-signing", application=f"intended-{number}",
            tbs_der=b"t", public_key="9f" * 32, request=hashlib.sha256(named).hexdigest(), request_der=kept,
            predecessor=None, needs_confirmation=True, intended_at=NOW - timedelta(days=1), signed=True, seal=b"s",
        )
        for number, (serial, (named, kept)) in enumerate(kept.items(), 1)
    ]  # fmt: skip


def _authority() -> list[rows.Row]:
    """The CAs, and who signs for the issuing one."""
    base = "http://localhost:8080"
    day = timedelta(days=1)
    own: dict[str, Any] = {"application": "", "customer": "", "device_serial": ""}
    return [
        rows.IssuerRow(
            name="issuing", certificate_der=_CA.issuing.der, key_id=b"issuing-1", algorithm="ec-p256",
            crl_url=f"{base}/crl/issuing.crl", ocsp_url=f"{base}/ocsp", certificate_url=f"{base}/ca/issuing.cer",
        ),
        rows.IssuerRow(
            name="root", certificate_der=_CA.root.der, key_id=b"root-1", algorithm="ec-p384",
            crl_url=f"{base}/crl/root.crl", ocsp_url="", certificate_url=f"{base}/ca/root.cer",
        ),
        profile_rows.ProfileVersionRow(
            id=VERSION.id, revision=1, profile="machine", number=2, text=VERSION.text, state="proposed",
            profile_digest=VERSION.profile_digest, replaces=VERSION.replaces, reason=VERSION.reason,
            effective_from=VERSION.effective_from, maker_person=VERSION.maker_person, proposed_at=VERSION.proposed_at,
            decided_by="", seal=b"s",
        ),
        profile_rows.PolicyVersionRow(
            id=POLICY_VERSION.id, revision=1, policy="policy", number=3, text=POLICY_VERSION.text, state="proposed",
            policy_digest=POLICY_VERSION.policy_digest, replaces=POLICY_VERSION.replaces, decided_by="", seal=b"s",
            reason=POLICY_VERSION.reason, effective_from=POLICY_VERSION.effective_from, maker_person="E-admin",
            proposed_at=POLICY_VERSION.proposed_at,
        ),
        a_certificate("7e" * 16, "OCSP", "", "active", profile="ocsp-responder", not_after=NOW + 13 * day, **own),
        a_certificate("7f" * 16, "Bundles", "", "active", profile="bundle-signer", not_before=NOW - 13 * day,
                      not_after=NOW + day, **own),
    ]  # fmt: skip


def _log() -> list[rows.Row]:
    return [
        log_rows.JobRunRow(name="publish-crls", ran_at=NOW - timedelta(minutes=1), ok=True, result="nothing changed"),
        log_rows.JobRunRow(
            name="sweep", ran_at=NOW - timedelta(minutes=2), ok=False, result="the HSM does not come back"
        ),
        *_events(),
    ]  # fmt: skip


def _events() -> list[rows.Row]:
    """Chained as the signer chains them."""
    day, minute = timedelta(days=1), timedelta(minutes=1)
    events = [
        AuditEvent("customer.registered", "customer-2", "E-maker", NOW - 2 * day, {"kind": "<b>person</b>"}),
        AuditEvent("certificate.issued", ACTIVE, "customer", NOW - day, {"status": "active"}),
        AuditEvent("crl.published", "issuing", "signer", NOW - 14 * minute, {"number": "1841"}),
        AuditEvent(
            "publication.sent", "crl/issuing.crl", "signer", NOW - 13 * minute, {"number": "1841", "target": "mirror"}
        ),
        AuditEvent("certificate.held", HELD, "E-hotline", NOW - minute),
    ]
    made = chained(Head(), events, [], salt=lambda: b"salt").events
    return [
        *(log_rows.AuditEventRow(**chained_event_values(one)) for one in made),
        log_rows.AuditHeadRow(id=1, number=len(made), hash=made[-1].hash),
    ]


def console(database: Path, signer: FakeSigner, **changes: Any) -> Any:
    """The app over that database."""
    given: dict[str, Any] = {
        "signer": signer,
        "database_url": f"sqlite:///{database}",
        "secret_key": b"k" * 32,
        "relying_party": "localhost",
        "origins": signer.origins,
        "demo": True,
        "organization": "Demo Bank",
        "enrolment_url": "https://enrol.bank.example/",
        "root_fingerprint": "ab" * 32,
        "now": lambda: NOW,
        "certificates": True,
    }
    return create_app(**given | changes)
