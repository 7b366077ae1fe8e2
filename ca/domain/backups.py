"""What a backup says of itself: every part by its digest, and how far the journal in it goes."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from ca.domain.audit import Head
from ca.domain.canonical import canonical
from ca.domain.errors import Tampered
from ca.domain.times import instant, timestamp

FORMAT = "vermilion backup v1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
_NAME = re.compile(r"(?!(.*/)?\.\.?(/|$))[^/\x00-\x1f\x7f]+(/[^/\x00-\x1f\x7f]+)*")
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Manifest:
    """Written last, when everything else is in the file."""

    made_at: datetime
    schema: str
    """The database's revision (`migrations/versions`)."""
    database: str
    """`sqlite` or `postgresql`."""
    journal: Head
    """The last event that is in the backup."""
    last_act: datetime
    """When that event happened."""
    parts: Mapping[str, str]
    """SHA-256 of each part in hexadecimal, by its name."""

    def content(self) -> bytes:
        """The manifest as it lies in the backup."""
        told: dict[str, Any] = {
            "format": FORMAT,
            "made_at": timestamp(self.made_at),
            "schema": self.schema,
            "database": self.database,
            "journal": {"number": self.journal.number, "hash": self.journal.hash.hex()},
            "last_act": timestamp(self.last_act),
            "parts": dict(self.parts),
        }
        return json.dumps(told, indent=1, sort_keys=True).encode() + b"\n"

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Raises Tampered when it is none."""
        try:
            told = json.loads(content)
            if told["format"] != FORMAT:
                raise Tampered(
                    f"the backup is of the format {str(told['format'])[:40]!r}, which this version cannot read"
                )
            head = Head(int(told["journal"]["number"]), bytes.fromhex(told["journal"]["hash"]))
            return cls(
                instant(told["made_at"]),
                str(told["schema"]),
                str(told["database"]),
                head,
                instant(told["last_act"]),
                {str(name): str(digest) for name, digest in told["parts"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Tampered("the backup's manifest cannot be read") from error


def require_part_name(name: str) -> str:
    """A name below the state directory and nowhere else. Raises Tampered."""
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise Tampered(f"the backup has a part called {name[:80]!r}, which we never write")
    return name


def manifest_digest(content: bytes) -> bytes:
    """SHA-256 of a manifest (32 bytes)."""
    return hashlib.sha256(content).digest()


def backup_message(digest: bytes, journal: Head) -> bytes:
    """The bytes that the audit key signs: the manifest's digest, and the event to which its journal goes."""
    told = {"sha256": digest.hex(), "number": journal.number, "hash": journal.hash.hex()}
    return FORMAT.encode() + b"\x00" + canonical(told)
