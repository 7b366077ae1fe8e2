"""Which use case answers which operation of the portal. No rule lives here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ca import portal_operations as ops
from ca.domain.audit import AuditEvent
from ca.domain.codes import shown
from ca.domain.serials import parse_serial, serial_text
from ca.domain.times import timestamp
from ca.operations import Operation
from ca.signer import Handler
from ca.usecases.by_key import ActByKey
from ca.usecases.company_desk import ADMINISTRATOR, CompanyDesk, OperatorView, Wanted
from ca.usecases.devices import HandDeviceToCompany
from ca.usecases.letters import HandOutLetter
from ca.usecases.looks import LOOKED
from ca.usecases.own_certificates import OwnCertificate, OwnCertificates
from ca.usecases.portal_sessions import PortalSignIn
from ca.usecases.statements import Stated

_OFFICER = "your branch"
_BY = {"customer": "you", "signer": "the bank", "jobs": "the bank", ADMINISTRATOR: "your company's administrator"}


@dataclass(frozen=True)
class Portal:
    """The use cases of the portal."""

    letters: HandOutLetter
    sign_in: PortalSignIn
    own: OwnCertificates
    by_key: ActByKey
    desk: CompanyDesk
    hand_device: HandDeviceToCompany

    def table(self) -> dict[type[Operation], Handler]:
        """Every operation with what answers it."""
        sign_in, own = self.sign_in, self.own
        return {
            ops.HandOutLetter: self._letter,
            ops.OpenAccount: _silently(lambda op: sign_in.open(op.number, op.code, op.password)),
            ops.PortalSignIn: self._sign_in,
            ops.PortalSignInByKey: self._sign_in_by_key,
            ops.CancelByKey: lambda op: _status(self.by_key.cancel(_stated(op), parse_serial(op.serial))),
            ops.PortalSignOut: _silently(lambda op: sign_in.out(op.session)),
            ops.ShowMe: self._me,
            ops.ListOwnCertificates: lambda op: {"certificates": [_own(one) for one in own.list(op.session)[1]]},
            ops.ListOwnDevices: lambda op: {"devices": own.list_devices(op.session)},
            ops.ShowOwnHistory: lambda op: {"events": [_event(one) for one in own.history(op.session)]},
            ops.ReportLost: lambda op: _status(own.report_lost(op.session, parse_serial(op.serial))),
            ops.CancelOwn: self._cancel,
            ops.UndoCancellation: lambda op: _status(own.undo(op.session, parse_serial(op.serial))),
            ops.ChangeLoginPassword: _silently(lambda op: sign_in.change_password(op.session, op.old, op.new)),
            ops.ChooseLanguage: _silently(lambda op: sign_in.choose_language(op.session, op.language)),
            ops.ChooseChannel: _silently(lambda op: sign_in.choose_channel(op.session, op.channel)),
            ops.ListSessions: self._sessions,
            ops.EndOtherSessions: lambda op: {"ended": sign_in.end_others(op.session)},
            **self._company_table(),
        }

    def _company_table(self) -> dict[type[Operation], Handler]:
        desk = self.desk
        return {
            ops.HandDeviceToCompany: lambda op: {
                "device": self.hand_device(op.session, number=op.number, serial=op.serial).serial
            },
            ops.ShowCompany: self._company,
            ops.OrderCompanyApplication: self._order_application,
            ops.CompanyApply: lambda op: {"application": desk.apply(op.session, _wanted(op), _stated(op)).id},
            ops.OrderCompanyHold: lambda op: {
                "job": desk.order_hold(op.session, parse_serial(op.serial), language=op.language)
            },
            ops.CompanyHold: lambda op: _status(desk.hold(op.session, parse_serial(op.serial), _stated(op))),
        }

    def _company(self, op: ops.ShowCompany) -> dict[str, Any]:
        view = self.desk.show(op.session)
        return {
            "name": view.name,
            "number": view.number,
            "free_devices": list(view.free_devices),
            "operators": [_operator(one) for one in view.operators],
        }

    def _order_application(self, op: ops.OrderCompanyApplication) -> dict[str, Any]:
        job, number = self.desk.order_application(op.session, _wanted(op), language=op.language)
        return {"job": job, "number": number}

    def _letter(self, op: ops.HandOutLetter) -> dict[str, Any]:
        letter = self.letters(op.session, op.number)
        return {"number": letter.number, "code": shown(letter.code), "expires_at": timestamp(letter.expires_at)}

    def _sign_in(self, op: ops.PortalSignIn) -> dict[str, Any]:
        token, customer = self.sign_in(op.number, op.password, source=op.source)
        return {"token": token, "customer": {"name": customer.name, "number": customer.number}}

    def _sign_in_by_key(self, op: ops.PortalSignInByKey) -> dict[str, Any]:
        token, customer = self.by_key.open_session(_stated(op), source=op.source)
        return {"token": token, "customer": {"name": customer.name, "number": customer.number}}

    def _me(self, op: ops.ShowMe) -> dict[str, Any]:
        customer, account = self.sign_in.who(op.session)
        return {
            "name": customer.name,
            "number": customer.number,
            "kind": customer.kind.value,
            "branch": customer.branch,
            "email": customer.email,
            "phone": customer.phone,
            "language": account.language.value,
            "channel": account.channel.value,
        }

    def _cancel(self, op: ops.CancelOwn) -> dict[str, Any]:
        cancellation = self.own.cancel(op.session, parse_serial(op.serial))
        return {"serial": serial_text(cancellation.serial), "undo_until": timestamp(cancellation.due_at)}

    def _sessions(self, op: ops.ListSessions) -> dict[str, Any]:
        found = self.sign_in.list_sessions(op.session)
        return {
            "sessions": [
                {
                    "began_at": timestamp(one.session.began_at),
                    "seen_at": timestamp(one.session.seen_at),
                    "source": one.session.source,
                    "this": one.is_this,
                }
                for one in found
            ]
        }


def _silently(act: Callable[[Any], None]) -> Handler:
    """Done; there is nothing to tell."""

    def answer(operation: Any) -> dict[str, Any]:
        act(operation)
        return {}

    return answer


def _wanted(op: ops.OrderCompanyApplication | ops.CompanyApply) -> Wanted:
    return Wanted(op.number, op.name, op.document_number, op.email, op.device_serial)


def _operator(one: OperatorView) -> dict[str, Any]:
    customer, application = one.customer, one.application
    return {
        "number": customer.number,
        "name": customer.name,
        "document_number": customer.document_number,
        "email": customer.email,
        "may_apply": one.may_apply,
        "certificates": [
            {
                "serial": serial_text(certificate.serial),
                "status": certificate.status.value,
                "not_after": timestamp(certificate.not_after),
                "is_expired": certificate.is_expired(one.seen_at),
                "device_serial": certificate.device_serial,
            }
            for certificate in one.certificates
        ],
        "application": {
            "id": application.id,
            "state": application.state.value,
            "reason": application.reason,
            "reference": one.reference,
            "device_serial": application.case.device_serial,
        }
        if application
        else None,
    }


def _stated(op: ops.PortalSignInByKey | ops.CancelByKey | ops.CompanyApply | ops.CompanyHold) -> Stated:
    return Stated(op.certificate, op.nonce, op.signature)


def _status(certificate: Any) -> dict[str, Any]:
    return {"serial": serial_text(certificate.serial), "status": certificate.status.value}


def _own(one: OwnCertificate) -> dict[str, Any]:
    certificate = one.certificate
    return {
        "serial": serial_text(certificate.serial),
        "subject": certificate.subject,
        "profile": certificate.profile,
        "status": certificate.status.value,
        "device_serial": certificate.device_serial,
        "not_before": timestamp(certificate.not_before),
        "not_after": timestamp(certificate.not_after),
        "is_expired": one.is_expired,
        "undo_until": timestamp(one.cancellation.due_at) if one.cancellation else None,
    }


def _event(event: AuditEvent) -> dict[str, Any]:
    return {
        "name": event.name,
        "subject": event.subject,
        # Which officer it was is the bank's business; that it was one is the customer's.
        "by": "the bank" if event.name == LOOKED else _BY.get(event.actor, _OFFICER),
        "at": timestamp(event.at),
        "details": {name: value for name, value in event.details.items() if name in {"why", "reason", "source"}},
    }
