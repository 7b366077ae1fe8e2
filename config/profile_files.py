"""Read config/profiles/*.toml: what the bank may configure about a kind of certificate, and nothing besides.

Unknown keys, wrong types and rules that no profile may break stop the start, with the file and the first bad key.
"""

import json
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ca.domain.errors import InvalidRequest, NotReady
from ca.domain.keys import KeyAlgorithm
from ca.domain.names import NameAttribute
from ca.domain.profiles import Profile, SubjectRule
from ca.domain.times import duration_text, parse_duration

_OWN = Path(__file__).resolve().parent / "profiles"


def _duration(value: object) -> timedelta:
    try:
        return parse_duration(str(value))
    except InvalidRequest as error:
        raise ValueError(str(error)) from error


_Duration = Annotated[timedelta, BeforeValidator(_duration)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Subject(_Strict):
    attribute: NameAttribute
    text: str


class _Enrolment(_Strict):
    needs_device: bool
    needs_confirmation: bool
    confirm_within: _Duration = timedelta(0)
    codes_valid_for: _Duration
    code_attempts: int


class _Renewal(_Strict):
    opens_before: _Duration
    closes_after: _Duration = timedelta(0)
    same_key: bool = False


class _Revocation(_Strict):
    by_two: bool


class _ProfileFile(_Strict):
    version: int
    title: str
    internal: bool = False
    key_algorithms: list[KeyAlgorithm]
    validity: _Duration
    backdate: _Duration
    subject: list[_Subject]
    alternative_names: list[str] = Field(default_factory=list)
    key_usage: list[str]
    extended_key_usage: list[str] = Field(default_factory=list)
    policy: str | None = None
    ca: bool = False
    path_length: int | None = None
    crl_distribution_point: bool
    authority_information_access: bool
    ocsp_nocheck: bool = False
    enrolment: _Enrolment | None = None
    renewal: _Renewal | None = None
    revocation: _Revocation | None = None

    def to_profile(self, name: str) -> Profile:
        if (self.enrolment is None) != self.internal:
            raise InvalidRequest(f"profile {name}: [enrolment] belongs to every profile that is not internal")
        zero = timedelta(0)
        enrolment = self.enrolment or _Enrolment.model_construct(
            needs_device=False, needs_confirmation=False, confirm_within=zero, codes_valid_for=zero, code_attempts=0
        )
        return Profile(
            name=name,
            subject=tuple(SubjectRule(rule.attribute, rule.text) for rule in self.subject),
            alternative_names=tuple(self.alternative_names),
            key_algorithms=frozenset(self.key_algorithms),
            key_usage=frozenset(self.key_usage),
            extended_key_usage=tuple(self.extended_key_usage),
            renewal_opens_before=self.renewal.opens_before if self.renewal else None,
            renewal_closes_after=self.renewal.closes_after if self.renewal else timedelta(0),
            same_key_on_renewal=self.renewal.same_key if self.renewal else False,
            revocation_by_two=self.revocation.by_two if self.revocation else False,
            **self.model_dump(include=_AS_THEY_ARE),
            **enrolment.model_dump(),
        )


_AS_THEY_ARE = {
    "version",
    "title",
    "internal",
    "validity",
    "backdate",
    "policy",
    "ca",
    "path_length",
    "crl_distribution_point",
    "authority_information_access",
    "ocsp_nocheck",
}


def load_profiles(place: Path | str = "") -> dict[str, Profile]:
    """Every profile of a directory (ours when none is named), by name.

    Raises NotReady for a file that is wrong, or when there is none.
    """
    directory = Path(place or _OWN)
    files = sorted(directory.glob("*.toml"))
    if not files:
        raise NotReady(f"{directory} has no profiles (*.toml); without a profile nothing can be issued")
    return {file.stem: _load_profile(file) for file in files}


def _load_profile(file: Path) -> Profile:
    try:
        return TomlProfiles().parse(file.stem, file.read_text("utf-8"))
    except (UnicodeDecodeError, InvalidRequest) as error:
        raise NotReady(f"{file}: {error}") from error


class TomlProfiles:
    """profile_records.ProfileTexts."""

    def parse(self, name: str, text: str) -> Profile:
        try:
            return _ProfileFile.model_validate(tomllib.loads(text)).to_profile(name)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise InvalidRequest(f"{key}: {first['msg']}") from error
        except tomllib.TOMLDecodeError as error:
            raise InvalidRequest(str(error)) from error

    def write(self, profile: Profile) -> str:
        """Everything that the profile says; what a CA's profile would need besides is not written."""
        lines = [
            f"version = {profile.version}",
            f"title = {_quoted(profile.title)}",
            *(["internal = true"] if profile.internal else []),
            "",
            f"key_algorithms = {_quoted(sorted(profile.key_algorithms))}",
            f"validity = {_time(profile.validity)}",
            f"backdate = {_time(profile.backdate)}",
            "",
            f"alternative_names = {_quoted(profile.alternative_names)}",
            f"key_usage = {_quoted(sorted(profile.key_usage))}",
            f"extended_key_usage = {_quoted(profile.extended_key_usage)}",
            *([f"policy = {_quoted(profile.policy)}"] if profile.policy else []),
            f"crl_distribution_point = {_word(profile.crl_distribution_point)}",
            f"authority_information_access = {_word(profile.authority_information_access)}",
            *(["ocsp_nocheck = true"] if profile.ocsp_nocheck else []),
        ]
        for rule in profile.subject:
            lines += ["", "[[subject]]", f"attribute = {_quoted(rule.attribute.value)}", f"text = {_quoted(rule.text)}"]
        lines += [*_enrolment_lines(profile), *_renewal_lines(profile), *_revocation_lines(profile)]
        return "\n".join(lines) + "\n"


def _enrolment_lines(profile: Profile) -> list[str]:
    if profile.internal:
        return []
    return [
        "",
        "[enrolment]",
        f"needs_device = {_word(profile.needs_device)}",
        f"needs_confirmation = {_word(profile.needs_confirmation)}",
        f"confirm_within = {_time(profile.confirm_within)}",
        f"codes_valid_for = {_time(profile.codes_valid_for)}",
        f"code_attempts = {profile.code_attempts}",
    ]


def _renewal_lines(profile: Profile) -> list[str]:
    if profile.renewal_opens_before is None:
        return []
    return [
        "",
        "[renewal]",
        f"opens_before = {_time(profile.renewal_opens_before)}",
        f"closes_after = {_time(profile.renewal_closes_after)}",
        f"same_key = {_word(profile.same_key_on_renewal)}",
    ]


def _revocation_lines(profile: Profile) -> list[str]:
    # Told to who may choose it, also while it says no: whoever writes the next version sees that there is a choice.
    return [] if profile.internal else ["", "[revocation]", f"by_two = {_word(profile.revocation_by_two)}"]


def _quoted(value: object) -> str:
    # TOML's basic strings and arrays of them are JSON's, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _time(value: timedelta) -> str:
    return _quoted(duration_text(value))


def _word(value: bool) -> str:  # noqa: FBT001 - the value itself
    return "true" if value else "false"
