"""How a key was made, as the customer's tool read it from the U-Shield and the key itself signed it (ADR 0043).

It stands in the certification request as an attribute (docs/protocols/enrolment.md): nobody on the way can change it or
take it out. It is the tool's word over the U-Shield's word, and no attestation by the U-Shield's maker.
"""

import re
from dataclasses import dataclass

from ca.domain.algorithms import KeyAlgorithm
from ca.domain.errors import InvalidRequest

STATEMENT = "1.3.6.1.4.1.99999.3.1"
"""Type of the attribute."""
_FORM = re.compile(
    r"key-birth-1 local=(yes|no) always-sensitive=(yes|no) never-extractable=(yes|no) extractable=(yes|no) "
    r"mechanism=(unknown|[0-9a-f]{8})"
)
_RSA = {0x0, 0xA}
"""CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_X9_31_KEY_PAIR_GEN (PKCS #11)."""
_EC = {0x1040}
"""CKM_EC_KEY_PAIR_GEN."""
_VENDORS = 0x80000000
"""From here on mechanisms are the vendors' own (CKM_VENDOR_DEFINED)."""


@dataclass(frozen=True, slots=True)
class KeyBirth:
    """Attributes of the private key, by their names in PKCS #11."""

    local: bool
    """CKA_LOCAL: it was made on the token."""
    always_sensitive: bool
    never_extractable: bool
    extractable: bool
    mechanism: int | None
    """CKA_KEY_GEN_MECHANISM; None when the token does not tell."""

    @classmethod
    def parse(cls, text: str) -> "KeyBirth":
        """Raise InvalidRequest for a statement in another form."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise InvalidRequest(
                "what the request says of how its key was made is in a form that is not known here; install the newest "
                "U-Shield tool, and run the same command again"
            )
        *said, mechanism = found.groups()
        local, always_sensitive, never_extractable, extractable = (word == "yes" for word in said)
        told = None if mechanism == "unknown" else int(mechanism, 16)
        return cls(local, always_sensitive, never_extractable, extractable, told)

    @property
    def text(self) -> str:
        """As it was said."""
        said = {
            "local": self.local,
            "always-sensitive": self.always_sensitive,
            "never-extractable": self.never_extractable,
            "extractable": self.extractable,
        }
        words = " ".join(f"{name}={'yes' if holds else 'no'}" for name, holds in said.items())
        return f"key-birth-1 {words} mechanism={'unknown' if self.mechanism is None else f'{self.mechanism:08x}'}"

    def flaws(self, algorithm: KeyAlgorithm) -> list[str]:
        """Why a key of this kind must not be certified; empty when it was made on the U-Shield and never leaves it."""
        return [
            words
            for holds, words in (
                (self.local, "it was not made on the U-Shield"),
                (self._makes(algorithm), "it was made in a way that makes no key of its kind"),
                (self.always_sensitive, "it could be shown in the clear"),
                (self.never_extractable and not self.extractable, "it can be, or could be, taken out of the U-Shield"),
            )
            if not holds
        ]

    def _makes(self, algorithm: KeyAlgorithm) -> bool:
        if self.mechanism is None or self.mechanism >= _VENDORS:
            return True
        return self.mechanism in (_RSA if algorithm.value.startswith("rsa") else _EC)
