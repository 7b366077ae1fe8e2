"""Versions of profiles and of the policy as the signer tells of them."""

from datetime import datetime
from typing import Any

from ca.domain.times import timestamp
from ca.domain.versions import Version
from ca.operations import encode_base64
from ca.usecases.decide_on_versions import VersionView


def state_of(version: Version) -> dict[str, Any]:
    """What became of it."""
    return {"version": version.id, "state": version.state.value}


def line_of(version: Version) -> dict[str, Any]:
    """For a list."""
    return {
        "id": version.id,
        "number": version.number,
        "state": version.state.value,
        "effective_from": timestamp(version.effective_from),
        "maker_person": version.maker_person,
        "decided_by": version.decided_by,
        "reason": version.reason,
    }


def case_of(view: VersionView[Any, Any]) -> dict[str, Any]:
    """For the page on which it is decided; what each kind says besides is its own."""
    return {
        "case": view.version.fields(),
        "digest": encode_base64(view.version.digest()),
        "state": view.version.state.value,
        "decided_by": view.version.decided_by,
        "challenge": encode_base64(view.challenge),
        "may_approve": view.may_approve,
    }


def since_of(since: datetime | None) -> str:
    """Empty: since the CA began."""
    return timestamp(since) if since else ""
