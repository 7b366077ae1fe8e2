"""Customers, U-Shields, officers and their sessions: rows to values and back."""

from ca.adapters.db.mapping.common import Values, known
from ca.adapters.db.rows import ChallengeRow, CustomerRow, DeviceRow, InvitationRow, OfficerRow, SessionRow
from ca.domain.custody import Holder
from ca.domain.customers import Customer, CustomerKind
from ca.domain.devices import Device, DeviceState
from ca.domain.officers import Credential, Invitation, InvitationState, Officer, OfficerState, TrustedRole
from ca.domain.sessions import Challenge, Session


def to_customer(row: CustomerRow) -> Customer:
    return Customer(
        id=row.id,
        number=row.number,
        kind=known(CustomerKind, row.kind, f"customer {row.id}"),
        name=row.name,
        document_number=row.document_number,
        email=row.email,
        branch=row.branch,
        registered_by=row.registered_by,
        registered_at=row.registered_at,
        company=row.company,
        phone=row.phone,
    )


def customer_values(customer: Customer) -> Values:
    return {
        "number": customer.number,
        "kind": customer.kind.value,
        "name": customer.name,
        "document_number": customer.document_number,
        "email": customer.email,
        "branch": customer.branch,
        "registered_by": customer.registered_by,
        "registered_at": customer.registered_at,
        "company": customer.company,
        "phone": customer.phone,
    }


def to_device(row: DeviceRow) -> Device:
    return Device(
        id=row.id,
        serial=row.serial,
        model=row.model,
        branch=row.branch,
        state=known(DeviceState, row.state, f"U-Shield {row.serial}"),
        customer=row.customer,
        registered_by=row.registered_by,
        registered_at=row.registered_at,
        so_use=row.so_use,
        holder=known(Holder, row.holder, f"U-Shield {row.serial}"),
        keeper=row.keeper,
    )


def device_values(device: Device) -> Values:
    return {
        "serial": device.serial,
        "model": device.model,
        "branch": device.branch,
        "state": device.state.value,
        "customer": device.customer,
        "registered_by": device.registered_by,
        "registered_at": device.registered_at,
        "so_use": device.so_use,
        "holder": device.holder.value,
        "keeper": device.keeper,
    }


def read_roles(text: str, where: str) -> frozenset[TrustedRole]:
    return frozenset(known(TrustedRole, role, where) for role in text.split(",") if role)


def roles_text(roles: frozenset[TrustedRole]) -> str:
    return ",".join(sorted(role.value for role in roles))


def to_officer(row: OfficerRow) -> Officer:
    where = f"officer {row.id}"
    return Officer(
        id=row.id,
        person=row.person,
        name=row.name,
        branch=row.branch,
        roles=read_roles(row.roles, where),
        state=known(OfficerState, row.state, where),
        credentials=tuple(
            Credential(each.credential_id, each.public_key, each.label, each.sign_count, each.used_at)
            for each in row.credentials
        ),
        version=row.version,
    )


def officer_values(officer: Officer, seal: bytes) -> Values:
    return {
        "person": officer.person,
        "name": officer.name,
        "branch": officer.branch,
        "roles": roles_text(officer.roles),
        "state": officer.state.value,
        "version": officer.version,
        "seal": seal,
    }


def credential_values(officer: Officer) -> list[Values]:
    return [
        {
            "credential_id": credential.id,
            "officer": officer.id,
            "position": position,
            "public_key": credential.public_key,
            "label": credential.label,
            "sign_count": credential.sign_count,
            "used_at": credential.used_at,
        }
        for position, credential in enumerate(officer.credentials)
    ]


def to_invitation(row: InvitationRow) -> Invitation:
    where = f"invitation {row.id}"
    return Invitation(
        id=row.id,
        person=row.person,
        name=row.name,
        branch=row.branch,
        roles=read_roles(row.roles, where),
        proposed_by=row.proposed_by,
        state=known(InvitationState, row.state, where),
        expires_at=row.expires_at,
        code_mac=row.code_mac,
        approved_by=row.approved_by,
    )


def invitation_values(invitation: Invitation, seal: bytes) -> Values:
    return {
        "person": invitation.person,
        "name": invitation.name,
        "branch": invitation.branch,
        "roles": roles_text(invitation.roles),
        "proposed_by": invitation.proposed_by,
        "approved_by": invitation.approved_by,
        "state": invitation.state.value,
        "expires_at": invitation.expires_at,
        "code_mac": invitation.code_mac,
        "seal": seal,
    }


def to_session(row: SessionRow) -> Session:
    return Session(
        token_hash=row.token_hash,
        officer=row.officer,
        began_at=row.began_at,
        seen_at=row.seen_at,
        ended=row.ended,
        source=row.source,
        stepped_up_at=row.stepped_up_at,
        binding=row.binding,
    )


def session_values(session: Session, seal: bytes) -> Values:
    return {
        "officer": session.officer,
        "began_at": session.began_at,
        "seen_at": session.seen_at,
        "ended": session.ended,
        "source": session.source,
        "stepped_up_at": session.stepped_up_at,
        "binding": session.binding,
        "seal": seal,
    }


def to_challenge(row: ChallengeRow) -> Challenge:
    return Challenge(row.purpose, row.value, row.expires_at)
