"""What CA administrators can ask the signer for the CA itself. Rules: `ca/operations.py`."""

from ca.operations import Identifier, OfficerOperation


class RunJobNow(OfficerOperation):
    """-> {ok, result}: one job, due or not."""

    path = "jobs/run-now"
    name: Identifier
