"""ca/authority_handlers.py: a version's whole way over the socket, and what readers are told."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from ca import authority_operations as authority
from ca.domain.errors import InvalidRequest, NotAllowed
from ca.domain.proposals import ProposalState
from ca.domain.times import timestamp
from ca.handlers import Handlers
from ca.operations import AssertionMessage, Operation
from ca.usecases.versions_in_force import PROFILE
from tests.fakes.bank import ADMINISTRATOR, AUDITOR, MARIA, SECOND_ADMINISTRATOR, Bank


@dataclass
class Signer:
    """The handlers of a bank, asked with operations as the socket brings them."""

    bank: Bank

    def ask(self, operation: Operation) -> Mapping[str, Any]:
        kind = type(operation)
        return Handlers(self.bank.use_cases).table()[kind](kind.model_validate(operation.payload()))

    def propose(self, profile: str, old: str, new: str, since: str = "") -> str:
        session = self.bank.session(ADMINISTRATOR)
        text = self.ask(authority.ShowProfile(session=session, profile=profile))["text"]
        since = since or timestamp(self.bank.clock.now() + timedelta(hours=1))
        operation = authority.ProposeProfile(
            session=session, profile=profile, text=text.replace(old, new), effective_from=since, reason="x"
        )
        version: str = self.ask(operation)["version"]
        return version


@pytest.fixture
def signer() -> Signer:
    return Signer(Bank())


def test_a_version_is_proposed_shown_approved_and_in_force(signer: Signer) -> None:
    bank = signer.bank
    version = signer.propose("machine", '"397d"', '"90d"')
    session = bank.session(SECOND_ADMINISTRATOR)
    shown = signer.ask(authority.ShowProfileVersion(session=session, version=version))
    assert (shown["state"], shown["may_approve"], shown["decided_by"]) == ("proposed", True, "")
    assert (dict(shown["replaced"])["validity"], dict(shown["facts"])["validity"]) == ("397d", "90d")
    signed = bank[SECOND_ADMINISTRATOR].passkey.sign(base64.b64decode(shown["challenge"]))
    assertion = AssertionMessage(
        credential_id=signed.credential_id,
        client_data=signed.client_data,
        authenticator_data=signed.authenticator_data,
        signature=signed.signature,
    )
    digest = base64.b64decode(shown["digest"])
    approve = authority.ApproveProfile(session=session, version=version, digest=digest, assertion=assertion)
    assert signer.ask(approve) == {"version": version, "state": "approved"}

    coming = signer.ask(authority.ShowProfile(session=session, profile="machine"))
    assert (coming["number"], coming["next"]["number"], coming["waiting"]) == (1, 2, "")
    bank.clock.tick(timedelta(hours=1))
    present = signer.ask(authority.ShowProfile(session=bank.session(AUDITOR), profile="machine"))
    assert (present["number"], present["next"], dict(present["facts"])["validity"]) == (2, None, "90d")
    assert [(one["number"], one["state"], one["decided_by"]) for one in present["versions"]] == [
        (2, "approved", SECOND_ADMINISTRATOR)
    ]


def test_the_list_tells_what_waits(signer: Signer) -> None:
    version = signer.propose("tls-server", '"397d"', '"199d"')
    listed = signer.ask(authority.ListProfiles(session=signer.bank.session(AUDITOR)))["profiles"]
    assert {one["name"]: one["waiting"] for one in listed if one["waiting"]} == {"tls-server": version}
    rejected = authority.RejectProfile(session=signer.bank.session(ADMINISTRATOR), version=version, reason="no")
    assert signer.ask(rejected) == {"version": version, "state": "rejected"}


def test_the_profile_of_a_ca_is_only_shown(signer: Signer) -> None:
    shown = signer.ask(authority.ShowProfile(session=signer.bank.session(AUDITOR), profile="root-ca"))
    assert (shown["may_change"], dict(shown["facts"])["ca"]) == (False, "yes")


@pytest.mark.parametrize("since", ["tomorrow", "2026-12-24T09:30"])
def test_a_time_without_a_zone_is_no_instant(signer: Signer, since: str) -> None:
    with pytest.raises(InvalidRequest, match="with its zone"):
        signer.propose("machine", '"397d"', '"90d"', since)


def test_what_another_signer_decided_holds_at_the_next_operation(signer: Signer) -> None:
    bank = signer.bank
    signer.propose("machine", '"397d"', '"90d"')
    ((version_id, (version, _seal)),) = bank.stored.profile_versions.items()
    approved = version.become(ProposalState.APPROVED, SECOND_ADMINISTRATOR)
    seal = PROFILE.seal(bank.seals, approved)
    bank.stored.profile_versions[version_id] = (approved, seal)
    bank.clock.tick(timedelta(hours=1))
    shown = signer.ask(authority.ShowProfile(session=bank.session(AUDITOR), profile="machine"))
    assert shown["number"] == 2


def test_settings_are_told_with_where_they_come_from_and_what_is_compiled_in(signer: Signer) -> None:
    told = signer.ask(authority.ShowSettings(session=signer.bank.session(AUDITOR)))["settings"]
    assert ["times.crl_life", "86400", "default"] in told
    assert ["release of the tool", "7d", "program"] in told


def test_who_works_on_cases_is_told_no_settings(signer: Signer) -> None:
    with pytest.raises(NotAllowed):
        signer.ask(authority.ShowSettings(session=signer.bank.session(MARIA)))
