"""Only keys made in the HSM, for signing alone, that cannot leave it may sign."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType, SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11.constants import Attribute, MechanismFlag, ObjectClass
from pkcs11.exceptions import AttributeSensitive, AttributeTypeInvalid, PKCS11Error
from pkcs11.mechanisms import KeyType
from pkcs11.types import Key, PrivateKey, PublicKey, SecretKey, Session
from pkcs11.util.ec import decode_ec_public_key

from ca.adapters.hsm.key_store import Pkcs11KeyStore
from ca.adapters.hsm.key_store import _generate as _generate_pair
from ca.adapters.hsm.objects import CURVES, find_key, public_key_der, require_guarded
from ca.adapters.hsm.seals import Pkcs11Seals, generate_seal_key
from ca.adapters.hsm.seals import _generate as _generate_seal_key
from ca.adapters.hsm.sessions import TokenSessions, Worker
from ca.adapters.hsm.tokens import HsmToken, read_pin
from ca.domain.errors import InvalidTransition, NotFound, SigningRefused
from ca.domain.keys import KeyAlgorithm
from ca.ports import KeyId

pytestmark = pytest.mark.softhsm

ID = KeyId(b"\x01")
OTHER_ID = KeyId(b"\x02")
P256 = KeyAlgorithm.EC_P256
Treatment = Callable[[dict[Attribute, object]], dict[Attribute, object]]
Generate = Callable[[Worker, Treatment], None]


def make_pair(
    session: Session, key: KeyId, curve: bytes = CURVES[P256][1], private: Mapping[str, bool] = MappingProxyType({})
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
    public, _ = sessions.run(lambda worker: make_pair(worker.session, ID, private=weakness))

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


class OtherHsm:
    """A session of an HSM that treats templates in its own way; the rest is SoftHSM's."""

    def __init__(self, session: Session, treat: Treatment) -> None:
        self._session = session
        self._treat = treat

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)

    def create_domain_parameters(self, *given: object, **named: object) -> object:
        parameters = self._session.create_domain_parameters(*given, **named)  # type: ignore[arg-type]  # passed through

        def generate_keypair(**wishes: Any) -> tuple[PublicKey, PrivateKey]:
            return parameters.generate_keypair(
                **wishes | {"private_template": self._treat(dict(wishes["private_template"]))}
            )

        return SimpleNamespace(generate_keypair=generate_keypair)

    def generate_key(self, *given: Any, **wishes: Any) -> SecretKey:
        return self._session.generate_key(*given, **wishes | {"template": self._treat(dict(wishes["template"]))})


def know_no_destroyable(template: dict[Attribute, object]) -> dict[Attribute, object]:
    if Attribute.DESTROYABLE in template:
        raise AttributeTypeInvalid
    return template


def make_all_extractable(template: dict[Attribute, object]) -> dict[Attribute, object]:
    return template | {Attribute.EXTRACTABLE: True, Attribute.DESTROYABLE: True}


def make_all_extractable_and_indestructible(template: dict[Attribute, object]) -> dict[Attribute, object]:
    return template | {Attribute.EXTRACTABLE: True}


def generate_pair_in(worker: Worker, treat: Treatment) -> None:
    _generate_pair(replace(worker, session=cast("Session", OtherHsm(worker.session, treat))), ID, "a key", P256)


def generate_secret_in(worker: Worker, treat: Treatment) -> None:
    _generate_seal_key(replace(worker, session=cast("Session", OtherHsm(worker.session, treat))), ID, "seals")


@pytest.mark.parametrize("generate", [generate_pair_in, generate_secret_in], ids=["key pair", "seal key"])
def test_an_hsm_with_older_attributes_still_makes_a_guarded(sessions: TokenSessions, generate: Generate) -> None:
    sessions.run(lambda worker: generate(worker, know_no_destroyable))

    assert sessions.run(lambda worker: len(list(worker.session.get_objects({Attribute.ID: bytes(ID)})))) in {1, 2}


@pytest.mark.parametrize("generate", [generate_pair_in, generate_secret_in], ids=["key pair", "seal key"])
def test_what_an_hsm_made_extractable_against_our_wish_is_refused_and_destroyed(
    sessions: TokenSessions, generate: Generate
) -> None:
    with pytest.raises(SigningRefused, match="EXTRACTABLE is True"):
        sessions.run(lambda worker: generate(worker, make_all_extractable))

    assert sessions.run(lambda worker: list(worker.session.get_objects({Attribute.ID: bytes(ID)}))) == []


def test_an_extractable_key_that_cannot_be_destroyed_still_may_not_sign(
    key_store: Pkcs11KeyStore, sessions: TokenSessions
) -> None:
    with pytest.raises(SigningRefused, match="EXTRACTABLE is True"):
        sessions.run(lambda worker: generate_pair_in(worker, make_all_extractable_and_indestructible))

    with pytest.raises(SigningRefused, match="EXTRACTABLE is True"):
        key_store.sign(ID, b"message")
