"""What was said last: by the public place, and by our own copy of it, which no restore of the records takes back."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from ca.domain.crl_reading import CRLHead, Entries, TBSChunks, read_head
from ca.domain.errors import InvalidRequest, Tampered
from ca.domain.keys import PublicKey
from ca.publishing import PublishedFile, Publisher


@dataclass(frozen=True, slots=True)
class LastCRL:
    """A CRL that carries our signature, open."""

    head: CRLHead
    file: PublishedFile

    def entries(self) -> Entries:
        return Entries(self.file.read, self.head)


@dataclass(frozen=True)
class LastCRLs:
    """Opens what was published last. Each file's signature is verified once for each time that it changes."""

    publisher: Publisher
    _verified: dict[tuple[str, str], tuple[Hashable, CRLHead]] = field(default_factory=dict, init=False, repr=False)

    @contextmanager
    def open(self, name: str, spki_der: bytes) -> Iterator[list[LastCRL]]:
        """All that is there under a name: two when they differ. Raises Tampered when our copy is not ours any more."""
        with self.publisher.find_crl(name) as shown, self.publisher.find_copy(name) as copy:
            found = []
            if shown is not None:
                # A file in the public place that we did not sign proves nothing: it is written over.
                with suppress(InvalidRequest):
                    found.append(LastCRL(self._head("shown", name, shown, spki_der), shown))
            if copy is not None and (not found or copy.version != found[0].file.version):
                try:
                    found.append(LastCRL(self._head("copy", name, copy, spki_der), copy))
                except InvalidRequest as error:
                    raise Tampered(f"our copy of the last CRL {name} is not signed by its issuer") from error
            yield found

    def find_shown(self, name: str, spki_der: bytes) -> CRLHead | None:
        """What the public place says under a name; None when that is nothing of ours."""
        with self.publisher.find_crl(name) as shown, suppress(InvalidRequest):
            return None if shown is None else self._head("shown", name, shown, spki_der)
        return None

    def _head(self, place: str, name: str, file: PublishedFile, spki_der: bytes) -> CRLHead:
        version, head = self._verified.get((place, name), (None, None))
        if head is None or version != file.version:
            head = read_head(file.read, file.size)
            PublicKey.from_spki(spki_der).verify(head.signature, TBSChunks(file.read, head))
            self._verified[place, name] = file.version, head
        return head
