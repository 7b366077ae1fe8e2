"""Who is asking on the portal? The one place where a session becomes a customer (THREATS 45, 47).

A session and an account count only with the signer's seal. Signing in says one sentence whatever was wrong, and takes
as long for a customer number that there is not.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ca.domain.accounts import Account, Channel, CustomerSession, Language, require_password
from ca.domain.audit import AuditEvent
from ca.domain.canonical import canonical
from ca.domain.codes import parse_authorization_code
from ca.domain.customers import Customer
from ca.domain.errors import InvalidRequest, NotAuthenticated, Tampered
from ca.domain.policy import Policy
from ca.portal_records import Passwords
from ca.ports import Clock, Random, Seals, UnitOfWork, Work
from ca.usecases.authorize import token_hash
from ca.usecases.sealed import unsealed

ACCOUNT_SEAL = "customer-account"
LETTER_SEAL = "customer-letter"
_SESSION_SEAL = "customer-session"
_PASSWORD_SEAL = "login-password"  # noqa: S105  what a MAC is for
_SALT_OCTETS = 16
WRONG = "the customer number or the password is not right"
WRONG_LETTER = "the customer number or the code of the letter is not right, or the code can no longer be used"
_OVER = "your session is over; sign in again"


def letter_message(customer: str, code: str) -> bytes:
    """What the MAC of a letter's code covers."""
    return canonical({"customer": customer, "code": code})


@dataclass(frozen=True)
class AccountBook:
    """Accounts with their seals checked and made."""

    seals: Seals

    def find(self, work: Work, customer: str) -> Account | None:
        """Raises Tampered for one that the signer did not write."""
        found = work.accounts.find(customer)
        if found is None:
            return None
        return unsealed(self.seals, ACCOUNT_SEAL, found)

    def save(self, work: Work, account: Account) -> None:
        work.accounts.save(account, self.seals.seal(ACCOUNT_SEAL, account.sealed_fields()))


@dataclass(frozen=True)
class AuthorizeCustomer:
    """Resolve a session token to the customer."""

    seals: Seals
    clock: Clock
    policy: Callable[[], Policy]
    """What is in force now: how long a session lasts, and what customers do."""

    def __call__(self, work: Work, token: str) -> Customer:
        """The customer of a live session; keeps it alive. Raises NotAuthenticated, Tampered."""
        return work.customers.get(self.live(work, token).customer)

    def live(self, work: Work, token: str) -> CustomerSession:
        """The session; kept alive. Raises NotAuthenticated, Tampered."""
        now = self.clock.now()
        found = work.customer_sessions.find(token_hash(token))
        if found is None or found[0].is_over(now, self.policy()):
            raise NotAuthenticated(_OVER)
        session = unsealed(self.seals, _SESSION_SEAL, found)
        if now > session.seen_at:
            work.customer_sessions.touch(session.token_hash, now)
        return session


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as the customer sees it in their list."""

    session: CustomerSession
    is_this: bool


@dataclass(frozen=True)
class PortalSignIn:
    """The first password by the branch's letter, signing in and out, another password."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    seals: Seals
    passwords: Passwords
    authorize: AuthorizeCustomer
    accounts: AccountBook

    def open(self, number: str, code: str, password: str) -> None:
        """Set the password by the letter; ends every session. Raises NotAuthenticated, then InvalidRequest."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            customer = work.customers.find_by_number(number)
            account = self.accounts.find(work, customer.id) if customer else None
            if customer is None or account is None or not self._is_letter(account, code):
                if account is not None and account.has_letter(now):
                    missed = account.miss_letter()
                    self.accounts.save(work, missed)
                    details = {"attempts_left": str(missed.letter_attempts_left)}
                    work.audit.append(AuditEvent("account.letter-refused", account.customer, "customer", now, details))
                    work.commit()
                raise NotAuthenticated(WRONG_LETTER)
            require_password(password, not_in=_own(customer))
            self._set_password(work, account, password)
            work.customer_sessions.end_all_of(customer.id)
            work.audit.append(AuditEvent("account.opened", customer.id, "customer", now))
            work.commit()

    def __call__(self, number: str, password: str, *, source: str) -> tuple[str, Customer]:
        """The session token. Raises NotAuthenticated, without saying what was wrong."""
        with self.unit_of_work() as work:
            customer = work.customers.find_by_number(number)
            account = self.accounts.find(work, customer.id) if customer else None
            work.commit()
        is_right = self._is_password(account, password)
        if customer is None or not is_right:
            self._record_refusal(customer)
            raise NotAuthenticated(WRONG)
        with self.unit_of_work() as work:
            token = self.begin(work, customer, source=source)
            work.commit()
        return token, customer

    def begin(self, work: Work, customer: Customer, *, source: str, by: str = "") -> str:
        """A session's token, for a customer who proved to be one; `by` is the certificate, when it was by a key."""
        now = self.clock.now()
        token = base64.urlsafe_b64encode(self.random(32)).decode("ascii").rstrip("=")
        session = CustomerSession(token_hash(token), customer.id, now, now, source, by)
        work.customer_sessions.add(session, self.seals.seal(_SESSION_SEAL, session.sealed_fields()))
        details = {"source": source} | ({"by": by} if by else {})
        work.audit.append(AuditEvent("customer.signed-in", customer.id, "customer", now, details))
        return token

    def who(self, token: str) -> tuple[Customer, Account]:
        """Raises NotAuthenticated when the session is over."""
        with self.unit_of_work() as work:
            customer = self.authorize(work, token)
            account = self._account(work, customer)
            work.commit()
        return customer, account

    def out(self, token: str) -> None:
        """End the session."""
        with self.unit_of_work() as work:
            customer = self.authorize(work, token)
            work.customer_sessions.end(token_hash(token))
            work.audit.append(AuditEvent("customer.signed-out", customer.id, "customer", self.clock.now()))
            work.commit()

    def change_password(self, token: str, old: str, new: str) -> None:
        """Every other session ends. Raises NotAuthenticated, NotAllowed for a wrong old one, InvalidRequest."""
        with self.unit_of_work() as work:
            customer = self.authorize(work, token)
            account = self._account(work, customer)
            if not self._is_password(account, old):
                raise InvalidRequest("the present password is not right; nothing was changed")
            require_password(new, not_in=_own(customer))
            if new == old:
                raise InvalidRequest("the new password is the present one; nothing was changed")
            self._set_password(work, account, new)
            work.customer_sessions.end_all_of(customer.id, but=token_hash(token))
            work.audit.append(AuditEvent("account.password-changed", customer.id, "customer", self.clock.now()))
            work.commit()

    def choose_language(self, token: str, language: str) -> None:
        """Raises NotAuthenticated, InvalidRequest."""
        try:
            chosen = Language(language)
        except ValueError as error:
            raise InvalidRequest("the portal does not speak this language") from error
        self._settle(token, {"language": chosen.value}, lambda account: account.with_language(chosen))

    def choose_channel(self, token: str, channel: str) -> None:
        """Raises NotAuthenticated, InvalidRequest."""
        try:
            chosen = Channel(channel)
        except ValueError as error:
            raise InvalidRequest("notices go by e-mail, by SMS, or both") from error
        self._settle(token, {"notices": chosen.value}, lambda account: account.with_channel(chosen))

    def _settle(self, token: str, details: dict[str, str], changed: Callable[[Account], Account]) -> None:
        with self.unit_of_work() as work:
            customer = self.authorize(work, token)
            self.accounts.save(work, changed(self._account(work, customer)))
            work.audit.append(AuditEvent("account.settled", customer.id, "customer", self.clock.now(), details))
            work.commit()

    def list_sessions(self, token: str) -> Sequence[OpenSession]:
        """Those that are not over. Raises NotAuthenticated."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            customer = self.authorize(work, token)
            found = work.customer_sessions.list_of(customer.id)
            work.commit()
        policy = self.authorize.policy()
        return [OpenSession(one, one.token_hash == token_hash(token)) for one in found if not one.is_over(now, policy)]

    def end_others(self, token: str) -> int:
        """How many sessions were ended; this one stays."""
        with self.unit_of_work() as work:
            customer = self.authorize(work, token)
            ended = work.customer_sessions.end_all_of(customer.id, but=token_hash(token))
            details = {"sessions": str(ended)}
            work.audit.append(AuditEvent("customer.signed-out", customer.id, "customer", self.clock.now(), details))
            work.commit()
        return ended

    def _account(self, work: Work, customer: Customer) -> Account:
        # Whoever signs in with a U-Shield needs no password, and may never have had a letter.
        return self.accounts.find(work, customer.id) or Account(customer.id, 0)

    def _set_password(self, work: Work, account: Account, password: str) -> None:
        salt = self.random(_SALT_OCTETS)
        stretched = self.passwords.stretch(password, salt)
        mac = self.seals.seal(_PASSWORD_SEAL, _password_message(account.customer, stretched))
        self.accounts.save(work, account.with_password(salt, mac))

    def _is_password(self, account: Account | None, password: str) -> bool:
        # Nobody's account is stretched for as long as anybody's (THREATS 47).
        salt = account.salt if account and account.salt else bytes(_SALT_OCTETS)
        stretched = self.passwords.stretch(password, salt)
        customer, mac = (account.customer, account.password_mac) if account else ("", b"")
        return self._is_sealed(_PASSWORD_SEAL, _password_message(customer, stretched), mac)

    def _is_letter(self, account: Account, code: str) -> bool:
        try:
            parsed = parse_authorization_code(code)
        except InvalidRequest:
            return False
        is_open = account.has_letter(self.clock.now())
        return self._is_sealed(LETTER_SEAL, letter_message(account.customer, parsed), account.letter_mac) and is_open

    def _is_sealed(self, purpose: str, message: bytes, mac: bytes) -> bool:
        try:
            self.seals.require(purpose, message, mac)
        except Tampered:
            return False
        return True

    def _record_refusal(self, customer: Customer | None) -> None:
        # A number that there is not may be a password typed in the wrong field: it is not recorded.
        subject = customer.id if customer else "unknown"
        with self.unit_of_work() as work:
            work.audit.append(AuditEvent("customer.sign-in-refused", subject, "customer", self.clock.now()))
            work.commit()


def _password_message(customer: str, stretched: bytes) -> bytes:
    return canonical({"customer": customer, "stretched": stretched.hex()})


def _own(customer: Customer) -> tuple[str, ...]:
    return customer.number, customer.document_number, customer.name
