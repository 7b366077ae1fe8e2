"""The rooms that show rows: which columns, in which order, and what a row's page adds."""

import json
from typing import Any, ClassVar

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from admin.access import SignedIn
from admin.paging import Walk
from admin.spellings import device_serials, reference, serials
from admin.views.audit import AuditView
from admin.views.base import ReadOnlyView, newest
from admin.views.certificate_page import page_of
from ca.adapters.db.log_rows import AuditEventRow, JobRunRow
from ca.adapters.db.officer_rows import CertificateBindingRow, OfficerChangeRow
from ca.adapters.db.rows import (
    ApplicationRow,
    CertificateRow,
    CodePairRow,
    CRLRow,
    CustomerRow,
    DeviceRow,
    EvidenceRow,
    InvitationRow,
    OfficerRow,
    db,
)
from ca.adapters.db.stock_rows import MoveRow
from ca.adapters.db.unlock_rows import UnlockRow
from ca.domain.applications import ApplicationState
from ca.domain.certificates import CertificateStatus
from ca.domain.customers import CustomerKind
from ca.domain.devices import DeviceState
from ca.domain.officers import InvitationState, OfficerState, TrustedRole
from ca.domain.proposals import ProposalState
from ca.domain.unlocking import UnlockState

_SECRETS = ("seal", "code_mac", "case_json", "der", "hash", "crl_entry")
_LONGEST_LIFE = 60


class ApplicationsView(ReadOnlyView):
    """Who asked for what, and where it stands."""

    title = _l("Applications")
    empty = _l("No application here yet. An RA operator enters one with “New application”.")
    column_list = ("customer_name", "profile", "device_serial", "branch", "maker_name", "submitted_at", "state")
    column_default_sort = ("submitted_at", True)
    column_searchable_list = ("customer_name", "customer_number", "device_serial", "id")
    search_hint = _l("Name, number, U-Shield or reference")
    chips = ("state", [state.value for state in ApplicationState])
    kinds: ClassVar = {
        "state": "badge",
        "profile": "name",
        "submitted_at": "when",
        "updated_at": "when",
        "device_serial": "mono",
        "id": "mono",
    }
    hidden = (*_SECRETS, "customer")
    row_template = "console/application.html"

    def search(self, typed: str) -> list[Walk]:
        """By numbers, or by the customer's name."""
        of_customer, of_device = ApplicationRow.customer_number == typed, device_serials(typed)
        numbers = self.either(of_customer, ApplicationRow.device_serial.in_(of_device))
        return [*self.own_number(typed), numbers, *self.called(typed, "customer", "submitted_at", "id")]

    def own_number(self, typed: str) -> list[Walk]:
        """By the application's id, or its reference number."""
        coded = select(CodePairRow.application).where(CodePairRow.reference == reference(typed))
        return [self.either(ApplicationRow.id.in_({typed, *db.session.scalars(coded)}))]

    def customer_of(self, row: ApplicationRow) -> str:
        return row.customer

    def details_context(self, row: ApplicationRow) -> dict[str, Any]:
        customer = db.session.get(CustomerRow, row.customer)
        return {
            "heading": row.customer_name,
            "reachable": customer is not None and bool(customer.email or customer.phone),
            "case": json.loads(row.case_json),
            "evidence": _evidence(row.id),
            "codes": newest(CodePairRow, CodePairRow.application == row.id, CodePairRow.id),
            "certificates": newest(CertificateRow, CertificateRow.application == row.id, CertificateRow.id),
        }


class CertificatesView(ReadOnlyView):
    """What we issued and how it stands. The hotline holds certificates of every branch, so it sees them."""

    title = _l("Certificates")
    empty = _l("No certificate here yet. It appears when a customer has used the two codes.")
    key = "serial"
    column_list = ("subject", "serial", "profile", "branch", "not_after", "status")
    column_default_sort = ("issued_at", True)
    column_searchable_list = ("subject", "serial", "device_serial")
    column_sortable_list = ("not_after",)
    search_hint = _l("Name, serial number or U-Shield")
    chips = ("status", [status.value for status in CertificateStatus])
    kinds: ClassVar = {
        "status": "badge",
        "profile": "name",
        "serial": "serial",
        "predecessor": "serial",
        "application": "mono",
        "customer": "mono",
        "public_key": "serial",
        "not_before": "when",
        "not_after": "when",
        "issued_at": "when",
        "confirmed_at": "when",
        "revoked_at": "when",
        "invalid_since": "when",
        "reason": "reason",
    }
    hidden = (*_SECRETS, "id", "crl_since", "crl_changed")
    details_template = "console/certificate.html"

    def search(self, typed: str) -> list[Walk]:
        """By numbers, or by the customer's name."""
        return [*self.own_number(typed), *self.called(typed, "customer", "id")]

    def own_number(self, typed: str) -> list[Walk]:
        """By serial number, its own in any spelling or the U-Shield's."""
        on_device = CertificateRow.device_serial.in_(device_serials(typed))
        return [self.either(CertificateRow.serial.in_(serials(typed)), on_device)]

    def sees_all(self, who: SignedIn) -> bool:
        return TrustedRole.HOTLINE in who.roles or super().sees_all(who)

    def find(self, identity: str) -> Any | None:
        # Hexadecimal in any case, with or without colons and blanks: all hit the same row (THREATS 17).
        serial = identity.replace(":", "").replace(" ", "").lower().removeprefix("0x").lstrip("0")
        return super().find(serial)

    def customer_of(self, row: CertificateRow) -> str:
        return row.customer

    def details_context(self, row: CertificateRow) -> dict[str, Any]:
        return page_of(row)


class CustomersView(ReadOnlyView):
    """Who is registered."""

    title = _l("Customers")
    empty = _l("No customer here yet. Register the customer who stands at the counter.")
    column_list = ("name", "number", "kind", "document_number", "branch", "registered_at")
    column_default_sort = ("registered_at", True)
    column_searchable_list = ("name", "number", "document_number")
    column_sortable_list = ("name",)
    search_hint = _l("Name, number, document or branch")
    chips = ("kind", [kind.value for kind in CustomerKind])
    kinds: ClassVar = {
        "kind": "name", "registered_at": "when", "id": "mono", "number": "mono", "document_number": "mono",
    }  # fmt: skip
    row_template = "console/customer.html"

    def search(self, typed: str) -> list[Walk]:
        """By number, branch or name."""
        numbers = self.either(CustomerRow.number == typed, CustomerRow.document_number == typed)
        return [numbers, self.walk(branch=typed), *self.called(typed, "id")]

    def customer_of(self, row: CustomerRow) -> str:
        return row.id

    def details_context(self, row: CustomerRow) -> dict[str, Any]:
        return {
            "heading": row.name,
            "company": db.session.get(CustomerRow, row.company) if row.company else None,
            "people": newest(CustomerRow, CustomerRow.company == row.id, CustomerRow.number),
            "applications": newest(ApplicationRow, ApplicationRow.customer == row.id, ApplicationRow.submitted_at),
            "certificates": newest(CertificateRow, CertificateRow.customer == row.id, CertificateRow.id),
            "devices": newest(DeviceRow, DeviceRow.customer == row.id, DeviceRow.registered_at),
        }


class DevicesView(ReadOnlyView):
    """U-Shields and where they stand."""

    title = _l("U-Shields")
    empty = _l("No U-Shield here yet. Take one into the branch's stock with “Register a U-Shield”.")
    key = "serial"
    column_list = ("serial", "model", "state", "holder", "branch", "registered_at")
    column_default_sort = ("registered_at", True)
    column_searchable_list = ("serial",)
    search_hint = _l("Serial number of a U-Shield")
    chips = ("state", [state.value for state in DeviceState])
    kinds: ClassVar = {
        **dict.fromkeys(("state", "holder"), "badge"),
        **dict.fromkeys(("serial", "id", "customer", "keeper"), "mono"),
        "registered_at": "when",
    }
    row_template = "console/device.html"

    def search(self, typed: str) -> list[Walk]:
        """By serial number."""
        return [self.either(DeviceRow.serial.in_(device_serials(typed)))]

    def customer_of(self, row: DeviceRow) -> str:
        return row.customer

    def details_context(self, row: DeviceRow) -> dict[str, Any]:
        holder = db.session.get(CustomerRow, row.customer) if row.customer else None
        certificates = newest(CertificateRow, CertificateRow.device_serial == row.serial, CertificateRow.id)
        unlocks = newest(UnlockRow, UnlockRow.device_serial == row.serial, UnlockRow.opened_at)
        moves = db.session.scalars(select(MoveRow).where(MoveRow.device_serial == row.serial).order_by(MoveRow.id))
        return {
            "heading": row.serial,
            "holder": holder,
            "certificates": certificates,
            "unlocks": unlocks,
            "moves": moves.all(),
        }


class UnlocksView(ReadOnlyView):
    """Cases to unlock a U-Shield. The hotline opens them for every branch, so it sees them."""

    title = _l("Unlock cases")
    empty = _l("No U-Shield was to be unlocked yet. A case is opened on the U-Shield's page.")
    key = "reference"
    column_list = ("reference", "device_serial", "branch", "maker_person", "opened_at", "state")
    column_default_sort = ("opened_at", True)
    column_searchable_list = ("reference", "device_serial")
    chips = ("state", [state.value for state in UnlockState])
    kinds: ClassVar = {
        "state": "badge",
        **dict.fromkeys(("opened_at", "expires_at"), "when"),
        **dict.fromkeys(("reference", "device_serial", "customer", "maker_person", "approved_by"), "mono"),
    }
    hidden = (*_SECRETS, "version")
    row_template = "console/unlock_row.html"

    def sees_all(self, who: SignedIn) -> bool:
        return TrustedRole.HOTLINE in who.roles or super().sees_all(who)

    def customer_of(self, row: UnlockRow) -> str:
        return row.customer


class CRLsView(ReadOnlyView):
    """The certificate revocation lists we published."""

    title = _l("CRLs")
    empty = _l("No CRL was made yet. The jobs process makes the first one.")
    branch_column = None
    column_list = ("name", "number", "entries", "size", "this_update", "next_update", "published")
    column_default_sort: ClassVar = [("this_update", True), ("number", True)]
    kinds: ClassVar = {"this_update": "age", "next_update": "when", "published": "published", "sha256": "mono"}
    row_template = "console/crl.html"

    def get_pk_value(self, model: CRLRow) -> str:
        return f"{model.name}-{model.number}"

    def find(self, identity: str) -> CRLRow | None:
        name, _dash, number = identity.rpartition("-")
        if not number.isascii() or not number.isdigit() or len(number) > 18:
            return None
        return db.session.get(CRLRow, (name, int(number)))

    def details_context(self, row: CRLRow) -> dict[str, Any]:
        newest = select(func.max(CRLRow.number)).where(CRLRow.name == row.name)
        return {
            "heading": f"{row.name} #{row.number}",
            "events": _publication(row),
            "is_last": db.session.scalar(newest) == row.number,
        }


class OfficersView(ReadOnlyView):
    """Officers with their trusted roles. Nobody is ever deleted."""

    title = _l("Officers")
    empty = _l("No officer redeemed an invitation yet.")
    branch_column = None
    column_list = ("name", "person", "branch", "roles", "state")
    column_default_sort = "name"
    column_searchable_list = ("name", "person", "branch")
    chips = ("state", [state.value for state in OfficerState])
    kinds: ClassVar = {"state": "badge", "roles": "roles", "id": "mono", "person": "mono"}
    hidden = _SECRETS
    row_template = "console/officer.html"

    def details_context(self, row: OfficerRow) -> dict[str, Any]:
        changes = newest(OfficerChangeRow, OfficerChangeRow.officer == row.id, OfficerChangeRow.proposed_at)
        passkeys = [credential.label for credential in row.credentials]
        bindings = newest(
            CertificateBindingRow, CertificateBindingRow.officer == row.id, CertificateBindingRow.proposed_at
        )
        standing = [(one, _standing_of(one, outdated=one.officer_version != row.version)) for one in changes]
        ways_in = {"passkeys": passkeys, "bindings": [(one, _standing_of(one)) for one in bindings]}
        return {"heading": row.name, "changes": standing, **ways_in}


class InvitationsView(ReadOnlyView):
    """Who was invited to which roles, by whom."""

    title = _l("Invitations")
    empty = _l("Nobody is invited. A security officer proposes an invitation, another one approves it.")
    branch_column = None
    column_list = ("name", "person", "branch", "roles", "proposed_by", "expires_at", "state")
    column_default_sort = ("expires_at", True)
    column_searchable_list = ("name", "person", "branch")
    chips = ("state", [state.value for state in InvitationState])
    kinds: ClassVar = {"state": "badge", "roles": "roles", "expires_at": "when", "id": "mono"}
    hidden = _SECRETS
    row_template = "console/invitation_row.html"

    def details_context(self, row: InvitationRow) -> dict[str, Any]:
        return {"heading": row.name, "evidence": _evidence(row.id)}


class JobsView(ReadOnlyView):
    """What happens by itself, with each job's last result."""

    title = _l("Jobs")
    empty = _l("No job has run yet. Is the jobs process up?")
    branch_column = None
    key = "name"
    column_list = ("name", "ran_at", "ok", "result")
    column_default_sort = "name"
    kinds: ClassVar = {"name": "name", "ok": "badge", "ran_at": "age", "result": "message"}
    row_template = "console/job.html"


VIEWS: tuple[tuple[type[ReadOnlyView], type[Any], str, str], ...] = (
    (ApplicationsView, ApplicationRow, "applications", "applications"),
    (CertificatesView, CertificateRow, "certificates", "certificates"),
    (CustomersView, CustomerRow, "customers", "customers"),
    (DevicesView, DeviceRow, "devices", "u-shields"),
    (UnlocksView, UnlockRow, "unlock_cases", "unlock-cases"),
    (CRLsView, CRLRow, "crls", "crls"),
    (JobsView, JobRunRow, "jobs", "jobs"),
    (AuditView, AuditEventRow, "audit", "audit"),
    (OfficersView, OfficerRow, "officers", "officers"),
    (InvitationsView, InvitationRow, "invitations", "invitations"),
)
"""View, rows, endpoint, path under /admin/."""


def _standing_of(proposed: OfficerChangeRow | CertificateBindingRow, *, outdated: bool = False) -> str:
    late = proposed.expires_at < current_app.extensions["vermilion_now"]()
    is_void = proposed.state == ProposalState.PROPOSED.value and (late or outdated)
    return "void" if is_void else proposed.state


def _publication(row: CRLRow) -> list[tuple[AuditEventRow, str]]:
    """When it was made public, and where besides the public directory."""
    about = select(AuditEventRow).where(
        AuditEventRow.subject.in_([row.name, f"crl/{row.name}.crl"]),
        AuditEventRow.name.in_(["crl.published", "publication.sent"]),
        AuditEventRow.at >= row.this_update,
    )
    found = db.session.scalars(about.order_by(AuditEventRow.number).limit(_LONGEST_LIFE))
    told = [(event, json.loads(event.details)) for event in found]
    return [
        (event, str(details.get("target", "directory")))
        for event, details in told
        if details.get("number") == str(row.number)
    ]


def _evidence(subject: str) -> list[EvidenceRow]:
    return newest(EvidenceRow, EvidenceRow.application == subject, EvidenceRow.id)
