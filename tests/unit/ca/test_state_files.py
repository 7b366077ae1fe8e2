"""ca/state_files.py: the key with which the edge vouches, and its public half for the signer."""

from pathlib import Path

import pytest

from ca.domain.errors import NotReady
from ca.domain.keys import PublicKey
from ca.state_files import make_door_key
from config.settings import EDGE_KEY, State
from edge.vouching import open_key


@pytest.fixture
def state(tmp_path: Path) -> State:
    (tmp_path / "trust").mkdir()
    return State(tmp_path)


def test_what_the_edge_signs_the_signer_can_check_and_a_second_start_keeps_the_key(state: State) -> None:
    make_door_key(state)
    voucher = open_key(state.door_key)(b"message")
    make_door_key(state)

    PublicKey.from_spki((state.trust / EDGE_KEY).read_bytes()).verify(voucher, b"message")
    assert state.door_key.stat().st_mode & 0o777 == 0o600


def test_a_damaged_key_is_told(state: State) -> None:
    state.tls.mkdir()
    state.door_key.write_bytes(b"no key")

    with pytest.raises(NotReady, match="delete it"):
        make_door_key(state)
