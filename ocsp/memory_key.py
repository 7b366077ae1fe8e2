"""A responder key that lives only in this process (setting ocsp.key = "memory", docs/adr/0019).

The signer certifies it for days. While there is no certificate that holds, the signer answers, as it does by default.
What is said comes from the standings, as everything here; but nobody checks it any more.
"""

import base64
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ca.domain import ocsp
from ca.domain.certificates import CertificateStatus
from ca.domain.errors import InvalidRequest, NotFound, NotReady, PKIError
from ca.domain.responders import Responder, Said, memory_key_proof, require_forward
from ca.domain.serials import SERIAL_OCTETS
from ca.domain.standings import KEY_OCTETS, Standing, is_good_at, issuer_of, serial_key
from ca.domain.stencils import Stencils
from ca.domain.tbs import read_certificate
from ocsp.shapes import Asked
from ocsp.signer import Signer, b64
from ocsp.store import Statuses

_LOOK_SECONDS = 30.0
_PAUSE_SECONDS = 300.0
_ECDSA = ec.ECDSA(SHA256())
_PADDING = bytes(KEY_OCTETS - SERIAL_OCTETS)

_log = logging.getLogger(__name__)


class AskedSigner(Signer, Protocol):
    """The signer, which answers and certifies."""

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Raises PKIError."""


@dataclass(frozen=True, slots=True)
class _Certified:
    """The key with all that is needed to answer with it."""

    key: ec.EllipticCurvePrivateKey
    responder: Responder
    own: bytes
    """Where its certificate's standing is."""
    issuer: str
    issuer_octets: bytes
    issuer_der: bytes
    records_since: datetime

    def holds(self, packed: bytes, second: int) -> bool:
        """Whether of this certificate nothing is said but that it is good."""
        return issuer_of(packed) == self.issuer_octets and is_good_at(packed, second)

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data, _ECDSA)


class _Ready(NamedTuple):
    """What does not change within a second."""

    second: int
    certified: _Certified
    of: tuple[bytes, datetime]
    """What stencils depend on."""


class MemorySigner:
    """ocsp.signer.Signer with a key of its own."""

    def __init__(
        self,
        signer: AskedSigner,
        statuses: Statuses,
        *,
        now: Callable[[], datetime],
        policy: ocsp.Policy,
        life: timedelta,
    ) -> None:
        self._signer = signer
        self._statuses = statuses
        self._now = now
        self._policy = policy
        self._life = life
        self._certified: _Certified | None = None
        self._latest: datetime | None = None
        self._stencils = Stencils()
        self._holding: bytes | None = None
        """Its certificate's standing, once it was looked at and found to hold."""
        self._ready: _Ready | None = None
        self._stopped = threading.Event()

    def answer(self, questions: Sequence[ocsp.Question]) -> list[bytes | PKIError]:
        certified = self._usable()
        if certified is None:
            return self._signer.answer(questions)
        return [self._signed(certified, question) for question in questions]

    def answer_now(self, question: ocsp.Question) -> bytes | PKIError | None:
        """The same for one, without ever waiting; None while there is no certificate."""
        certified = self._usable()
        return None if certified is None else self._signed(certified, question)

    def answer_asked(self, asked: Asked, second: int) -> bytes | PKIError | None:
        """As `answer_now`, in that second since 1970, for a request that needs not be read."""
        quick = self._filled(asked, second)
        return self.answer_now(asked.question) if quick is None else quick

    def _filled(self, asked: Asked, second: int) -> bytes | None:
        """What a stencil of this second gives; None when there is none, or when it would not be true."""
        ready = self._ready
        if ready is None or ready.second != second:
            ready = self._ready = self._look(second)
            if ready is None:
                return None
        certified = ready.certified
        stencil = self._stencils.find(asked.shape.head, len(asked.nonce), ready.of)
        if stencil is None or certified is not self._certified:
            return None
        try:
            own, packed = self._statuses.find(certified.own), self._statuses.find(_PADDING + asked.serial)
        except PKIError:
            return None
        if own != self._holding or packed is None or not certified.holds(packed, second):
            return None
        data = stencil.filled(asked.serial, asked.nonce)
        return certified.responder.response(data, certified.sign(data))

    def _look(self, second: int) -> _Ready | None:
        certified, now = self._usable(), datetime.fromtimestamp(second, UTC)
        if certified is None:
            return None
        try:
            certified.responder.require_valid(now)
            self._latest = require_forward(now, self._latest)
        except PKIError:
            return None
        return _Ready(second, certified, (certified.own, now))

    def start(self, responder: object) -> None:
        del responder
        threading.Thread(target=self._run, name="certify", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _usable(self) -> _Certified | None:
        """None when the certificate is none that holds: a key that was revoked says nothing any more."""
        certified = self._certified
        if certified is None:
            return None
        try:
            certified.responder.require_valid(self._now())
            packed = self._statuses.find(certified.own)
            if packed is None:
                return None
            if packed != self._holding:
                if Standing.unpack(packed).status is not CertificateStatus.ACTIVE:
                    return None
                self._holding = packed
        except PKIError:
            return None
        return certified

    def _signed(self, certified: _Certified, question: ocsp.Question) -> bytes | PKIError:
        now = self._now()
        try:
            self._latest = require_forward(now, self._latest)
            known = ocsp.issuer_keys(certified.issuer_der)
            if any(each.issuer_key not in known for each in question.cert_ids):
                raise NotFound("this responder does not speak for the issuer that is asked about")
            data = self._data(certified, question, now)
            return certified.responder.response(data, certified.sign(data))
        except PKIError as error:
            return error

    def _data(self, certified: _Certified, question: ocsp.Question, now: datetime) -> bytes:
        packed = {each.serial: self._packed(each.serial) for each in question.cert_ids}

        def build(question: ocsp.Question, standings: Mapping[int, Standing]) -> bytes:
            said = Said(certified.issuer, certified.records_since, self._policy, standings, now, self._life)
            return certified.responder.data(question, said)

        cert_id, nonce = question.cert_ids[0], question.nonce
        one = packed[cert_id.serial] if len(question.cert_ids) == 1 else None
        if nonce is None or one is None or not certified.holds(one, int(now.timestamp())):
            return build(question, {serial: Standing.unpack(found) for serial, found in packed.items() if found})

        def good(of: ocsp.Question) -> bytes:
            return build(of, {of.cert_ids[0].serial: Standing.unpack(one)})

        return self._stencils.data(cert_id, nonce, (certified.own, now), good)

    def _packed(self, serial: int) -> bytes | None:
        key = serial_key(serial)
        return None if key is None else self._statuses.find(key)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._stopped.wait(self.renew())

    def renew(self) -> float:
        """Have a new key certified when it is time; how many seconds to rest after it."""
        certified = self._certified
        if certified is not None and self._now() < certified.responder.renewal_due:
            return _LOOK_SECONDS
        try:
            self._certified = self._certify()
        except (PKIError, KeyError, TypeError, ValueError) as error:
            # The old one, or the signer, goes on answering.
            _log.warning("the key in memory is not certified: %s", error)
            return _LOOK_SECONDS if isinstance(error, NotReady) else _PAUSE_SECONDS
        return _LOOK_SECONDS

    def _certify(self) -> _Certified:
        key = ec.generate_private_key(ec.SECP256R1())
        spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        proof = key.sign(memory_key_proof(spki), ec.ECDSA(SHA256()))
        given = self._signer.call("ocsp/certify-key", {"public_key": b64(spki), "proof": b64(proof)})
        certificate, issuer_der = (
            base64.b64decode(given[name], validate=True) for name in ("certificate", "issuer_certificate")
        )
        responder = Responder.of(certificate)
        if responder.public_key.spki_der != spki:
            raise InvalidRequest("the certificate is not for the key that was shown")
        own = serial_key(read_certificate(certificate).serial) or b""
        since = read_certificate(issuer_der).not_before
        issuer = str(given["issuer"])
        return _Certified(key, responder, own, issuer, issuer.encode("ascii"), issuer_der, since)
