"""What the signer can be asked for a customer on the portal, and for the letter that lets them in.

`session` is the token that the signer itself gave at sign-in. Rules as in `ca/operations.py`.
"""

from typing import Annotated

from pydantic import Field

from ca.operations import B64, Identifier, OfficerOperation, Operation, Text, Token

Password = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


class CustomerOperation(Operation):
    """An operation that a customer who signed in asks for."""

    session: Token


class OrderToolJob(Operation):
    """-> {job: compact JWS}: what a page of ours may have the tool do within five minutes (docs/protocols/bridge.md).

    operation: check, download (with a reference number), password, sign-in, cancel or renew (with a serial).
    """

    path = "tool-jobs/order"
    operation: Identifier
    reference: Identifier = ""
    serial: Identifier = ""
    language: Identifier = "en"


class HandOutLetter(OfficerOperation):
    """-> {number, code, expires_at}: shown once, never again. The letter before is void."""

    path = "accounts/hand-out-letter"
    number: Identifier


class OpenAccount(Operation):
    """-> {}: the first password, or another one, by the letter of the branch. Ends every session."""

    path = "accounts/open"
    number: Identifier
    code: Token
    password: Password


class PortalSignIn(Operation):
    """-> {token, customer: {name, number}}. `source`: where from, for the customer's own list of sessions."""

    path = "portal/sign-in"
    number: Identifier
    password: Password
    source: Text


class PortalSignInByKey(Operation):
    """-> {token, customer}: a statement signed on the U-Shield for a job `sign-in` (docs/protocols/bridge.md)."""

    path = "portal/sign-in-by-key"
    certificate: B64
    nonce: B64
    signature: B64
    source: Text


class RenewByKey(Operation):
    """-> {certificate: base64 DER, serial, confirm}. `nonce` is that of a ConfirmationChallenge for the old one."""

    path = "enrolment/renew"
    certificate: B64
    request: B64
    nonce: B64
    signature: B64


class CancelByKey(Operation):
    """-> {serial, status}: revoked at once, by a statement for a job `cancel`."""

    path = "portal/cancel-by-key"
    serial: Identifier
    certificate: B64
    nonce: B64
    signature: B64


class PortalSignOut(CustomerOperation):
    """-> {}"""

    path = "portal/sign-out"


class ShowMe(CustomerOperation):
    """-> {name, number, kind, branch, email, phone, language, channel}; keeps the session alive. 401 after its end."""

    path = "portal/me"


class ListOwnCertificates(CustomerOperation):
    """-> {certificates: [{serial, subject, profile, status, device_serial, not_before, not_after, is_expired,
    undo_until}]}
    """

    path = "portal/certificates"


class ListOwnDevices(CustomerOperation):
    """-> {devices: [serial]}: the U-Shields that the bank gave the customer."""

    path = "portal/devices"


class ShowOwnHistory(CustomerOperation):
    """-> {events: [{name, subject, by, at, details}]}: the youngest first."""

    path = "portal/history"


class ReportLost(CustomerOperation):
    """-> {serial, status}: on hold at once."""

    path = "portal/report-lost"
    serial: Identifier


class CancelOwn(CustomerOperation):
    """-> {serial, undo_until}: on hold at once, revoked then."""

    path = "portal/cancel"
    serial: Identifier


class UndoCancellation(CustomerOperation):
    """-> {serial, status}"""

    path = "portal/undo-cancel"
    serial: Identifier


class ChangeLoginPassword(CustomerOperation):
    """-> {}: every other session ends."""

    path = "portal/change-password"
    old: Password
    new: Password


class ChooseLanguage(CustomerOperation):
    """-> {}: en or zh."""

    path = "portal/choose-language"
    language: Identifier


class ChooseChannel(CustomerOperation):
    """By which way notices go: email, sms or both. -> {}"""

    path = "portal/channel"
    channel: Identifier


class ListSessions(CustomerOperation):
    """-> {sessions: [{began_at, seen_at, source, this}]}"""

    path = "portal/sessions"


class EndOtherSessions(CustomerOperation):
    """-> {ended: number}"""

    path = "portal/end-other-sessions"


class HandDeviceToCompany(OfficerOperation):
    """-> {device: serial}: a U-Shield of the branch's stock, for an operator whom the company will name."""

    path = "devices/hand-to-company"
    number: Identifier
    serial: Identifier


class ShowCompany(CustomerOperation):
    """-> {name, number, free_devices, operators}; for a session that an administrator's U-Shield began.

    An operator: {number, name, document_number, email, may_apply, certificates: [{serial, status, not_after,
    device_serial}], application: {id, state, reason, reference, device_serial} or null}.
    """

    path = "company/show"


class OrderCompanyApplication(CustomerOperation):
    """-> {job, number}. Without `number` it is for somebody new, and the number answered is theirs."""

    path = "company/order-application"
    number: Identifier = ""
    name: Identifier = ""
    document_number: Identifier = ""
    email: Text = ""
    device_serial: Identifier
    language: Identifier = "en"


class CompanyApply(CustomerOperation):
    """-> {application}: as ordered, with the statement for its job `company-apply`."""

    path = "company/apply"
    number: Identifier
    name: Identifier = ""
    document_number: Identifier = ""
    email: Text = ""
    device_serial: Identifier
    certificate: B64
    nonce: B64
    signature: B64


class OrderCompanyHold(CustomerOperation):
    """-> {job}"""

    path = "company/order-hold"
    serial: Identifier
    language: Identifier = "en"


class CompanyHold(CustomerOperation):
    """-> {serial, status}: with the statement for a job `company-hold`."""

    path = "company/hold"
    serial: Identifier
    certificate: B64
    nonce: B64
    signature: B64
