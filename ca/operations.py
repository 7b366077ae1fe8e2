"""What the signer can be asked, and nothing else: one message a purpose, unknown fields refused (THREATS 8).

There is no "sign these bytes". Every officer operation carries the session token that the signer itself gave;
`serial` is lower-case hex; bytes travel as standard base64; times as RFC 3339 text.
"""

import base64
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from ca.domain.decisions import Assertion


def encode_base64(raw: bytes) -> str:
    """Bytes as they travel in our JSON."""
    return base64.b64encode(raw).decode("ascii")


def decode_base64(text: str) -> bytes:
    """And back. Raises ValueError."""
    return base64.b64decode(text, validate=True)


def _decode(value: object) -> object:
    return decode_base64(value) if isinstance(value, str) else value


B64 = Annotated[bytes, BeforeValidator(_decode), PlainSerializer(encode_base64)]
_NO_NUL = r"^[^\x00]*$"  # PostgreSQL has no place for it in text: refused here, it is an answer and not a failure
Text = Annotated[str, Field(max_length=300, pattern=_NO_NUL)]
Token = Annotated[str, Field(max_length=100, pattern=_NO_NUL)]
Identifier = Annotated[str, Field(max_length=64, pattern=_NO_NUL)]


class Message(BaseModel):
    """A message to the signer, or a part of one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Operation(Message):
    """What is posted to the signer; `path` is where."""

    path: ClassVar[str]

    def payload(self) -> dict[str, Any]:
        """The JSON-able body."""
        return self.model_dump(mode="json")


class OfficerOperation(Operation):
    """An operation that an officer who signed in asks for."""

    session: Token


class AssertionMessage(Message):
    """A WebAuthn assertion as the browser returned it."""

    credential_id: B64
    client_data: B64
    authenticator_data: B64
    signature: B64

    def to_assertion(self) -> Assertion:
        """As the domain knows it."""
        return Assertion(self.credential_id, self.client_data, self.authenticator_data, self.signature)


# Signing in


class SignInChallenge(Operation):
    """-> {challenge: base64}"""

    path = "sign-in/challenge"


class SignIn(Operation):
    """-> {token, officer}"""

    path = "sign-in"
    challenge: B64
    assertion: AssertionMessage
    source: Identifier = ""


class SignOut(OfficerOperation):
    """-> {}"""

    path = "sign-out"


class WhoAmI(OfficerOperation):
    """-> {officer: {id, person, name, branch, roles}}; keeps the session alive. 401 when it is over."""

    path = "who-am-i"


# Officers


class OpenInvitation(Operation):
    """-> {challenge, person, name, branch, roles}: what a browser needs to make a passkey.

    `code` is both halves: the approver's, a full stop, the proposer's.
    """

    path = "invitations/open"
    invitation: Identifier
    code: Token


class RedeemInvitation(Operation):
    """-> {officer}. `registration` is the JSON of the browser's PublicKeyCredential."""

    path = "invitations/redeem"
    invitation: Identifier
    code: Token
    challenge: B64
    registration: Annotated[str, Field(max_length=20_000)]
    label: Text


class ProposeInvitation(OfficerOperation):
    """A security officer proposes. -> {invitation, half}: the proposer's half of the one-time code, shown once."""

    path = "invitations/propose"
    person: Identifier
    name: Text
    branch: Identifier
    roles: Annotated[list[Identifier], Field(max_length=10)]


class ShowInvitation(OfficerOperation):
    """-> {fields, state, challenge}: what a second security officer approves, and what their passkey signs."""

    path = "invitations/show"
    invitation: Identifier


class ApproveInvitation(OfficerOperation):
    """A second security officer approves. -> {invitation, half}: the approver's half of the code, shown once."""

    path = "invitations/approve"
    invitation: Identifier
    assertion: AssertionMessage


class ChangeOfficer(OfficerOperation):
    """A security officer suspends or retires an officer. -> {officer}"""

    path = "officers/change"
    officer: Identifier
    state: Identifier
    reason: Text


# Branch work


class RegisterCustomer(OfficerOperation):
    """-> {customer: id}. kind: person, company or system; company: the number of whose administrator or operator."""

    path = "customers/register"
    kind: Identifier
    number: Identifier
    name: Text
    document_number: Identifier
    email: Text = ""
    company: Identifier = ""
    phone: Identifier = ""


class CorrectCustomer(OfficerOperation):
    """The register is corrected by the document. -> {customer: id}"""

    path = "customers/correct"
    customer: Identifier
    name: Text
    document_number: Identifier
    email: Text = ""
    phone: Identifier = ""


class NoteLook(OfficerOperation):
    """-> {}: the officer is about to see a customer's data on this kind of page; without one, a sheet of many."""

    path = "customers/looked-at"
    customer: Identifier = ""
    page: Identifier


class RegisterDevice(OfficerOperation):
    """A U-Shield enters the branch's stock. -> {device: serial}"""

    path = "devices/register"
    serial: Identifier
    model: Text


class HandOutCodes(OfficerOperation):
    """-> {reference_number, authorization_code, expires_at, sent_to}: shown once, never again.

    The first pair by any RA officer of the branch; a new pair (the old one is void) by a supervisor. by: letter or
    message; with a message there is no authorization_code in the answer, but where it went, masked.
    """

    path = "codes/hand-out"
    application: Identifier
    by: Identifier = "letter"


class Hold(OfficerOperation):
    """-> {serial, status}"""

    path = "certificates/hold"
    serial: Identifier


class Release(OfficerOperation):
    """-> {serial, status}"""

    path = "certificates/release"
    serial: Identifier


class Revoke(OfficerOperation):
    """-> {serial, status}. reason: name of RFC 5280 section 5.3.1; invalid_since: its invalidityDate, if known.

    Where a second officer decides the status is on-hold, and `why` is what they read.
    """

    path = "certificates/revoke"
    serial: Identifier
    reason: Identifier
    invalid_since: Identifier = ""
    why: Text = ""


# Enrolment


class EnrolmentHints(Operation):
    """-> {profile, subject, device_serial, key_algorithms, confirm}"""

    path = "enrolment/hints"
    reference: Identifier
    code: Token


class Enrol(Operation):
    """-> {certificate: base64 DER, serial, confirm}"""

    path = "enrolment/enrol"
    reference: Identifier
    code: Token
    request: B64


class ReEnrol(Operation):
    """-> {certificate: base64 DER, serial, confirm}"""

    path = "enrolment/re-enrol"
    client_certificate: B64
    request: B64


class ConfirmationChallenge(Operation):
    """-> {nonce: base64, expires_in: seconds}"""

    path = "enrolment/challenge"
    serial: Identifier


class Confirm(Operation):
    """-> {serial, status}"""

    path = "enrolment/confirm"
    serial: Identifier
    nonce: B64
    signature: B64
    predecessor_signature: B64 | None = None
    """For a renewal: the old key's signature over the same bytes."""


class CACertificates(Operation):
    """-> {certificates: [base64 DER]}, issuing CA first, root last"""

    path = "ca/certificates"


# Status, jobs, care


class OCSPQuestion(Message):
    """What one answer is wanted to: the raw CertIDs as asked, and the nonce."""

    cert_ids: Annotated[list[B64], Field(min_length=1, max_length=20)]
    nonce: B64 | None = None


class AnswerOCSPRequests(Message):
    """-> {answers: [{response: base64} or {error, message}]}, one for each question. By a door of its own."""

    questions: Annotated[list[OCSPQuestion], Field(min_length=1, max_length=64)]


class CertifyResponderKey(Operation):
    """-> {certificate, issuer_certificate: base64 DER, issuer}. For a key in a status process; `proof` shows it is."""

    path = "ocsp/certify-key"
    public_key: B64
    proof: B64


class ShowHistory(Operation):
    """-> how a certificate stood at an instant, as docs/protocols/history.md has it. Anybody may ask."""

    path = "status/history"
    serial: Identifier
    at: Identifier


class ReportUnknown(Operation):
    """-> {alarm: bool}. A certificate met in the field: an alarm when it carries our signature and is unknown to us."""

    path = "certificates/report-unknown"
    certificate: B64


Moment = Annotated[int, Field(ge=0, lt=1 << 53)]
"""Milliseconds since the epoch."""


class SightingMessage(Message):
    """Where a change of status was seen; no `seen_at`: not yet, when asked at `not_before`."""

    serial: Identifier
    changed_at: Moment
    channel: Identifier
    not_before: Moment | None = None
    seen_at: Moment | None = None


class RecordSightings(Operation):
    """-> {recorded: number of receipts that say more than before}. What the prober saw, as relying parties do."""

    path = "receipts/record"
    sightings: Annotated[list[SightingMessage], Field(min_length=1, max_length=1000)]


class RunJob(Operation):
    """-> {ran: bool, ok, result}. Only the holder of the lease gets work done, and only what is due."""

    path = "jobs/run"
    name: Identifier
    holder: Identifier


class Reconcile(Operation):
    """-> {finished: [serial]}: recorded but unfinished issuances are brought to their end."""

    path = "reconcile"


class Health(Operation):
    """-> {hsm, database, clock}: 'ok' or a sentence each"""

    path = "health"


def all_operations(base: type[Operation] = Operation) -> dict[str, type[Operation]]:
    """Every operation by its path."""
    found: dict[str, type[Operation]] = {}
    for kind in base.__subclasses__():
        if "path" in kind.__dict__:
            found[kind.path] = kind
        found |= all_operations(kind)
    return found
