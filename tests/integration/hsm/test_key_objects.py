"""Only keys made in the HSM, for signing alone, that cannot leave it may sign."""

import subprocess
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11.constants import Attribute, MechanismFlag, ObjectClass
from pkcs11.exceptions import AttributeSensitive, PKCS11Error
from pkcs11.mechanisms import KeyType
from pkcs11.types import Key, PrivateKey, PublicKey, SecretKey, Session
from pkcs11.util.ec import decode_ec_public_key

from ca.adapters.hsm.key_store import Pkcs11KeyStore
from ca.adapters.hsm.objects import CURVES, find_key, public_key_der, require_guarded
from ca.adapters.hsm.seals import Pkcs11Seals, generate_seal_key
from ca.adapters.hsm.sessions import TokenSessions
from ca.adapters.hsm.tokens import HsmToken, read_pin
from ca.domain.errors import InvalidTransition, NotFound, SigningRefused
from ca.domain.keys import KeyAlgorithm
from ca.ports import KeyId

pytestmark = pytest.mark.softhsm

ID = KeyId(b"\x01")
OTHER_ID = KeyId(b"\x02")
P256 = KeyAlgorithm.EC_P256


def make_pair(
    session: Session, key: KeyId, curve: bytes = CURVES[P256][1], **private: bool
) -> tuple[PublicKey, PrivateKey]:
    """A key pair as somebody with the PIN could make it."""
    template = {Attribute.EXTRACTABLE: False} | {Attribute[name]: value for name, value in private.items()}
    parameters = session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: curve}, local=True)
    return parameters.generate_keypair(
        id=bytes(key),
        label="made by hand",
        store=True,
        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
        private_template=template,
    )


def test_a_generated_private_key_can_only_sign_and_never_leave(
    key_store: Pkcs11KeyStore, sessions: TokenSessions
) -> None:
    key_store.generate(ID, "a key", P256)

    def read(attribute: Attribute) -> object:
        return sessions.run(lambda worker: find_key(worker.session, PrivateKey, ID)[attribute])

    yes = [
        Attribute.SENSITIVE,
        Attribute.ALWAYS_SENSITIVE,
        Attribute.NEVER_EXTRACTABLE,
        Attribute.LOCAL,
        Attribute.SIGN,
    ]
    no = [
        Attribute.EXTRACTABLE,
        Attribute.DECRYPT,
        Attribute.UNWRAP,
        Attribute.DERIVE,
        Attribute.SIGN_RECOVER,
        Attribute.MODIFIABLE,
        Attribute.COPYABLE,
        Attribute.DESTROYABLE,
    ]
    assert [read(attribute) for attribute in yes] == [True] * len(yes)
    assert [read(attribute) for attribute in no] == [False] * len(no)


@pytest.mark.parametrize(
    "theft",
    [
        lambda key: key[Attribute.VALUE],
        lambda key: key.__setitem__(Attribute.EXTRACTABLE, True),
        lambda key: key.__setitem__(Attribute.ID, b"\x09"),
        lambda key: key.destroy(),
    ],
    ids=["read", "made extractable", "renamed", "destroyed"],
)
def test_a_generated_private_key_cannot_be(
    key_store: Pkcs11KeyStore, sessions: TokenSessions, theft: Callable[[Key], object]
) -> None:
    made = key_store.generate(ID, "a key", P256)

    def attempt(session: Session) -> None:
        with pytest.raises(PKCS11Error):
            theft(find_key(session, PrivateKey, ID))

    sessions.run(lambda worker: attempt(worker.session))

    key_store.verify_key(ID, made)


def test_a_seal_key_can_only_seal_and_never_leave(sessions: TokenSessions) -> None:
    generate_seal_key(sessions, ID, "seals")

    def look(session: Session) -> None:
        key = find_key(session, SecretKey, ID)
        require_guarded(key, "seals")
        with pytest.raises(AttributeSensitive):
            key[Attribute.VALUE]

    sessions.run(lambda worker: look(worker.session))


def test_a_seal_key_takes_no_id_in_use(key_store: Pkcs11KeyStore, sessions: TokenSessions) -> None:
    key_store.generate(ID, "a key", P256)

    with pytest.raises(InvalidTransition):
        generate_seal_key(sessions, ID, "seals")


@pytest.mark.opensc
def test_an_independent_program_calls_the_keys_never_extractable(token: HsmToken) -> None:
    with TokenSessions.open(token) as sessions:
        Pkcs11KeyStore(sessions).generate(ID, "a key", P256)
        generate_seal_key(sessions, OTHER_ID, "seals")

    listed = subprocess.run(
        f"pkcs11-tool --module {token.module} --token-label {token.label}".split()
        + f"--login --pin {read_pin(token.pin_file)} --list-objects".split(),
        env={"SOFTHSM2_CONF": str(token.configuration)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert listed.count("Access:     sensitive, always sensitive, never extract") == 2
    assert "Usage:      sign\n" in listed


@pytest.mark.parametrize(
    "weakness",
    [{"EXTRACTABLE": True}, {"DERIVE": True}, {"DECRYPT": True}, {"PRIVATE": False}],
    ids=lambda weakness: next(iter(weakness)).lower(),
)
def test_a_badly_guarded_key_may_not_sign(
    key_store: Pkcs11KeyStore, sessions: TokenSessions, weakness: dict[str, bool]
) -> None:
    public, _ = sessions.run(lambda worker: make_pair(worker.session, ID, **weakness))

    with pytest.raises(SigningRefused, match=next(iter(weakness))):
        key_store.sign(ID, b"message")
    with pytest.raises(SigningRefused, match=next(iter(weakness))):
        key_store.verify_key(ID, sessions.run(lambda _: public_key_der(public)))


def test_an_imported_seal_key_may_not_seal(sessions: TokenSessions) -> None:
    template = {
        Attribute.CLASS: ObjectClass.SECRET_KEY,
        Attribute.KEY_TYPE: KeyType.GENERIC_SECRET,
        Attribute.TOKEN: True,
        Attribute.ID: bytes(ID),
        Attribute.SIGN: True,
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: False,
        Attribute.VALUE: bytes(32),
    }
    sessions.run(lambda worker: worker.session.create_object(template))

    with pytest.raises(SigningRefused, match="LOCAL is False"):
        Pkcs11Seals(sessions, ID).seal("officer", b"message")


def test_a_secret_key_of_another_kind_is_no_seal_key(sessions: TokenSessions) -> None:
    sessions.run(
        lambda worker: worker.session.generate_key(
            KeyType.AES,
            256,
            id=bytes(ID),
            store=True,
            capabilities=MechanismFlag.SIGN,
            template={Attribute.EXTRACTABLE: False},
        )
    )

    with pytest.raises(SigningRefused, match="no generic secret"):
        Pkcs11Seals(sessions, ID).verify_key()


def test_a_key_of_a_kind_we_do_not_use_may_not_sign(key_store: Pkcs11KeyStore, sessions: TokenSessions) -> None:
    secp256k1 = bytes.fromhex("06052b8104000a")
    sessions.run(lambda worker: make_pair(worker.session, ID, secp256k1))

    with pytest.raises(SigningRefused, match="curve"):
        key_store.sign(ID, b"message")


def test_two_private_keys_with_one_id_may_not_sign(key_store: Pkcs11KeyStore, sessions: TokenSessions) -> None:
    key_store.generate(ID, "ours", P256)
    sessions.run(lambda worker: make_pair(worker.session, ID))
    sessions.run(lambda worker: worker.private_keys.clear())

    with pytest.raises(SigningRefused, match="which one is ours"):
        key_store.sign(ID, b"message")


def test_a_key_is_refused_under_another_public_key(key_store: Pkcs11KeyStore) -> None:
    key_store.generate(ID, "a key", P256)
    another = key_store.generate(OTHER_ID, "another", P256)

    with pytest.raises(SigningRefused, match="not the one we know"):
        key_store.verify_key(ID, another)


def test_a_missing_key_is_found_missing_at_start(key_store: Pkcs11KeyStore) -> None:
    with pytest.raises(NotFound):
        key_store.verify_key(ID, b"")


def test_a_public_key_put_beside_another_private_key_is_refused(
    key_store: Pkcs11KeyStore, sessions: TokenSessions
) -> None:
    forged = (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )

    def exchange(session: Session) -> None:
        public, _ = make_pair(session, ID)
        public.destroy()
        session.create_object(decode_ec_public_key(forged) | {Attribute.TOKEN: True, Attribute.ID: bytes(ID)})

    sessions.run(lambda worker: exchange(worker.session))

    with pytest.raises(SigningRefused, match="does not belong"):
        key_store.verify_key(ID, forged)
