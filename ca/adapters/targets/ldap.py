"""Publication to a directory (RFC 4523): a CA's entry holds certificate, CRL and delta CRL; partitions have entries.

ldap3 is loaded only where a target asks for it (docs/adr/0021). An attribute is read and written whole, so a list is
once in memory here; long ones belong into partitions.
"""

import hashlib
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

from ca.domain.crl_reading import read_head
from ca.domain.errors import InvalidRequest, NotReady
from ca.publishing import PublishedFile
from ca.targets import Held, Item

_SECONDS = 10
_CLASSES = ["top", "cRLDistributionPoint", "pkiCA", "deltaCRL"]
_CERTIFICATE, _CRL, _DELTA = "cACertificate;binary", "certificateRevocationList;binary", "deltaRevocationList;binary"


class LDAPTarget:
    """targets.Target. The entry `cn=<name of the CRL or CA>` under `base`; it is made when it is missing."""

    def __init__(self, name: str, *, url: str, ca_file: Path | None, base: str, bind_dn: str, password: Path) -> None:
        """Raises NotReady when ldap3 is not installed."""
        self.name = name
        self._url = url
        self._ca_file = ca_file
        self._base = base
        self._bind_dn = bind_dn
        self._password = password
        try:
            import ldap3
            import ldap3.core.exceptions
        except ImportError as error:
            raise NotReady(
                f"publication target {name} needs ldap3: install requirements-publishers.txt (deploy/README.md)"
            ) from error
        self._ldap3: Any = ldap3
        # What a server sends that is none makes ldap3 stumble.
        self._errors = (ldap3.core.exceptions.LDAPException, OSError, ssl.SSLError, LookupError, ValueError, TypeError)

    def takes(self, path: str) -> bool:
        return path.startswith(("crl/", "ca/"))

    def find(self, path: str) -> Held | None:
        entry, attribute = self._place(path)
        content = self._with(lambda connection: self._read(connection, entry, attribute))
        return None if content is None else _held(path, content)

    def put(self, item: Item, content: PublishedFile, over: Held | None) -> None:
        entry, attribute = self._place(item.path)
        whole = content.read(0, content.size)

        def write(connection: Any) -> None:
            before = self._read(connection, entry, attribute)
            if (None if before is None else _held(item.path, before)) != over:
                raise NotReady("somebody else wrote there in this moment")
            self._write(connection, entry, attribute, whole)

        self._with(write)

    def _place(self, path: str) -> tuple[str, str]:
        directory, _, file = path.partition("/")
        name = file.rpartition(".")[0]
        if directory == "ca":
            return f"cn={name},{self._base}", _CERTIFICATE
        if name.endswith("-delta"):
            return f"cn={name.removesuffix('-delta')},{self._base}", _DELTA
        return f"cn={name},{self._base}", _CRL

    def _read(self, connection: Any, entry: str, attribute: str) -> bytes | None:
        found = connection.search(entry, "(objectClass=*)", self._ldap3.BASE, attributes=[attribute])
        if not found and connection.result["description"] not in {"success", "noSuchObject"}:
            raise NotReady(f"the directory refuses: {connection.result['description']}")
        for each in connection.response or []:
            values = each.get("raw_attributes", {}).get(attribute) or []
            if values:
                return bytes(values[0])
        return None

    def _write(self, connection: Any, entry: str, attribute: str, content: bytes) -> None:
        change = {attribute: [(self._ldap3.MODIFY_REPLACE, [content])]}
        if connection.modify(entry, change):
            return
        if connection.result["description"] == "noSuchObject":
            name = entry.partition(",")[0].removeprefix("cn=")
            if connection.add(entry, _CLASSES, {"cn": name, attribute: content}):
                return
        raise NotReady(f"the directory refuses: {connection.result['description']}")

    def _with(self, work: Any) -> Any:
        ldap3, connection = self._ldap3, None
        try:
            password = self._password.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NotReady(
                f"the password of publication target {self.name} cannot be read: {self._password}"
            ) from error
        try:
            # Never the library's default, which trusts everybody.
            authorities = {"ca_certs_file": str(self._ca_file)} if self._ca_file else {}
            is_plain = self._ca_file is None and self._url.startswith("ldap:")
            tls = None if is_plain else ldap3.Tls(validate=ssl.CERT_REQUIRED, **authorities)
            server = ldap3.Server(self._url, tls=tls, connect_timeout=_SECONDS, get_info=ldap3.NONE)
            connection = ldap3.Connection(server, self._bind_dn, password, receive_timeout=_SECONDS)
            if tls is not None and not self._url.startswith("ldaps:"):
                connection.start_tls()
            if not connection.bind():
                raise NotReady(f"the directory at {self._url} does not accept us: {connection.result['description']}")
            return work(connection)
        except self._errors as error:
            raise NotReady(f"the directory at {self._url} does not answer: {type(error).__name__}") from error
        finally:
            if connection is not None:
                opened = connection.socket
                with suppress(*self._errors):
                    connection.unbind()
                if opened is not None:
                    # ldap3 forgets it when nobody answers.
                    opened.close()


def _held(path: str, content: bytes) -> Held:
    number = 0
    if path.startswith("crl/"):
        # What is no CRL may be written over.
        with suppress(InvalidRequest):
            number = read_head(lambda offset, length: content[offset : offset + length], len(content)).number
    return Held(number, hashlib.sha256(content).hexdigest())
