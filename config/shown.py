"""The settings as pages and commands show them: without passwords, and with where each comes from."""

import os
import re
from collections.abc import Iterator

from pydantic import BaseModel

from config.settings import DATABASE_VARIABLE, Settings


def told(settings: Settings) -> list[tuple[str, str, str]]:
    """Every setting's name, value and where it comes from: file, default or environment. No password is in it."""
    found = list(_told(settings, ""))
    if url := os.environ.get(DATABASE_VARIABLE):
        found = [("database_url", url, "environment") if row[0] == "database_url" else row for row in found]
    return [(name, _without_password(value), source) for name, value, source in found]


def _told(section: BaseModel, prefix: str) -> Iterator[tuple[str, str, str]]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _told(value, f"{prefix}{name}.")
        elif name == "policy":
            continue  # told as what is in force, with the versions that were decided on
        elif name == "targets":
            for target in value:
                yield from _told(target, f"{prefix}{name}.{target.name}.")
        else:
            text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
            yield f"{prefix}{name}", text, "file" if name in section.model_fields_set else "default"


def _without_password(text: str) -> str:
    return re.sub(r"(://[^:/@\s]+):[^@\s]*@", r"\1:…@", text)
