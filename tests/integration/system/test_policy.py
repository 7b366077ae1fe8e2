"""The policy in a running signer: the configuration's until two decide, and nobody's who writes into the database."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from ca.domain.policy import STRICTEST, USUAL, PolicyTexts, first_policy
from ca.policy_operations import PolicyInForce
from tests.integration.system.running import Demo, wait_for

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.campaign]


def in_force(demo: Demo) -> Mapping[str, str]:
    numbers: Mapping[str, str] = demo.signer.call(PolicyInForce())["numbers"]
    return numbers


def test_a_policy_made_by_hand_gains_nobody_time(victim: Demo) -> None:
    assert in_force(victim) == USUAL.numbers()
    laxer = replace(first_policy({"hold_undo": "1h", "session_idle": "30m"}), version=2)
    victim.write(
        "INSERT INTO policy_versions (id, revision, policy, number, text, policy_digest, replaces, reason,"
        " effective_from, maker_person, proposed_at, state, decided_by, seal)"
        " VALUES ('forged', 2, 'policy', 2, ?, ?, ?, 'x', 1, 'E1', 1, 'approved', 'E2', ?)",
        PolicyTexts().write(laxer),
        laxer.digest,
        USUAL.digest,
        bytes(32),
    )
    wait_for("the signer reads the forged version", lambda: in_force(victim) == STRICTEST.numbers())
    victim.write("DELETE FROM policy_versions WHERE id = 'forged'")
    wait_for("the record is whole again", lambda: in_force(victim) == USUAL.numbers())
