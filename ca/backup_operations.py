"""What the signer can be asked by whoever makes a backup. Rules: `ca/operations.py`."""

from typing import Annotated

from pydantic import Field

from ca.operations import B64, Operation

_DIGEST = Field(min_length=32, max_length=32)


class SignBackup(Operation):
    """-> {signature: base64}: over the digest of a backup's manifest. Only for a journal that is the signer's own."""

    path = "backup/sign"
    digest: Annotated[B64, _DIGEST]
    number: Annotated[int, Field(ge=1, lt=1 << 53)]
    """The last event in the backup, and its hash."""
    hash: Annotated[B64, _DIGEST]
