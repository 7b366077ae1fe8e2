"""The only reader of settings: one TOML file in the state directory, environment only for what differs per machine.

Unknown keys are refused. Secrets are never values here: files in the state directory hold them.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ca.domain.errors import InvalidRequest, NotReady
from ca.domain.policy import first_policy

FILE_NAME = "settings.toml"
STATE_VARIABLE = "VERMILION_STATE"
DATABASE_VARIABLE = "VERMILION_DATABASE_URL"
_KNOWN_VARIABLES = {STATE_VARIABLE, DATABASE_VARIABLE}

# Beside the program and not in the caller's directory: a second start from elsewhere must find the same state.
DEFAULT_STATE = Path(__file__).resolve().parent.parent / "var"
_LONGEST_SOCKET_PATH = 107
SECRET_BYTES = 32
EDGE_KEY = "officers-door.spki"
"""Among the trust files: by which the signer checks what the edge vouches for, a SubjectPublicKeyInfo."""

Port = Field(ge=1, le=65535)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listening(_Section):
    """Where the doors are. All on loopback unless `host` says otherwise."""

    host: str = "127.0.0.1"
    https_port: int = Port
    http_port: int = Port
    console_port: int = Field(default=8081, ge=1, le=65535)
    """Plain http for the console on loopback, in a demo only: browsers refuse passkeys behind certificate errors."""
    metrics_port: int = Field(default=0, ge=0, le=65535)
    """Where the prober tells Prometheus how soon revocations are seen: `/metrics`, on loopback only. 0: nowhere."""


class HSM(_Section):
    """Which PKCS#11 module and tokens; empty module: the SoftHSM that is installed."""

    module: str = ""
    issuing_token: str = "vermilion-issuing"  # noqa: S105  a label
    root_token: str = "vermilion-root"  # noqa: S105  a label
    sessions: int = Field(default=8, ge=1, le=64)


class Times(_Section):
    """How long things live, in seconds."""

    crl_life: int = Field(default=24 * 3600, ge=600)
    crl_period: int = Field(default=3600, ge=60)
    """A full CRL is made so often, whatever happens; its delta with it, and after each change of a status."""
    crl_delta_life: int = Field(default=2 * 3600, ge=120)
    ocsp_life: int = Field(default=3600, ge=60, le=24 * 3600)
    bundle_life: int = Field(default=4 * 3600, ge=600)
    """How long a gateway may go by a bundle, and how long somebody can keep a newer one from it unnoticed."""
    bundle_period: int = Field(default=3600, ge=60)
    checkpoint_period: int = Field(default=600, ge=10)

    @model_validator(mode="after")
    def _lists_overlap(self) -> Self:
        # One that could not be made must leave time for the next before relying parties have none that holds, and a
        # delta is no use beyond the life of its base.
        if not 2 * self.crl_period <= self.crl_delta_life <= self.crl_life:
            raise ValueError("crl_delta_life is at least twice crl_period, and at most crl_life")
        return self


class CRLs(_Section):
    """How certificates are spread over CRLs."""

    partitions: int = Field(default=0, ge=0, le=1000)
    """0: new certificates point to the full CRL. N: each to one of N short ones. What was issued stays where it is."""


class OCSP(_Section):
    """How relying parties are answered."""

    key: Literal["hsm", "memory"] = "hsm"
    """Where the responder's key is. `memory`: each worker of status has one of its own, certified for days; faster, and
    whoever takes that process over can answer anything until its certificate ends (docs/adr/0019)."""
    memory_keys_per_day: int = Field(default=24, ge=1, le=1000)
    """Certificates for keys in memory that the signer gives in a day; then the signer answers as with `hsm`."""
    workers: int = Field(default=0, ge=0, le=64)
    """Processes of status; 0: one for each core, two at most."""
    kept_answers: int = Field(default=1_000_000, ge=1000, le=100_000_000)
    """Signed answers kept for all workers of a host; each takes about 150 octets of memory."""
    warm_per_second: int = Field(default=50, ge=1, le=10_000)
    """Answers signed ahead of the questions, at most so many a second."""
    extended_revoke: bool = False
    """Serials that were never issued are answered revoked (RFC 6960 section 2.2) instead of unknown."""
    archive_cutoff: bool = False
    """Answers about expired certificates say since when statuses are known: since the CA began (RFC 6960 4.4.4)."""

    @property
    def memory_keys_a_day(self) -> int:
        """What the signer allows."""
        return self.memory_keys_per_day if self.key == "memory" else 0


class _Target(_Section):
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    """How events, jobs and receipts name it."""
    public_url: str = ""
    """Where relying parties find it, the base of `crl/issuing.crl`: receipts then tell when changes are seen there."""


class S3Storage(_Target):
    """Objects in S3-compatible storage."""

    kind: Literal["s3"]
    endpoint_url: str = Field(pattern=r"^https?://[^/\s]+(/\S*)?$")
    bucket: str = Field(min_length=1)
    prefix: str = ""
    region: str = "us-east-1"
    credentials_file: str
    """Two lines, `access_key_id = …` and `secret_access_key = …`; only the signer's user may read it."""


class LDAPDirectory(_Target):
    """Entries in a directory (RFC 4523). Bundles have no place there."""

    kind: Literal["ldap"]
    url: str = Field(pattern=r"^ldaps?://[^/]+$")
    ca_file: str = ""
    """Whom to trust for TLS; with `ldap://` it is begun by StartTLS. Without it only a server on this machine is asked:
    whoever answers gets the password."""
    base: str
    """The entry under which each CA has one, `cn=issuing`."""
    bind_dn: str
    password_file: str

    @model_validator(mode="after")
    def _is_trusted(self) -> Self:
        host = urlsplit(self.url).hostname
        if not self.ca_file and host not in {"localhost", "127.0.0.1", "::1"}:
            raise ValueError("ca_file is needed: whoever answers there gets the password")
        return self


class Publication(_Section):
    """Further places where CRLs and CA certificates are put, behind the public directory (deploy/README.md)."""

    targets: tuple[Annotated[S3Storage | LDAPDirectory, Field(discriminator="kind")], ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        # The public directory itself is the first place.
        names = ["directory", *(target.name for target in self.targets)]
        if len(set(names)) != len(names):
            raise ValueError("each target has a name of its own, and none is called directory")
        return self


class Settings(_Section):
    """What `settings.toml` says."""

    demo: bool = False
    public_url: str
    """Base of the URLs that certificates carry: OCSP, CRLs, CA certificates."""
    enrolment_url: str
    """What customers and EST clients are told to connect to (https)."""
    relying_party: str = "localhost"
    """WebAuthn relying party id: the host name officers type."""
    origins: tuple[str, ...]
    """Web origins from which officers' passkeys are accepted."""
    officer_certificates: bool = False
    """Officers may also sign in to the console with a certificate of theirs on a U-Shield (docs/adr/0041)."""
    organization: str = "Demo Bank"
    hotline: str = "the number on your card"
    """What customers call when something fails, day and night."""
    profiles: str = ""
    """Directory with the profiles of certificates. Empty: `config/profiles`."""
    providers: str = ""
    """File with the list of drivers that customers' tools may load. Empty: `ushield/providers.toml`."""
    listening: Listening
    hsm: HSM = HSM()
    times: Times = Times()
    ocsp: OCSP = OCSP()
    crls: CRLs = CRLs()
    publication: Publication = Publication()
    policy: dict[str, str] = {}
    """Numbers of the bank's policy (`ca/domain/policy.py`), as `hold_undo = "5m"`: in force until two CA administrators
    decide on others in the console; from then on they have no say any more."""
    notices_from: str = Field(default="certificates@bank.example", pattern=r"^[^@\s]+@[^@\s]+$")
    """Sender of the e-mails that tell customers what happened to their certificates."""
    database_url: str = ""
    """Empty: SQLite in the state directory."""
    journal_mirror: str = ""
    """Directory of the journal's mirror, on another disk than the state directory. Empty: in the state directory."""

    @model_validator(mode="after")
    def _policy_is_allowed(self) -> Self:
        try:
            first_policy(self.policy)
        except InvalidRequest as error:
            raise ValueError(str(error)) from error
        return self

    @model_validator(mode="after")
    def _certificates_need_tls(self) -> Self:
        if self.officer_certificates and not any(origin.startswith("https://") for origin in self.origins):
            raise ValueError("officer_certificates needs an origin of the console with https: TLS shows certificates")
        return self


class State:
    """The state directory: every path in it is named here and nowhere else."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()

    def __truediv__(self, name: str) -> Path:
        return self.directory / name

    @property
    def settings_file(self) -> Path:
        return self / FILE_NAME

    @property
    def database_file(self) -> Path:
        return self / "database.sqlite3"

    @property
    def publication(self) -> Path:
        return self / "publication"

    @property
    def standings(self) -> Path:
        return self / "standings"

    @property
    def kept_answers(self) -> Path:
        return self / "kept-answers"

    @property
    def crl_copies(self) -> Path:
        """The last CRL of each name, kept where no web server and no mirror writes."""
        return self / "crl-copies"

    @property
    def trust(self) -> Path:
        return self / "trust"

    @property
    def tls(self) -> Path:
        return self / "tls"

    @property
    def door_key(self) -> Path:
        """With which the edge vouches for officers' certificates: the edge's alone, PEM."""
        return self.tls / "officers-door.key"

    @property
    def demo(self) -> Path:
        return self / "demo"

    @property
    def ceremony(self) -> Path:
        return self / "ceremony"

    @property
    def journal(self) -> Path:
        return self / "journal"

    def journal_mirror(self, settings: "Settings") -> Path:
        """Where every line of the journal is written a second time."""
        return Path(settings.journal_mirror) if settings.journal_mirror else self / "journal-mirror"

    @property
    def log(self) -> Path:
        return self / "log"

    @property
    def run(self) -> Path:
        return self / "run"

    def socket(self, process: str) -> Path:
        """Raises NotReady when the path is too long for a Unix socket (108 bytes with its end, unix(7))."""
        path = self.run / f"{process}.sock"
        if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
            raise NotReady(f"{self.directory} is too long a path for Unix sockets; choose a shorter one with --state")
        return path

    def read_secret(self, name: str) -> bytes:
        """A key made at first start and kept in a file of its own. Raises NotReady when it is not there, or cut."""
        path = self / "secrets" / name
        try:
            secret = path.read_bytes()
        except OSError as error:
            raise NotReady(f"{path} cannot be read; restore the state directory") from error
        if len(secret) < SECRET_BYTES:
            raise NotReady(f"{path} is cut short; restore it from your backup, or delete it: a new one is made")
        return secret

    def token(self, which: str) -> Path:
        """Directory of a SoftHSM token: `root` or `issuing`."""
        return self / "hsm" / which

    def database_url(self, settings: Settings) -> str:
        chosen = os.environ.get(DATABASE_VARIABLE) or settings.database_url
        return chosen or f"sqlite:///{self.database_file}"


def current_state() -> State:
    """The state directory named by the environment. Raises NotReady when it is not named or a name is unknown."""
    unknown = {name for name in os.environ if name.startswith("VERMILION_")} - _KNOWN_VARIABLES
    if unknown:
        raise NotReady(f"unknown environment variable {min(unknown)}; known are {sorted(_KNOWN_VARIABLES)}")
    directory = os.environ.get(STATE_VARIABLE)
    if not directory:
        raise NotReady(f"set {STATE_VARIABLE} to the state directory")
    return State(Path(directory))


def load_settings(state: State) -> Settings:
    """Read the file. Raises NotReady with the first thing that is wrong and where."""
    try:
        values = tomllib.loads(state.settings_file.read_text("utf-8"))
    except FileNotFoundError as error:
        raise NotReady(f"{state.settings_file} is missing; start with ./run, or restore the state directory") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise NotReady(f"{state.settings_file} cannot be read: {error}") from error
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise NotReady(f"{state.settings_file}: {where}: {first['msg']}") from error


def replaced(text: str, values: Mapping[str, str]) -> str:
    """The text of a settings file with other values for some of its first keys; an empty one is the default.

    Raises NotReady when the text does not let itself be changed so.
    """
    lines = text.splitlines()
    first = next((place for place, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    kept = [line for line in lines[:first] if line.partition("=")[0].strip() not in values]
    new = [f"{name} = {json.dumps(value)}" for name, value in values.items() if value]
    changed = "\n".join([*kept, *new, *lines[first:]]) + "\n"
    try:
        before, after = tomllib.loads(text), tomllib.loads(changed)
    except tomllib.TOMLDecodeError as error:
        raise NotReady(f"the settings cannot be changed: {error}") from error
    if after != {name: value for name, value in before.items() if name not in values} | {
        name: value for name, value in values.items() if value
    }:
        raise NotReady(
            "the settings are written in a way that cannot be changed; write each value on a line of its own"
        )
    return changed


def origin_of(url: str) -> str:
    """The web origin of an address (RFC 6454 section 6.2): scheme, host and port, without the scheme's own port."""
    parts = urlsplit(url)
    own = {"https": 443, "http": 80}.get(parts.scheme)
    port = "" if parts.port in (None, own) else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def seconds(value: int) -> timedelta:
    """A setting in seconds as the domain's type."""
    return timedelta(seconds=value)
