"""SoftHSM empties a file of the token at every login; a process killed just then must not cost the CA its keys."""

from pathlib import Path

import pytest

from ca.adapters.hsm.sessions import TokenSessions
from ca.adapters.hsm.tokens import HsmToken, TokenDirectory
from ca.domain.errors import KeyStoreUnavailable

pytestmark = pytest.mark.softhsm


def token_object(directory: TokenDirectory) -> Path:
    (found,) = directory.tokens.glob("*/token.object")
    return found


@pytest.mark.parametrize("left", [b"", bytes(320)], ids=["empty", "zeros"])
def test_a_token_emptied_by_a_killed_login_is_whole_at_the_next_start(
    token: HsmToken, directory: TokenDirectory, left: bytes
) -> None:
    TokenSessions.open(token).close()
    token_object(directory).write_bytes(left)

    sessions = TokenSessions.open(token)

    assert sessions.run(lambda worker: worker.session.token.label) == token.label
    sessions.close()


def test_what_is_not_empty_is_never_replaced(token: HsmToken, directory: TokenDirectory) -> None:
    TokenSessions.open(token).close()
    token_object(directory).write_bytes(b"somebody's rubbish")

    with pytest.raises(KeyStoreUnavailable):
        TokenSessions.open(token)

    assert token_object(directory).read_bytes() == b"somebody's rubbish"


def test_a_login_that_failed_leaves_the_copy_alone(token: HsmToken, directory: TokenDirectory) -> None:
    TokenSessions.open(token).close()
    (copy,) = (directory.path / "kept").iterdir()
    before = copy.read_bytes()
    token_object(directory).write_bytes(b"somebody's rubbish")

    with pytest.raises(KeyStoreUnavailable):
        TokenSessions.open(token)

    assert copy.read_bytes() == before


def test_the_copy_is_ours_alone(token: HsmToken, directory: TokenDirectory) -> None:
    TokenSessions.open(token).close()
    (copy,) = (directory.path / "kept").iterdir()

    assert [copy.parent.stat().st_mode & 0o777, copy.stat().st_mode & 0o777] == [0o700, 0o600]
