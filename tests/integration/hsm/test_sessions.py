"""One login, a bounded pool, a wrong PIN tried once, a lost HSM found again."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pkcs11.constants import TokenFlag

from ca.adapters.hsm.key_store import Pkcs11KeyStore
from ca.adapters.hsm.module import Module
from ca.adapters.hsm.seals import Pkcs11Seals, generate_seal_key
from ca.adapters.hsm.sessions import TokenSessions, Worker, require_pin_can_be_tried
from ca.adapters.hsm.tokens import HsmToken, TokenDirectory, initialise_token, read_pin
from ca.domain.errors import KeyStoreUnavailable, NotReady, PKIError
from ca.domain.keys import KeyAlgorithm, PublicKey
from ca.ports import KeyId

pytestmark = pytest.mark.softhsm

ID = KeyId(b"\x01")
SEAL_ID = KeyId(b"\x20")
P256 = KeyAlgorithm.EC_P256
SPY = Path("/usr/lib/x86_64-linux-gnu/pkcs11-spy.so")


def lose_sessions(sessions: TokenSessions) -> None:
    sessions._module.close_all_sessions(sessions._opened_token)


def write_pin(path: Path, pin: str) -> None:
    path.chmod(0o600)
    path.write_text(pin)
    path.chmod(0o400)


@contextmanager
def busy_worker(sessions: TokenSessions) -> Iterator[None]:
    """One worker is inside the HSM while the block runs."""
    inside, done = threading.Event(), threading.Event()

    def dawdle(_: Worker) -> None:
        inside.set()
        done.wait(30)

    thread = threading.Thread(target=lambda: sessions.run(dawdle))
    thread.start()
    inside.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.fixture(scope="session")
def spy_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The spy opens its log once in a process."""
    return tmp_path_factory.mktemp("spy") / "log"


@pytest.fixture
def spied(token: HsmToken, spy_log: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many times since now the token was asked to accept a PIN, counted between us and the module."""
    monkeypatch.setenv("PKCS11SPY", str(token.module))
    monkeypatch.setenv("PKCS11SPY_OUTPUT", str(spy_log))
    before = spy_log.read_text().count("C_Login\n") if spy_log.exists() else 0
    return lambda: spy_log.read_text().count("C_Login\n") - before


def test_eight_threads_sign_and_seal_at_once_without_an_error(
    key_store: Pkcs11KeyStore, sessions: TokenSessions
) -> None:
    public = PublicKey.from_spki(key_store.generate(ID, "a key", P256))
    generate_seal_key(sessions, SEAL_ID, "seals")
    seals = Pkcs11Seals(sessions, SEAL_ID)

    def work(number: int) -> int:
        for count in range(200):
            message = f"{number} {count}".encode()
            public.verify(key_store.sign(ID, message), message)
            seals.require("test", message, seals.seal("test", message))
        return 200

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(work, range(8))) == 1600


def test_keys_are_made_while_others_sign_without_pause(key_store: Pkcs11KeyStore, sessions: TokenSessions) -> None:
    public = PublicKey.from_spki(key_store.generate(ID, "a key", P256))
    enough = threading.Event()

    def sign() -> int:
        count = 0
        while not enough.is_set():
            public.verify(key_store.sign(ID, b"message"), b"message")
            count += 1
        return count

    with ThreadPoolExecutor(8) as threads:
        signers = [threads.submit(sign) for _ in range(6)]
        makers = [threads.submit(key_store.generate, KeyId(bytes([2, n])), "new", P256) for n in range(20)]
        made = {maker.result() for maker in makers}
        enough.set()

    assert len(made) == 20
    assert sum(signer.result() for signer in signers) > 0
    assert sessions._generation == 0


def test_threads_that_find_their_sessions_lost_together_log_in_once(
    key_store: Pkcs11KeyStore, sessions: TokenSessions
) -> None:
    public = PublicKey.from_spki(key_store.generate(ID, "a key", P256))
    together = threading.Barrier(4)

    def meet(_: Worker) -> None:
        together.wait(30)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: sessions.run(meet), range(4)))
        lose_sessions(sessions)
        signatures = list(threads.map(lambda _: key_store.sign(ID, b"message"), range(8)))

    for signature in signatures:
        public.verify(signature, b"message")
    assert sessions._generation == 1


def test_a_key_is_signed_with_again_after_the_sessions_were_lost(
    key_store: Pkcs11KeyStore, sessions: TokenSessions
) -> None:
    made = key_store.generate(ID, "a key", P256)
    lose_sessions(sessions)

    PublicKey.from_spki(made).verify(key_store.sign(ID, b"message"), b"message")


def test_a_key_is_made_after_the_sessions_were_lost(key_store: Pkcs11KeyStore, sessions: TokenSessions) -> None:
    key_store.generate(ID, "a key", P256)
    lose_sessions(sessions)

    key_store.generate(KeyId(b"\x02"), "another", P256)


@pytest.mark.parametrize(("alone", "tries"), [(False, 2), (True, 1)], ids=["repeated", "never repeated"])
def test_what_loses_its_session_in_the_middle_is(sessions: TokenSessions, alone: bool, tries: int) -> None:
    tried = []

    def lose_in_the_middle(worker: Worker) -> None:
        tried.append(worker)
        lose_sessions(sessions)
        worker.session.generate_random(64)

    with pytest.raises(KeyStoreUnavailable, match="SessionHandleInvalid"):
        (sessions.run_alone if alone else sessions.run)(lose_in_the_middle)

    assert len(tried) == tries


def test_a_token_that_goes_away_is_found_again_when_it_is_back(
    key_store: Pkcs11KeyStore, sessions: TokenSessions, directory: TokenDirectory, tmp_path: Path
) -> None:
    made = key_store.generate(ID, "a key", P256)
    files = next(directory.tokens.iterdir())
    files.rename(tmp_path / "away")
    lose_sessions(sessions)

    for _ in range(2):
        with pytest.raises(KeyStoreUnavailable, match="no token labelled"):
            key_store.sign(ID, b"message")
    (tmp_path / "away").rename(files)

    PublicKey.from_spki(made).verify(key_store.sign(ID, b"message"), b"message")


def test_a_module_that_does_not_start_again_is_tried_again_later(
    key_store: Pkcs11KeyStore, sessions: TokenSessions, directory: TokenDirectory, tmp_path: Path
) -> None:
    made = key_store.generate(ID, "a key", P256)
    directory.tokens.rename(tmp_path / "away")
    lose_sessions(sessions)

    with pytest.raises(KeyStoreUnavailable, match="would not start"):
        key_store.sign(ID, b"message")
    (tmp_path / "away").rename(directory.tokens)

    PublicKey.from_spki(made).verify(key_store.sign(ID, b"message"), b"message")


def test_a_wrong_pin_is_tried_exactly_once(token: HsmToken) -> None:
    write_pin(token.pin_file, "wrong-pin")

    with pytest.raises(NotReady, match=r"refuses the PIN .* tried once"):
        TokenSessions.open(token)

    module = Module(token.module, token.configuration)
    flags = module.token_state(module.find_token(token.label)).flags
    module.close()
    assert TokenFlag.USER_PIN_COUNT_LOW in flags


@pytest.mark.opensc
def test_a_wrong_pin_reaches_the_hsm_once_at_start(token: HsmToken, spied: Callable[[], int]) -> None:
    write_pin(token.pin_file, "wrong-pin")

    with pytest.raises(NotReady, match="refuses the PIN"):
        TokenSessions.open(replace(token, module=SPY))

    assert spied() == 1


@pytest.mark.opensc
def test_a_pin_that_became_wrong_is_not_tried_again_for_every_request(
    token: HsmToken, spied: Callable[[], int]
) -> None:
    with TokenSessions.open(replace(token, module=SPY)) as sessions:
        key_store = Pkcs11KeyStore(sessions)
        key_store.generate(ID, "a key", P256)
        write_pin(token.pin_file, "wrong-pin")
        lose_sessions(sessions)

        for _ in range(5):
            with pytest.raises(NotReady, match="not be tried again before a restart"):
                key_store.sign(ID, b"message")

    assert spied() == 2


def test_the_right_pin_works_after_a_wrong_one_in_the_same_process(token: HsmToken) -> None:
    right = read_pin(token.pin_file)
    write_pin(token.pin_file, "wrong-pin")
    with pytest.raises(NotReady):
        TokenSessions.open(token)
    write_pin(token.pin_file, right)

    with TokenSessions.open(token) as sessions:
        Pkcs11KeyStore(sessions).generate(ID, "a key", P256)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (TokenFlag.USER_PIN_INITIALIZED | TokenFlag.USER_PIN_LOCKED, "is locked: unblock it with the SO PIN"),
        (TokenFlag.USER_PIN_INITIALIZED | TokenFlag.USER_PIN_FINAL_TRY, "one more wrong PIN locks"),
        (TokenFlag.TOKEN_INITIALIZED, "has no PIN yet"),
    ],
    ids=["locked", "one try left", "no PIN"],
)
def test_a_pin_is_not_tried_when_it_is(flags: TokenFlag, sentence: str) -> None:
    with pytest.raises(NotReady, match=sentence):
        require_pin_can_be_tried("token", flags)


def test_a_full_pool_is_waited_for_no_longer_than_the_patience(token: HsmToken) -> None:
    with TokenSessions.open(token, workers=1, patience=timedelta(seconds=0.2)) as sessions:
        key_store = Pkcs11KeyStore(sessions)
        made = key_store.generate(ID, "a key", P256)

        with busy_worker(sessions), pytest.raises(KeyStoreUnavailable, match="were busy"):
            key_store.sign(ID, b"message")

        PublicKey.from_spki(made).verify(key_store.sign(ID, b"message"), b"message")


def test_the_module_is_not_restarted_under_a_hanging_operation(token: HsmToken) -> None:
    with TokenSessions.open(token, workers=2, patience=timedelta(seconds=0.2)) as sessions:
        key_store = Pkcs11KeyStore(sessions)
        made = key_store.generate(ID, "a key", P256)

        with busy_worker(sessions):
            lose_sessions(sessions)
            with pytest.raises(KeyStoreUnavailable, match="hangs"):
                key_store.sign(ID, b"message")

        PublicKey.from_spki(made).verify(key_store.sign(ID, b"message"), b"message")


def test_the_token_is_not_closed_under_a_running_operation(token: HsmToken) -> None:
    sessions = TokenSessions.open(token, patience=timedelta(seconds=0.2))

    with busy_worker(sessions), pytest.raises(KeyStoreUnavailable, match="still running"):
        sessions.close()

    sessions.close()


def test_a_closed_token_signs_no_more(key_store: Pkcs11KeyStore, sessions: TokenSessions) -> None:
    key_store.generate(ID, "a key", P256)
    sessions.close()
    sessions.close()

    with pytest.raises(KeyStoreUnavailable, match="closed"):
        key_store.sign(ID, b"message")


def test_a_refusal_in_the_middle_leaks_no_session(token: HsmToken) -> None:
    with TokenSessions.open(token, workers=1, patience=timedelta(seconds=0.2)) as sessions:
        key_store = Pkcs11KeyStore(sessions)
        for _ in range(5):
            with pytest.raises(PKIError):
                key_store.sign(ID, b"message")

        assert len(sessions._idle) == 1


def test_two_tokens_are_opened_one_after_the_other_in_one_process(tmp_path: Path) -> None:
    made = {}
    for name in ("root", "issuing"):
        with TokenSessions.open(initialise_token(TokenDirectory(tmp_path / name), name)) as sessions:
            made[name] = Pkcs11KeyStore(sessions).generate(ID, name, P256)

    for name in ("root", "issuing"):
        with TokenSessions.open(TokenDirectory(tmp_path / name).token(name)) as sessions:
            Pkcs11KeyStore(sessions).verify_key(ID, made[name])


def test_a_forked_child_may_not_use_its_parents_token(key_store: Pkcs11KeyStore) -> None:
    key_store.generate(ID, "a key", P256)

    child = os.fork()
    if child == 0:
        try:
            key_store.sign(ID, b"message")
        except NotReady:
            os._exit(7)
        finally:
            os._exit(1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_missing_mechanism_is_named(token: HsmToken) -> None:
    limit_mechanisms(token, "-,CKM_ECDSA")

    with TokenSessions.open(token) as sessions, pytest.raises(KeyStoreUnavailable, match="lacks CKM_ECDSA"):
        Pkcs11KeyStore(sessions).require_mechanisms([KeyAlgorithm.RSA_2048, P256])


def test_a_missing_way_to_make_keys_is_named(token: HsmToken) -> None:
    limit_mechanisms(token, "-,CKM_EC_KEY_PAIR_GEN")

    with TokenSessions.open(token) as sessions, pytest.raises(KeyStoreUnavailable, match="lacks CKM_EC_KEY_PAIR_GEN"):
        Pkcs11KeyStore(sessions).generate(ID, "a key", P256)


def test_rsa_signs_without_the_combined_mechanism(token: HsmToken) -> None:
    limit_mechanisms(token, "-,CKM_SHA256_RSA_PKCS")

    with TokenSessions.open(token) as sessions:
        key_store = Pkcs11KeyStore(sessions)
        key_store.require_mechanisms([KeyAlgorithm.RSA_2048])
        public = PublicKey.from_spki(key_store.generate(ID, "a key", KeyAlgorithm.RSA_2048))
        public.verify(key_store.sign(ID, b"message"), b"message")


def test_seals_without_hmac_in_the_hsm_name_what_is_missing(token: HsmToken) -> None:
    limit_mechanisms(token, "-,CKM_SHA256_HMAC")

    with TokenSessions.open(token) as sessions, pytest.raises(KeyStoreUnavailable, match="lacks CKM_SHA256_HMAC"):
        generate_seal_key(sessions, SEAL_ID, "seals")


def test_a_token_whose_files_are_gone_is_said_to_be_missing(token: HsmToken, directory: TokenDirectory) -> None:
    shutil.rmtree(next(directory.tokens.iterdir()))

    with pytest.raises(KeyStoreUnavailable, match='no token labelled "vermilion-test"'):
        TokenSessions.open(token)


def limit_mechanisms(token: HsmToken, setting: str) -> None:
    assert token.configuration is not None
    with token.configuration.open("a") as file:
        file.write(f"slots.mechanisms = {setting}\n")
