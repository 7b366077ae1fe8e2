"""What pages go by of the policy: the signer says it, once for each request. And what its numbers are called."""

from typing import Any

from flask import g
from flask_babel import lazy_gettext as _l

from admin.signer import tell
from ca.domain.policy import Policy, first_policy
from ca.policy_operations import PolicyInForce

TITLES: dict[str, Any] = {
    "codes_life": _l("The two codes of an application, at most"),
    "letter_life": _l("Letter for the portal"),
    "decide_within": _l("An application is due after"),
    "hold_undo": _l("Undoing one's own hold"),
    "hold_longest": _l("A hold lasts at most"),
    "cancellation_undo": _l("Undoing a customer's cancellation"),
    "session_idle": _l("Officer's session without a request"),
    "session_life": _l("Officer's session, at most"),
    "portal_session_idle": _l("Customer's session without a request"),
    "portal_session_life": _l("Customer's session, at most"),
    "invitation_life": _l("Invitation of an officer"),
    "officer_change_life": _l("Proposal of other roles"),
    "unlock_case_life": _l("Unlock case"),
    "crl_within": _l("A CRL that is made at once is there within"),
}


def policy() -> Policy:
    """In force now. Raises PKIError."""
    if "policy" not in g:
        g.policy = first_policy(tell(PolicyInForce)["numbers"])
    found: Policy = g.policy
    return found
