"""What every database must do with versions of profiles and with decisions on the tool."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.domain.errors import InvalidTransition
from ca.domain.policy import PolicyVersion
from ca.domain.profile_versions import ProfileVersion
from ca.domain.proposals import ProposalState
from ca.domain.tool_cases import ToolCase, ToolState
from ca.ports import UnitOfWork
from tests.builders import NOW

VERSION = ProfileVersion(
    id="version-1",
    revision=1,
    profile="machine",
    number=2,
    text="version = 2\ntitle = 'Maschine ü'\n",
    profile_digest="ab" * 32,
    replaces="cd" * 32,
    reason="shorter",
    effective_from=NOW + timedelta(days=1),
    maker_person="E1",
    proposed_at=NOW,
    state=ProposalState.PROPOSED,
)


class ProfileVersionsContract:
    def test_a_version_is_kept_with_its_seal_and_never_goes_back(self, unit_of_work: UnitOfWork) -> None:
        approved = VERSION.become(ProposalState.APPROVED, "E2")
        with unit_of_work() as work:
            assert work.profile_versions.find(VERSION.id) is None
            work.profile_versions.save(VERSION, b"seal")
            assert work.profile_versions.find(VERSION.id) == (VERSION, b"seal")
            work.profile_versions.save(approved, b"another")
            assert work.profile_versions.find(VERSION.id) == (approved, b"another")
            with pytest.raises(InvalidTransition, match="just decided"):
                work.profile_versions.save(VERSION, b"seal")

    def test_versions_come_by_number_and_approved_ones_by_profile(self, unit_of_work: UnitOfWork) -> None:
        second = replace(VERSION, id="version-2", number=3, state=ProposalState.APPROVED)
        other = replace(VERSION, id="version-0", profile="atm", state=ProposalState.APPROVED)
        with unit_of_work() as work:
            for one in (second, VERSION, other):
                work.profile_versions.save(one, b"seal")
            assert work.profile_versions.list_of("machine") == [(VERSION, b"seal"), (second, b"seal")]
            assert work.profile_versions.list_approved() == [(other, b"seal"), (second, b"seal")]


POLICY_VERSION = PolicyVersion(
    id="version-1",
    revision=1,
    policy="policy",
    number=2,
    text="version = 2\n",
    policy_digest="ab" * 32,
    replaces="cd" * 32,
    reason="shorter",
    effective_from=NOW + timedelta(days=1),
    maker_person="E1",
    proposed_at=NOW,
    state=ProposalState.PROPOSED,
)


class PolicyVersionsContract:
    def test_a_version_of_the_policy_is_kept_apart_from_those_of_profiles(self, unit_of_work: UnitOfWork) -> None:
        approved = POLICY_VERSION.become(ProposalState.APPROVED, "E2")
        with unit_of_work() as work:
            work.profile_versions.save(VERSION, b"seal")
            work.policy_versions.save(POLICY_VERSION, b"seal")
            work.policy_versions.save(approved, b"another")
            assert work.policy_versions.list_of("policy") == [(approved, b"another")]
            assert work.policy_versions.list_approved() == [(approved, b"another")]
            assert work.profile_versions.find(VERSION.id) == (VERSION, b"seal")
            with pytest.raises(InvalidTransition, match="just decided"):
                work.policy_versions.save(POLICY_VERSION, b"seal")


CASE = ToolCase(
    id="case-1",
    revision=1,
    program="ab" * 32,
    tool_version="1.4.0",
    files=(("ushield.pyz", "cd" * 32, 87102), ("x.zip", "ef" * 32, 12)),
    reason="a fix",
    maker_person="E1",
    proposed_at=NOW,
    state=ToolState.PROPOSED,
)


class ToolCasesContract:
    def test_a_release_is_kept_with_its_seal_and_never_goes_back(self, unit_of_work: UnitOfWork) -> None:
        approved = CASE.become(ToolState.APPROVED, "E2", NOW + timedelta(hours=1))
        with unit_of_work() as work:
            assert work.tool_cases.find(CASE.id) is None
            work.tool_cases.save(CASE, b"seal")
            assert work.tool_cases.find(CASE.id) == (CASE, b"seal")
            work.tool_cases.save(approved, b"another")
            assert work.tool_cases.find(CASE.id) == (approved, b"another")
            with pytest.raises(InvalidTransition, match="just decided"):
                work.tool_cases.save(CASE, b"seal")

    def test_releases_come_newest_first_and_no_more_than_wanted(self, unit_of_work: UnitOfWork) -> None:
        younger = replace(CASE, id="case-0", proposed_at=NOW + timedelta(seconds=1))
        with unit_of_work() as work:
            for one in (CASE, younger):
                work.tool_cases.save(one, b"seal")
            assert work.tool_cases.list(5) == [(younger, b"seal"), (CASE, b"seal")]
            assert work.tool_cases.list(1) == [(younger, b"seal")]
