"""What is wrong with an HSM token, in words an operator can act on (`./pki doctor`).

Looks from outside to inside and stops where the next look would mean nothing. The PIN is tried only when asked, once.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from pkcs11.mechanisms import Mechanism
from pkcs11.types import Token

from ca.adapters.hsm.key_store import Pkcs11KeyStore
from ca.adapters.hsm.module import Module, unavailable
from ca.adapters.hsm.seals import Pkcs11Seals
from ca.adapters.hsm.sessions import TokenSessions, require_pin_can_be_tried
from ca.adapters.hsm.signatures import choose_mechanism, require_mechanism
from ca.adapters.hsm.tokens import HsmToken, read_pin, token_lock
from ca.domain.errors import NotReady, PKIError
from ca.domain.keys import KeyAlgorithm
from ca.ports import KeyId

_LOCK_WAIT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at, and what was seen."""

    subject: str
    ok: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class ExpectedKey:
    """A key pair that has to be in the token; without `public_key` (SPKI, DER) any pair of that id will do."""

    id: KeyId
    name: str
    public_key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the token is to be able to do."""

    algorithms: Sequence[KeyAlgorithm] = ()
    keys: Sequence[ExpectedKey] = ()
    seal_key: KeyId | None = None


_NOTHING = Expectation()


def diagnose(token: HsmToken, expected: Expectation = _NOTHING, *, try_login: bool = False) -> list[Finding]:
    """Findings in the order in which to act on them. Never raises a PKIError."""
    findings = _look_at_files(token)
    if not all(finding.ok for finding in findings if finding.subject != "PIN file"):
        return findings
    with ExitStack() as held:
        try:
            held.enter_context(token_lock(token.lock_file, _LOCK_WAIT))
        except NotReady as error:
            sentence = f"{error}: if that is our signer, ask it instead; nothing was touched"
            return [*findings, Finding("token use", ok=True, sentence=sentence)]
        try:
            module = Module(token.module, token.configuration)
        except PKIError as error:
            return [*findings, Finding("HSM module", ok=False, sentence=str(error))]
        held.callback(module.close)
        findings += _look_at_token(module, token, expected)
        if try_login and all(finding.ok for finding in findings):
            findings += _look_at_keys(module, token, expected)
    return findings


def _look_at_files(token: HsmToken) -> list[Finding]:
    findings = [_finding("HSM module", f"{token.module} is there", lambda: _require_file(token.module))]
    if token.configuration is not None:
        configuration = token.configuration
        findings.append(
            _finding("HSM configuration", f"{configuration} is readable", lambda: _require_file(configuration))
        )
        if findings[-1].ok:
            findings.append(
                _finding("token directory", "the token's files are there", lambda: _require_token_files(configuration))
            )
    findings.append(
        _finding("PIN file", f"{token.pin_file} is readable for us alone", lambda: _require_pin(token.pin_file))
    )
    return findings


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise NotReady(f"{path} is missing")
    if not os.access(path, os.R_OK):
        raise NotReady(f"{path} is not readable for this user")


def _require_pin(path: Path) -> None:
    read_pin(path)


def _require_token_files(configuration: Path) -> None:
    pairs = (line.partition("=") for line in configuration.read_text().splitlines() if not line.startswith("#"))
    named = {key.strip(): value.strip() for key, _, value in pairs}.get("directories.tokendir")
    if not named:
        raise NotReady(f"{configuration} names no directories.tokendir")
    directory = Path(named)
    if not directory.is_dir():
        raise NotReady(f"the token directory {directory} is missing: was the state moved without {configuration}?")
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        raise NotReady(f"the token directory {directory} is not ours to read and write")
    if not any(directory.glob("*/token.object")):
        raise NotReady(f"the token directory {directory} holds no token: restore it from the backup")
    empty = [path for path in directory.glob("*/*.object") if path.stat().st_size == 0]
    if empty:
        raise NotReady(f"the token directory is damaged: {empty[0]} is empty; restore it from the backup")


def _look_at_token(module: Module, token: HsmToken, expected: Expectation) -> list[Finding]:
    try:
        found = module.find_token(token.label)
    except PKIError as error:
        sentence = f"{error}; if it was there before, its files are damaged: restore them from the backup"
        return [Finding("token", ok=False, sentence=sentence)]
    return [
        Finding("token", ok=True, sentence=f'token "{token.label}" is there'),
        _finding("PIN state", "the PIN may be tried", lambda: _require_pin_usable(module, found)),
        _finding("mechanisms", "the HSM can do all we need", lambda: _require_mechanisms(found, expected)),
    ]


def _require_pin_usable(module: Module, token: Token) -> None:
    require_pin_can_be_tried(token.label, module.token_state(token).flags)


def _require_mechanisms(token: Token, expected: Expectation) -> None:
    with unavailable("list its mechanisms"):
        offered = token.slot.get_mechanisms()
    for algorithm in expected.algorithms:
        choose_mechanism(algorithm, offered)
    if expected.seal_key is not None:
        require_mechanism(Mechanism.SHA256_HMAC, offered)


def _look_at_keys(module: Module, token: HsmToken, expected: Expectation) -> list[Finding]:
    try:
        sessions = TokenSessions(module, token, workers=1)
    except PKIError as error:
        return [Finding("PIN", ok=False, sentence=str(error))]
    key_store = Pkcs11KeyStore(sessions)
    findings = [Finding("PIN", ok=True, sentence="the token accepts the PIN")]
    findings += [
        _finding(f"key {key.name}", "is there, guarded, and signs", partial(_require_key, key_store, key))
        for key in expected.keys
    ]
    if expected.seal_key is not None:
        seals = Pkcs11Seals(sessions, expected.seal_key)
        findings.append(_finding("seal key", "is there, guarded, and seals", seals.verify_key))
    sessions.close()
    return findings


def _require_key(key_store: Pkcs11KeyStore, key: ExpectedKey) -> None:
    key_store.verify_key(key.id, key.public_key or key_store.public_key(key.id))


def _finding(subject: str, good: str, look: Callable[[], None]) -> Finding:
    try:
        look()
    except PKIError as error:
        return Finding(subject, ok=False, sentence=str(error))
    return Finding(subject, ok=True, sentence=good)
