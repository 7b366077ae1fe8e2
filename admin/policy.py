"""What pages go by of the policy: the signer says it, once for each request."""

from flask import g

from admin.signer import tell
from ca.domain.policy import Policy, first_policy
from ca.policy_operations import PolicyInForce


def policy() -> Policy:
    """In force now. Raises PKIError."""
    if "policy" not in g:
        g.policy = first_policy(tell(PolicyInForce)["numbers"])
    found: Policy = g.policy
    return found
