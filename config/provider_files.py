"""Read the list of providers that the bank supports (`ushield/providers.toml`, or the bank's own in its place).

Unknown keys, relative paths and names that occur twice stop the start, with the file and the first bad key.
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ca.domain.errors import NotReady
from ca.domain.tool_releases import SupportedProvider

_OWN = Path(__file__).resolve().parent.parent / "ushield" / "providers.toml"


def _absolute(place: str, start: str) -> str:
    parts = re.split(r"[/\\]", place)
    if not re.match(start, place) or not {"", ".", "..", "**"}.isdisjoint(parts[1:]):
        raise ValueError("must be a whole path from the root, without .. and **")
    return place


_Posix = Annotated[str, AfterValidator(lambda place: _absolute(place, "/"))]
_Windows = Annotated[str, AfterValidator(lambda place: _absolute(place, "[A-Z]:/"))]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Provider(_Strict):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")
    title: str = Field(min_length=1, max_length=60)
    linux: tuple[_Posix, ...] = ()
    macos: tuple[_Posix, ...] = ()
    windows: tuple[_Windows, ...] = ()

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if not (self.linux or self.macos or self.windows):
            raise ValueError("a provider needs a path on some kind of computer")
        return self


class _ProvidersFile(_Strict):
    provider: tuple[_Provider, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _differ(self) -> Self:
        for told in ([one.name for one in self.provider], [one.title for one in self.provider]):
            if len(set(told)) != len(told):
                raise ValueError("each provider has a name and a title of its own")
        return self


def load_providers(place: Path | str = "") -> tuple[SupportedProvider, ...]:
    """Those of a file (ours when none is named). Raises NotReady."""
    file = Path(place or _OWN)
    try:
        read = _ProvidersFile.model_validate(tomllib.loads(file.read_text("utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise NotReady(f"{file}: {key}: {first['msg']}") from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NotReady(f"{file}: {error}") from error
    return tuple(SupportedProvider(**one.model_dump()) for one in read.provider)
