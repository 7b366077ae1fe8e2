"""What happens by itself: jobs, the lease that elects one leader, and each job's last result."""

from dataclasses import dataclass
from datetime import datetime

JOB_NAMES = (
    *("responder", "bundle-signer", "tool", "standings", "crl-after-change", "crl", "bundle", "bundle-after-change"),
    *("targets", "codes", "unconfirmed", "cancellations", "challenges", "sessions", "checkpoint", "reconcile"),
    "figures",
)
"""Every job, in the order in which a round asks for them: what others need first: answers and bundles
need their signers' certificates, and a patch follows the CRL that tells of a change."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who leads until when; a leader that died is followed when its lease runs out."""

    name: str
    holder: str
    until: datetime


@dataclass(frozen=True, slots=True)
class JobRun:
    """The last run of a job, for people: when, how it went, in a sentence."""

    name: str
    ran_at: datetime
    ok: bool
    result: str
