"""How a key object in the HSM must look: made there, able to sign and nothing else, never to leave.

CPS section 6.2; NIST SP 800-57 part 1 section 5.3.6. Whatever does not look so is refused, also if it was put there
by somebody with the PIN.
"""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar, cast

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11.constants import Attribute, ObjectClass
from pkcs11.exceptions import AttributeSensitive, AttributeTypeInvalid
from pkcs11.mechanisms import KeyType
from pkcs11.types import PrivateKey, PublicKey, SecretKey, Session

from ca.domain.errors import InvalidRequest, InvalidTransition, NotFound, SigningRefused
from ca.domain.keys import KeyAlgorithm
from ca.ports import KeyId

_Key = TypeVar("_Key", PrivateKey, PublicKey, SecretKey)
_CLASS: dict[type, ObjectClass] = {
    PrivateKey: ObjectClass.PRIVATE_KEY,
    PublicKey: ObjectClass.PUBLIC_KEY,
    SecretKey: ObjectClass.SECRET_KEY,
}

CURVES: dict[KeyAlgorithm, tuple[ec.EllipticCurve, bytes]] = {
    # The named curve as CKA_EC_PARAMS has it: the DER of its object identifier (RFC 5480 section 2.1.1.1).
    KeyAlgorithm.EC_P256: (ec.SECP256R1(), bytes.fromhex("06082a8648ce3d030107")),
    KeyAlgorithm.EC_P384: (ec.SECP384R1(), bytes.fromhex("06052b81040022")),
}
RSA_BITS: dict[KeyAlgorithm, int] = {
    KeyAlgorithm.RSA_2048: 2048,
    KeyAlgorithm.RSA_3072: 3072,
    KeyAlgorithm.RSA_4096: 4096,
}

# What we ask for when the key is made. Defaults differ between HSMs: some make keys extractable unless told.
GUARDED: dict[Attribute, bool] = {
    Attribute.TOKEN: True,
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.SIGN: True,
    Attribute.DECRYPT: False,
    Attribute.UNWRAP: False,
    Attribute.DERIVE: False,
}
# What some HSMs do not know; asked for first, left out if refused.
GUARDED_FURTHER: dict[Attribute, bool] = {
    Attribute.MODIFIABLE: False,
    Attribute.COPYABLE: False,
    Attribute.DESTROYABLE: False,
}
# What we read back, of the old keys too. The last three only the HSM itself can set.
_REQUIRED: dict[Attribute, bool] = {
    **GUARDED,
    Attribute.LOCAL: True,
    Attribute.NEVER_EXTRACTABLE: True,
    Attribute.ALWAYS_SENSITIVE: True,
}
# An HSM need not have these uses for every kind of key; not to have one is as good as not to allow it.
_MAY_BE_ABSENT = frozenset({Attribute.DECRYPT, Attribute.UNWRAP, Attribute.DERIVE})


class Attributes(Protocol):
    """The part of a key object that is looked at here."""

    def __getitem__(self, attribute: Attribute, /) -> Any: ...


def find_key(session: Session, kind: type[_Key], key: KeyId) -> _Key:
    """The one key of that class and CKA_ID. Raises NotFound, or SigningRefused if several have it."""
    # To the end, always: an abandoned search stays active in its session.
    found = list(session.get_objects({Attribute.CLASS: _CLASS[kind], Attribute.ID: _id(key)}))
    if not found:
        raise NotFound(f"the HSM holds no {_name(kind)} with id {key.hex()}")
    if len(found) > 1:
        raise SigningRefused(f"{len(found)} {_name(kind)}s in the HSM have id {key.hex()}: which one is ours?")
    return cast("_Key", found[0])


def require_free(session: Session, key: KeyId) -> None:
    """Raise InvalidTransition if any object has that CKA_ID."""
    if list(session.get_objects({Attribute.ID: _id(key)})):
        raise InvalidTransition(f"the HSM holds a key with id {key.hex()} already")


def _id(key: KeyId) -> bytes:
    if not key:
        raise InvalidRequest("a key id has at least one octet")
    return bytes(key)


def _name(kind: type) -> str:
    return _CLASS[kind].name.lower().replace("_", " ")


def require_guarded(key: Attributes, name: str) -> None:
    """Raise SigningRefused unless the key was made in the HSM, can only sign, and cannot leave or ever could."""
    wrong = [
        f"{attribute.name} is {'unknown' if value is None else value}"
        for attribute, wanted in _REQUIRED.items()
        if (value := _read(key, attribute)) is not wanted and not (value is None and attribute in _MAY_BE_ABSENT)
    ]
    if wrong:
        raise SigningRefused(f"key {name} in the HSM is not guarded as it must be: {', '.join(wrong)}")


def _read(key: Attributes, attribute: Attribute) -> bool | None:
    try:
        return bool(key[attribute])
    except (AttributeTypeInvalid, AttributeSensitive):
        return None


def algorithm_of(key: Attributes) -> KeyAlgorithm:
    """Which of our kinds of key this is, by its own parameters. Raises SigningRefused for any other."""
    if key[Attribute.KEY_TYPE] == KeyType.EC:
        parameters = key[Attribute.EC_PARAMS]
        return _only([kind for kind, (_, named) in CURVES.items() if named == parameters], "curve")
    if key[Attribute.KEY_TYPE] == KeyType.RSA:
        bits = int.from_bytes(key[Attribute.MODULUS], "big").bit_length()
        return _only([kind for kind, size in RSA_BITS.items() if size == bits], f"size ({bits} bits)")
    raise SigningRefused("the HSM key is neither RSA nor on an elliptic curve")


def _only(kinds: list[KeyAlgorithm], what: str) -> KeyAlgorithm:
    if not kinds:
        raise SigningRefused(f"the HSM key has a {what} we do not use")
    return kinds[0]


def public_key_der(key: Attributes) -> bytes:
    """SubjectPublicKeyInfo, DER. Raises SigningRefused if the object holds no key of our kinds."""
    algorithm = algorithm_of(key)
    public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    try:
        if algorithm in CURVES:
            curve, _ = CURVES[algorithm]
            public = ec.EllipticCurvePublicKey.from_encoded_point(curve, _point(key[Attribute.EC_POINT], curve))
        else:
            modulus, exponent = key[Attribute.MODULUS], key[Attribute.PUBLIC_EXPONENT]
            public = rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")).public_key()
    except ValueError as error:
        raise SigningRefused("the public key in the HSM is damaged") from error
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _point(value: bytes, curve: ec.EllipticCurve) -> bytes:
    """CKA_EC_POINT is an OCTET STRING around the point; some HSMs leave the wrapping out."""
    size = 1 + 2 * ((curve.key_size + 7) // 8)
    return value if len(value) == size else value.removeprefix(bytes([0x04, size]))


def guarded_template(*, further: bool) -> Mapping[Attribute, bool]:
    """What to ask of the HSM for a private or secret key."""
    return {**GUARDED, **(GUARDED_FURTHER if further else {})}
