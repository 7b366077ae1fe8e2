"""A bank in rows, for the reports: everything adds up until a test takes something out."""

from datetime import timedelta

from sqlalchemy import create_engine, delete
from sqlalchemy.orm import Session

from ca.adapters.db import log_rows, rows, unlock_rows
from tests.fakes.console import a_case, a_certificate, application_row, console
from tests.fakes.console_signer import NOW, FakeSigner
from tests.unit.admin.conftest import Visitor

DAY = timedelta(days=1)
SERIAL, RENEWED, FAR = "a1" * 16, "b2" * 16, "c3" * 16
FORMULA = "=HYPERLINK(1)"


def an_event(number, name, subject, actor="E-maker", *, at=NOW):
    return log_rows.AuditEventRow(
        number=number, name=name, subject=subject, actor=actor, at=at, details="{}", hash=b"h" * 32, changes=b"",
        salt=b"",
    )  # fmt: skip


def an_approval(application, person="E-approver", act="approve-application"):
    return rows.EvidenceRow(
        application=application, act=act, subject=application, subject_digest=b"d", officer="x", person=person,
        credential_id=b"c", client_data=b"", authenticator_data=b"", signature=b"", public_key=b"", at=NOW,
    )  # fmt: skip


def an_intent(number, serial, application, *, signed=True):
    return rows.IntentRow(
        serial=serial, tag=number, issuer="issuing", profile="personal-signing", application=application, tbs_der=b"",
        public_key="", request=str(number), predecessor=None, intended_at=NOW, needs_confirmation=True, signed=signed,
        seal=b"",
    )  # fmt: skip


def an_officer(name, branch, roles, **changes):
    given = {"id": name, "person": f"E-{name}", "name": name, "branch": branch, "roles": roles, "state": "active"}
    return rows.OfficerRow(**given | changes, version=1, seal=b"")


def an_invitation(name, **changes):
    given = {
        "id": f"of-{name}", "person": f"E-{name}", "name": name, "branch": "Pudong", "roles": "ra-operator",
        "proposed_by": "ceremony:1", "approved_by": "", "state": "redeemed", "expires_at": NOW, "code_mac": b"",
    }  # fmt: skip
    return rows.InvitationRow(**given | changes, seal=b"")


def an_unlock(reference, approved_by):
    return unlock_rows.UnlockRow(
        reference=reference, version=1, device_serial="US-1", customer="c", branch="Pudong", reason="r",
        maker_person="E-maker", opened_at=NOW, expires_at=NOW, state="approved", code_mac=b"", approved_by=approved_by,
        attempts_left=5, answers=0, seal=b"",
    )  # fmt: skip


class World:
    """A bank where everything adds up, until a test takes something out or puts something in."""

    def __init__(self):
        self.rows = {
            "application": application_row(a_case("a", "c", "Zhang", "Pudong", "maker", hours=1), "completed"),
            "far application": application_row(a_case("f", "c", "Xu", FORMULA, "elsewhere", hours=1), "completed"),
            "certificate": a_certificate(SERIAL, "Zhang", "Pudong", "revoked", application="a", issued_at=NOW),
            "renewed": a_certificate(
                RENEWED, "Zhang", "Pudong", "active", application="a", issued_at=NOW, predecessor=SERIAL
            ),
            "far": a_certificate(FAR, "Xu", FORMULA, "active", application="f", issued_at=NOW),
            "signature": an_intent(1, SERIAL, "a"),
            "second signature": an_intent(2, RENEWED, "a"),
            "far signature": an_intent(3, FAR, "f"),
            "intended": an_event(30, "certificate.intended", SERIAL, "customer"),
            "intended again": an_event(31, "certificate.intended", RENEWED, "customer"),
            "intended far": an_event(32, "certificate.intended", FAR, "customer"),
            "issued": an_event(1, "certificate.issued", SERIAL, "customer"),
            "issued again": an_event(2, "certificate.issued", RENEWED, "customer"),
            "issued far": an_event(3, "certificate.issued", FAR, "customer"),
            "revoked": an_event(4, "certificate.revoked", SERIAL, "E-super"),
            "wrong code": an_event(5, "codes.refused", "a", "customer"),
            "locked": an_event(6, "codes.locked", "a", "customer"),
            "signed in": an_event(7, "officer.signed-in", "maker"),
            "entered": an_event(8, "application.submitted", "a"),
            "wrong far code": an_event(9, "codes.refused", "f", "customer"),
            "approval": an_approval("a"),
            "far approval": an_approval("f"),
            "maker": an_officer("maker", "Pudong", "ra-operator"),
            "invited": an_invitation("maker"),
            "far officer": an_officer("elsewhere", FORMULA, "ra-approver"),
            "far invited": an_invitation("elsewhere"),
            "unlock": an_unlock("100", "E-super"),
            "unlock approval": an_approval("100", "E-super", "approve-unlock"),
        }
        self.rows["application"].updated_at = self.rows["far application"].updated_at = NOW


class Place:
    """One console for all tests; the rows are a test's own."""

    def __init__(self, database):
        self.engine = create_engine(f"sqlite:///{database}")
        rows.Row.metadata.create_all(self.engine)
        self.app = console(database, FakeSigner())

    def __call__(self, world):
        with Session(self.engine) as session:
            for table in rows.Row.metadata.tables.values():
                session.execute(delete(table))
            session.add_all(world.rows.values())
            session.commit()
        signer = self.app.extensions["vermilion_signer"] = FakeSigner()
        return lambda name: Visitor(self.app, signer).sign_in(name)
