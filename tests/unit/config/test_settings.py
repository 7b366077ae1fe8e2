"""config/settings.py and ceremony_files.py: one file, unknown keys refused, the first thing that is wrong is named."""

from datetime import timedelta
from pathlib import Path

import pytest

from ca.domain.errors import InvalidRequest, NotReady
from config.ceremony_files import load_script
from config.settings import DATABASE_VARIABLE, STATE_VARIABLE, State, current_state, load_settings, seconds
from config.shown import told

GOOD = """
public_url = "http://localhost:8080"
enrolment_url = "https://localhost:8443"
origins = ["http://localhost:8081"]
[listening]
https_port = 8443
http_port = 8080
console_port = 8081
"""
DEMO = Path(__file__).parents[3] / "config" / "ceremonies" / "demo.toml"


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path)


def written(state: State, text: str) -> State:
    state.settings_file.write_text(text, "utf-8")
    return state


def test_what_is_not_said_is_safe(state: State) -> None:
    settings = load_settings(written(state, GOOD))
    assert not settings.demo
    assert not settings.officer_certificates
    assert settings.listening.host == "127.0.0.1"
    assert settings.origins == ("http://localhost:8081",)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (GOOD.replace("public_url", "pubilc_url"), "public_url"),
        ("typo = 1\n" + GOOD, "typo"),
        (GOOD + 'host_ = ""\n', "listening.host_"),
        (GOOD.replace("8443\nhttp", "70000\nhttp"), "listening.https_port"),
        (GOOD + "[times]\ncrl_life = 1\n", "times.crl_life"),
        (GOOD + "[times]\ncrl_period = 3601\n", "crl_delta_life"),
        (GOOD + "[times]\ncrl_life = 7199\n", "crl_delta_life"),
        (GOOD + "[times]\nocsp_life = 999999999\n", "times.ocsp_life"),
        (GOOD + "[crls]\npartitions = -1\n", "crls.partitions"),
        (GOOD + "[hsm]\npin = '1234'\n", "hsm.pin"),
        ("officer_certificates = true\n" + GOOD, "origin of the console with https"),
    ],
    ids=[
        "missing",
        "unknown",
        "unknown inside",
        "no port",
        "too short",
        "too long for the delta",
        "too short for the delta",
        "too long",
        "too few",
        "a secret",
        "a door without TLS",
    ],
)
def test_the_first_wrong_key_is_named(state: State, text: str, what: str) -> None:
    with pytest.raises(NotReady, match=what):
        load_settings(written(state, text))


def test_the_second_door_opens_where_the_console_speaks_tls(state: State) -> None:
    text = "officer_certificates = true\n" + GOOD.replace("http://localhost:8081", "https://localhost:8443")
    assert load_settings(written(state, text)).officer_certificates


def test_a_missing_file_says_what_to_do(state: State) -> None:
    with pytest.raises(NotReady, match=r"start with \./run"):
        load_settings(state)


@pytest.mark.parametrize("content", [b"not = = toml", b"\xff\xfe"], ids=["no TOML", "no text"])
def test_a_file_that_cannot_be_read_is_said(state: State, content: bytes) -> None:
    state.settings_file.write_bytes(content)
    with pytest.raises(NotReady, match="cannot be read"):
        load_settings(state)


def test_the_environment_names_the_state_and_nothing_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path))
    assert current_state().directory == tmp_path.resolve()
    monkeypatch.setenv("VERMILION_TYPO", "1")
    with pytest.raises(NotReady, match="VERMILION_TYPO"):
        current_state()


def test_without_a_state_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STATE_VARIABLE, raising=False)
    with pytest.raises(NotReady, match=STATE_VARIABLE):
        current_state()


def test_the_environment_decides_on_the_database(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(written(state, GOOD))
    monkeypatch.delenv(DATABASE_VARIABLE, raising=False)
    assert state.database_url(settings) == f"sqlite:///{state.database_file}"
    chosen = settings.model_copy(update={"database_url": "postgresql://bank"})
    assert state.database_url(chosen) == "postgresql://bank"
    monkeypatch.setenv(DATABASE_VARIABLE, "postgresql://other")
    assert state.database_url(chosen) == "postgresql://other"


def test_a_socket_has_a_path_that_fits(state: State, tmp_path: Path) -> None:
    short = State(Path("/tmp"))  # noqa: S108  only its length matters
    assert short.socket("signer").name == "signer.sock"
    with pytest.raises(NotReady, match="too long"):
        State(tmp_path / ("x" * 100)).socket("signer")


def test_a_secret_is_read_from_its_file(state: State) -> None:
    with pytest.raises(NotReady, match="restore"):
        state.read_secret("console")
    (state / "secrets").mkdir()
    (state / "secrets" / "console").write_bytes(b"k" * 31)
    with pytest.raises(NotReady, match="cut short"):
        state.read_secret("console")
    (state / "secrets" / "console").write_bytes(b"k" * 32)
    assert state.read_secret("console") == b"k" * 32


def test_every_place_of_a_state_is_inside_it(state: State) -> None:
    places = [state.publication, state.trust, state.tls, state.demo, state.ceremony, state.log, state.run]
    assert {place.parent for place in places} == {state.directory}
    assert state.token("root") == state.directory / "hsm" / "root"
    assert seconds(60) == timedelta(minutes=1)


# Ceremony scripts


def test_the_demos_script_is_sound() -> None:
    script = load_script(DEMO)
    assert [step.number for step in script.steps] == list(range(1, len(script.steps) + 1))


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('act = "make-token"', 'act = "export-key"', "step 1"),
        ('act = "make-token"', 'pace = "slow"', "step 1"),
        ('token = "root"', 'token = "root"\npin = "1234"', "step 1.*pin"),
        ('role = "custodian"', 'role = "thief"', "no role 'thief'"),
        ("[roles]", "[cast]", "title, roles and steps"),
    ],
    ids=["unknown act", "no act", "a parameter more", "unknown role", "unknown table"],
)
def test_what_a_script_may_not_say_is_refused(tmp_path: Path, old: str, new: str, what: str) -> None:
    path = tmp_path / "script.toml"
    path.write_text(DEMO.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(InvalidRequest, match=what):
        load_script(path)


@pytest.mark.parametrize("content", [None, b"= no toml", b"\xff"], ids=["missing", "no TOML", "no text"])
def test_a_script_that_cannot_be_read_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "script.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NotReady, match="cannot be read"):
        load_script(path)


def test_each_setting_is_told_with_where_it_comes_from(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATABASE_VARIABLE, raising=False)
    target = """
[[publication.targets]]
name = "mirror"
kind = "s3"
endpoint_url = "http://minio:9000"
bucket = "crls"
credentials_file = "/etc/s3"
"""
    settings = load_settings(written(state, f'database_url = "postgresql://ca:secret@db/vermilion"\n{GOOD}{target}'))
    rows = {name: (value, source) for name, value, source in told(settings)}
    assert rows["public_url"] == ("http://localhost:8080", "file")
    assert rows["times.crl_life"] == ("86400", "default")
    assert rows["listening.https_port"] == ("8443", "file")
    assert rows["publication.targets.mirror.bucket"] == ("crls", "file")
    assert rows["database_url"] == ("postgresql://ca:…@db/vermilion", "file")
    monkeypatch.setenv(DATABASE_VARIABLE, "postgresql://other:p:w@db/x")
    assert ("database_url", "postgresql://other:…@db/x", "environment") in told(settings)
