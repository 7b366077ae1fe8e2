"""A certificate's dossier for a dispute: files, and one signature over what they are (docs/protocols/dossier.md)."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ca.domain.canonical import canonical
from ca.domain.times import timestamp

FORMAT = "vermilion dossier v1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
PROGRAMS = {"verify.py": "verify_dossier.py", "verify_log.py": "verify_log.py"}
"""What checks a dossier: its name there, and its file in `relying_party`."""
INSTRUCTIONS = """\
This is what a bank's certificate authority has on one certificate, put together at the moment that manifest.json names.

  application.json   what was applied for, as the maker entered it and the approver's passkey signed it
  identity.json      whom the branch identified, by which document
  approvals.json     each decision with the passkey's own signature
  batch.json         the list of cases that one signature approved, when it was so
  certificate.json   what was recorded before it was signed, and how the certificate stood since
  revocation.json    the case that ended it, with the second officer's decision and passkey signature, when two decided
  request.p10        the certification request, signed by the customer's key; it was not always kept
  certificate.cer    the certificate, with issuer.cer and root.cer above it
  events.jsonl       the events of the audit log about it, each with its way to a signed checkpoint
  status.json        how it stands now and what relying parties are told, with proof
  ocsp.der, *.crl    what the OCSP responder says now, and the lists that are published now
  manifest.json      every file by its SHA-256; manifest.sig is the audit key's signature over it

Have the bank give you its audit key (audit.spki) on another way than this bundle. Then, with Python 3.11 or newer and
the package cryptography:

  python3 verify.py --key audit.spki .

verify.py and the verify_log.py beside it were written to be read. Whoever does not trust the copies in here takes them
from the bank's public repository.
"""


def enclosures(programs: Mapping[str, bytes]) -> dict[str, bytes]:
    """What every dossier has: `PROGRAMS` with their content, and how to begin."""
    return {**programs, "README.txt": INSTRUCTIONS.encode()}


def manifest(serial: str, files: Mapping[str, bytes], *, at: datetime, by: str) -> bytes:
    """Every file by its SHA-256, whose certificate it is about, when and for whom it was put together."""
    told: dict[str, Any] = {
        "format": FORMAT,
        "serial": serial,
        "at": timestamp(at),
        "by": by,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    return canonical(told)


def manifest_message(content: bytes) -> bytes:
    """The bytes that the audit key signs of a dossier."""
    return b"vermilion dossier v1\x00" + content
