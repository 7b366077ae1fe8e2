"""Officers' passkeys, checked with the webauthn library (WebAuthn level 2, sections 7.1 and 7.2).

What we insist on beyond the library's defaults: the user was verified (PIN, finger, face), the page was not framed by
another origin, ES256 or RS256 with a key of at least 112 bits of strength, and no attestation but none or packed: we
ask for none, and parsers for formats we never ask for are only attack surface.
"""

import json
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import (
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_attestation_object,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    RegistrationCredential,
)

from ca.domain.decisions import Assertion
from ca.domain.errors import NotAuthenticated
from ca.domain.officers import Credential

ALGORITHMS = [COSEAlgorithmIdentifier.ECDSA_SHA_256, COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256]
_ATTESTATIONS = {AttestationFormat.NONE, AttestationFormat.PACKED}
_MINIMUM_RSA_BITS = 2048

# The library lets errors of its parsers through when a message is malformed in a way it did not foresee.
_MALFORMED = (
    WebAuthnException,
    UnsupportedAlgorithm,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class WebAuthnAuthenticators:
    """Implements `ports.Authenticators` for one relying party and the origins its pages are served from."""

    relying_party: str
    origins: tuple[str, ...]

    def verify_assertion(
        self, assertion: Assertion, *, challenge: bytes, public_key: bytes, previous_sign_count: int = 0
    ) -> int:
        """The new sign count. Raises NotAuthenticated unless the key signed this challenge here, user verified.

        A count that does not grow tells of a copied key (section 7.2 step 21); passkeys that are synchronised always
        say 0, which passes.
        """
        credential = AuthenticationCredential(
            id=bytes_to_base64url(assertion.credential_id),
            raw_id=assertion.credential_id,
            response=AuthenticatorAssertionResponse(
                client_data_json=assertion.client_data,
                authenticator_data=assertion.authenticator_data,
                signature=assertion.signature,
            ),
        )
        try:
            verified = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.relying_party,
                expected_origin=list(self.origins),
                credential_public_key=public_key,
                credential_current_sign_count=previous_sign_count,
                require_user_verification=True,
            )
            _require_top_level(assertion.client_data)
        except _MALFORMED as error:
            raise NotAuthenticated("the passkey's answer does not prove who you are; try again") from error
        return verified.new_sign_count

    def verify_registration(self, registration: str, *, challenge: bytes, label: str) -> Credential:
        """The new passkey of a registration response (JSON text). Raises NotAuthenticated."""
        try:
            credential = parse_registration_credential_json(registration)
            _require_attestation_we_asked_for(credential)
            verified = verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.relying_party,
                expected_origin=list(self.origins),
                require_user_verification=True,
                supported_pub_key_algs=ALGORITHMS,
            )
            _require_top_level(credential.response.client_data_json)
            _require_strong_key(verified.credential_public_key)
        except _MALFORMED as error:
            raise NotAuthenticated("this passkey cannot be accepted; make it again on this page") from error
        return Credential(
            id=verified.credential_id,
            public_key=verified.credential_public_key,
            label=label,
            sign_count=verified.sign_count,
        )


def _require_top_level(client_data: bytes) -> None:
    # We never frame our pages: an assertion made in a frame of another site is a trick (section 5.8.1).
    if json.loads(client_data).get("crossOrigin", False) is not False:
        raise ValueError("made in a frame of another site")


def _require_attestation_we_asked_for(credential: RegistrationCredential) -> None:
    attestation = parse_attestation_object(credential.response.attestation_object)
    if attestation.fmt not in _ATTESTATIONS:
        raise ValueError(f"attestation format {attestation.fmt!r} was not asked for")


def _require_strong_key(cose_key: bytes) -> None:
    key = decoded_public_key_to_cryptography(decode_credential_public_key(cose_key))
    match key:
        case EllipticCurvePublicKey(curve=SECP256R1()):
            return
        case RSAPublicKey(key_size=bits) if bits >= _MINIMUM_RSA_BITS:
            return
    raise ValueError("the key is of a kind or strength we do not accept")
