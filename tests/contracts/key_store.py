"""What every KeyStore and every Seals must do. A test class per implementation inherits these and gives the fixture."""

import pytest

from ca.domain.errors import InvalidRequest, InvalidTransition, NotFound, Tampered
from ca.domain.keys import KeyAlgorithm, PublicKey
from ca.ports import KeyId, KeyStore, Seals

ID = KeyId(b"\x01")
OTHER_ID = KeyId(b"\x01\x00")
MESSAGE = b"0\x82 what is to be signed"


class KeyStoreContract:
    @pytest.mark.parametrize("algorithm", [KeyAlgorithm.EC_P256, KeyAlgorithm.EC_P384, KeyAlgorithm.RSA_2048])
    def test_signatures_verify_under_the_public_key_given_at_generation(
        self, key_store: KeyStore, algorithm: KeyAlgorithm
    ) -> None:
        public = PublicKey.from_spki(key_store.generate(ID, "a key", algorithm))

        signature = key_store.sign(ID, MESSAGE)

        assert public.algorithm is algorithm
        public.verify(signature, MESSAGE)

    def test_the_public_key_stays_what_it_was_at_generation(self, key_store: KeyStore) -> None:
        made = key_store.generate(ID, "a key", KeyAlgorithm.EC_P256)

        assert key_store.public_key(ID) == made

    def test_messages_of_any_length_can_be_signed(self, key_store: KeyStore) -> None:
        public = PublicKey.from_spki(key_store.generate(ID, "a key", KeyAlgorithm.EC_P256))

        public.verify(key_store.sign(ID, b""), b"")
        public.verify(key_store.sign(ID, bytes(3_000_000)), bytes(3_000_000))

    @pytest.mark.parametrize("algorithm", [KeyAlgorithm.EC_P256, KeyAlgorithm.EC_P384, KeyAlgorithm.RSA_2048])
    def test_a_message_in_chunks_is_signed_as_if_it_were_whole(
        self, key_store: KeyStore, algorithm: KeyAlgorithm
    ) -> None:
        public = PublicKey.from_spki(key_store.generate(ID, "a key", algorithm))
        chunks = [MESSAGE, b"", bytes(1_000_000)]

        signature = key_store.sign(ID, chunks)

        public.verify(signature, b"".join(chunks))
        public.verify(signature, chunks)
        with pytest.raises(InvalidRequest):
            public.verify(signature, chunks[:2])

    def test_many_messages_are_signed_in_their_order_or_none(self, key_store: KeyStore) -> None:
        public = PublicKey.from_spki(key_store.generate(ID, "a key", KeyAlgorithm.EC_P256))
        messages = [bytes((number,)) for number in range(5)]

        for message, signature in zip(messages, key_store.sign_each(ID, messages), strict=True):
            public.verify(signature, message)

        assert key_store.sign_each(ID, []) == []
        with pytest.raises(NotFound):
            key_store.sign_each(OTHER_ID, messages)

    def test_keys_with_one_label_are_told_apart_by_their_id(self, key_store: KeyStore) -> None:
        first = PublicKey.from_spki(key_store.generate(ID, "same", KeyAlgorithm.EC_P256))
        second = PublicKey.from_spki(key_store.generate(OTHER_ID, "same", KeyAlgorithm.EC_P256))

        first.verify(key_store.sign(ID, MESSAGE), MESSAGE)
        second.verify(key_store.sign(OTHER_ID, MESSAGE), MESSAGE)

    def test_an_id_in_use_is_never_given_to_a_second_key(self, key_store: KeyStore) -> None:
        made = key_store.generate(ID, "a key", KeyAlgorithm.EC_P256)

        with pytest.raises(InvalidTransition, match="already"):
            key_store.generate(ID, "another", KeyAlgorithm.EC_P256)

        assert key_store.public_key(ID) == made

    def test_an_unknown_key_is_not_found(self, key_store: KeyStore) -> None:
        with pytest.raises(NotFound):
            key_store.public_key(ID)
        with pytest.raises(NotFound):
            key_store.sign(ID, MESSAGE)

    def test_an_empty_id_names_no_key(self, key_store: KeyStore) -> None:
        with pytest.raises(InvalidRequest):
            key_store.generate(KeyId(b""), "a key", KeyAlgorithm.EC_P256)


class SealsContract:
    def test_our_own_seal_is_accepted(self, seals: Seals) -> None:
        seal = seals.seal("officer", MESSAGE)

        seals.require("officer", MESSAGE, seal)
        assert len(seal) == 32

    def test_the_same_message_gets_the_same_seal(self, seals: Seals) -> None:
        assert seals.seal("officer", MESSAGE) == seals.seal("officer", MESSAGE)

    @pytest.mark.parametrize(
        ("purpose", "message"),
        [("officer", b"another message"), ("session", MESSAGE), ("office", b"r" + MESSAGE), ("", b"officer" + MESSAGE)],
        ids=["another message", "another purpose", "a shifted border", "no purpose"],
    )
    def test_a_seal_of_something_else_is_refused(self, seals: Seals, purpose: str, message: bytes) -> None:
        seal = seals.seal(purpose, message)

        with pytest.raises(Tampered):
            seals.require("officer", MESSAGE, seal)

    @pytest.mark.parametrize("seal", [b"", bytes(32), bytes(64)], ids=["empty", "zeros", "too long"])
    def test_what_is_no_seal_is_refused(self, seals: Seals, seal: bytes) -> None:
        with pytest.raises(Tampered):
            seals.require("officer", MESSAGE, seal)

    def test_a_cut_seal_is_refused(self, seals: Seals) -> None:
        with pytest.raises(Tampered):
            seals.require("officer", MESSAGE, seals.seal("officer", MESSAGE)[:-1])
