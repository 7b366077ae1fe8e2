"""An issuing CA as its certificate tells it (RFC 5280 section 4.1.2.4): exact name, exact key, where it publishes."""

from dataclasses import dataclass
from datetime import datetime

from ca.domain.algorithms import KeyAlgorithm
from ca.domain.errors import InvalidRequest
from ca.domain.tbs import TBS, read_certificate

_HASHES = ("sha1", "sha256", "sha384", "sha512")
_SUBJECT_KEY_IDENTIFIER = "2.5.29.14"


@dataclass(frozen=True, slots=True)
class Issuer:
    """A CA key in service: `key_id` finds the key in the HSM, the URLs go into what it certifies."""

    name: str
    certificate_der: bytes
    key_id: bytes
    algorithm: KeyAlgorithm
    crl_url: str
    ocsp_url: str
    certificate_url: str

    @property
    def subject_der(self) -> bytes:
        """The name to copy into what this CA signs, byte for byte."""
        return self._tbs.subject_der

    @property
    def spki_der(self) -> bytes:
        return self._tbs.spki_der

    @property
    def subject_key_identifier(self) -> bytes:
        """As the certificate states it, never calculated anew (RFC 5280 section 4.2.1.1)."""
        extension = self._tbs.find(_SUBJECT_KEY_IDENTIFIER)
        if extension is None:
            raise InvalidRequest(f"the certificate of {self.name} has no subject key identifier")
        return extension.value[2:]

    @property
    def not_before(self) -> datetime:
        return self._tbs.not_before

    @property
    def not_after(self) -> datetime:
        return self._tbs.not_after

    @property
    def _tbs(self) -> TBS:
        return read_certificate(self.certificate_der)
