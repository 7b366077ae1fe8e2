"""What the signer can be asked for audits and disputes. Rules: `ca/operations.py`."""

from typing import Annotated

from pydantic import Field

from ca.operations import B64, Identifier, OfficerOperation


class VerifyLog(OfficerOperation):
    """-> {number, hash, ends_at, checkpoints}: a piece of the log behind the event `number`, whose hash is `hash`.

    From the beginning when `number` is 0; it is done when `number` has come to `ends_at`.
    """

    path = "audit/verify"
    number: Annotated[int, Field(ge=0, lt=1 << 53)] = 0
    hash: B64 = b""


class ShowDossier(OfficerOperation):
    """-> {files: {name: base64}}: all that proves a certificate, put together and signed by the signer."""

    path = "certificates/dossier"
    serial: Identifier
