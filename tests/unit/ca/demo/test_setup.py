"""The demo's first hours, interrupted and resumed: over a real bank in memory, without sockets."""

import json
from types import SimpleNamespace

import pytest

from ca import operations as ops
from ca.adapters.webauthn import WebAuthnAuthenticators
from ca.demo import setup
from ca.domain.errors import NotReady
from ca.handlers import Handlers
from config.settings import State
from tests.fakes.bank import Bank

ORIGIN = "http://localhost:8081"
SETTINGS = SimpleNamespace(origins=(ORIGIN,), relying_party="localhost")


class Client:
    """Asks the bank's handlers as the socket would; may lose an answer."""

    def __init__(self, bank):
        self._table = Handlers(bank.use_cases).table()
        self.dies_after = None

    def call(self, operation):
        answer = self._table[type(operation)](operation)
        if isinstance(operation, self.dies_after or ()):
            raise KeyboardInterrupt
        return answer


@pytest.fixture
def bank():
    bank = Bank()
    authenticators = WebAuthnAuthenticators("localhost", (ORIGIN,))
    for use_case in (bank.redeem, bank.sign_in, bank.passkeys):
        object.__setattr__(use_case, "authenticators", authenticators)
    return bank


@pytest.fixture
def state(tmp_path, bank):
    state = State(tmp_path)
    setup.keep_appointments(state, bank.appointments)
    return state


def waiting(state):
    return json.loads((state.demo / "appointments.json").read_text("utf-8"))


def test_all_demo_officers_are_registered(state, bank):
    setup.register_officers(state, SETTINGS, Client(bank))

    assert not (state.demo / "appointments.json").exists()
    assert {officer.person for officer in bank.unit_of_work.officers.values()} == {
        one.person for one in bank.appointments
    }


def test_an_officer_registered_just_before_the_crash_is_not_registered_again(state, bank):
    client = Client(bank)
    client.dies_after = ops.RedeemInvitation
    with pytest.raises(KeyboardInterrupt):
        setup.register_officers(state, SETTINGS, client)
    assert len(waiting(state)) == len(bank.appointments)

    setup.register_officers(state, SETTINGS, Client(bank))

    assert not (state.demo / "appointments.json").exists()
    assert {len(officer.credentials) for officer in bank.unit_of_work.officers.values()} == {1}


def test_a_used_invitation_without_its_passkey_is_said_with_the_file(state, bank):
    client = Client(bank)
    client.dies_after = ops.RedeemInvitation
    with pytest.raises(KeyboardInterrupt):
        setup.register_officers(state, SETTINGS, client)
    (state.demo / "E1001.json").unlink()

    with pytest.raises(NotReady, match=r"appointments\.json waits for E1001"):
        setup.register_officers(state, SETTINGS, Client(bank))


def test_links_that_were_used_are_not_shown_again(state, bank):
    client = Client(bank)
    setup.register_officers(state, SETTINGS, client)
    (first, _), (second, link) = setup.new_links(state, client, ORIGIN)
    used = json.loads((state.demo / "links.json").read_text("utf-8"))[0]["invitation"]

    left = setup.open_links(state, client, ORIGIN, is_open=lambda invitation: invitation != used)

    assert left == [(second, link)]
    assert (first, second) == ("Zhang Min", "Li Na")


def test_the_first_start_makes_links(state, bank):
    client = Client(bank)
    setup.register_officers(state, SETTINGS, client)
    made = setup.open_links(state, client, ORIGIN, is_open=lambda _: False)
    assert [name for name, _ in made] == ["Zhang Min", "Li Na"]
