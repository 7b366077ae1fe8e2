"""Further places of publication follow the public directory: what is behind is sent again until it is right.

Nothing waits for a target: a CRL is published when it is in the directory. What a target holds is asked for, so a
restart, a restore or somebody who writes there is noticed; an older file never takes the place of a newer one.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ca.domain.audit import AuditEvent
from ca.domain.bundle import BundleKind
from ca.domain.crl import CRLScope
from ca.domain.errors import NotReady
from ca.ports import Clock, UnitOfWork, Work
from ca.publishing import PublishedFile, Publisher
from ca.targets import Held, Item, Target

_ACTOR = "signer"
_LOOK_AGAIN = timedelta(minutes=5)
"""What was right is asked for again, because somebody else may write there."""
_CRL, _CERTIFICATE = "application/pkix-crl", "application/pkix-cert"
_BUNDLES = {
    BundleKind.FULL: ("application/vnd.vermilion.bundle", 300),
    BundleKind.PATCH: ("application/vnd.vermilion.bundle-patch", 60),
}
_CRL_SECONDS, _CERTIFICATE_SECONDS = 300, 3600
_CHUNK = 1 << 20
_REFUSED = 2
"""So many files may be refused in a pass before the target is taken for away."""

Opened = Callable[[], AbstractContextManager[PublishedFile | None]]


@dataclass(frozen=True, slots=True)
class _Wanted:
    item: Item
    open: Opened


class _Bytes:
    """PublishedFile over what is short enough for memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.version = self.size = len(content)

    def read(self, offset: int, length: int) -> bytes:
        return self._content[offset : offset + length]


@dataclass
class _Standing:
    """How a target stands."""

    failing_since: datetime | None = None
    right: dict[str, tuple[Held, datetime]] = field(default_factory=dict)
    """By path: what it was last found or made to hold, and when."""


@dataclass(frozen=True)
class FollowTargets:
    """One pass over all targets; one at a time."""

    unit_of_work: UnitOfWork
    clock: Clock
    publisher: Publisher
    targets: Sequence[Target]
    _standings: dict[str, _Standing] = field(default_factory=dict, repr=False)

    def __call__(self) -> str:
        """A sentence on what was sent. Raises NotReady, naming each target that is behind, since when and why."""
        with self.unit_of_work.look() as work:
            wanted = list(self._wanted(work))
        sent, failures = 0, []
        for target in self.targets:
            standing = self._standings.setdefault(target.name, _Standing())
            try:
                sent += self._follow_all(target, standing, [one for one in wanted if target.takes(one.item.path)])
            except NotReady as failure:
                failures.append(self._failed(target, standing, failure))
            else:
                self._recovered(target, standing)
        if failures:
            raise NotReady("; ".join(failures))
        return f"sent {sent}" if sent else "every target holds everything"

    def _follow_all(self, target: Target, standing: _Standing, wanted: Sequence[_Wanted]) -> int:
        """How many were sent. One that is refused does not hold up the others; a target that is away is left alone."""
        sent, failures = 0, []
        for one in wanted:
            try:
                sent += self._follow(target, standing, one)
            except NotReady as failure:
                failures.append(failure)
                if len(failures) > _REFUSED:
                    break
        if failures:
            raise failures[0]
        return sent

    def _follow(self, target: Target, standing: _Standing, one: _Wanted) -> bool:
        """Whether something was sent."""
        now, item = self.clock.now(), one.item
        known, at = standing.right.get(item.path, (None, now))
        if known is not None and known.sha256 == item.sha256 and now < at + _LOOK_AGAIN:
            return False
        held = target.find(item.path)
        if held is not None and held.number > item.number:
            # Another signer's, and the records say so in a moment; ours from before a restore; or nobody's.
            raise NotReady(f"{item.path} there has number {held.number}, ours {item.number}: see who writes there")
        is_right = held is not None and held.sha256 == item.sha256 and known in (None, held)
        if not is_right:
            self._send(target, one, over=held)
            held = target.find(item.path)
            if held is None or held.sha256 != item.sha256:
                raise NotReady(f"{item.path} is not what was put there")
        assert held is not None  # noqa: S101 - it was found, or put there
        standing.right[item.path] = held, now
        return not is_right

    def _send(self, target: Target, one: _Wanted, *, over: Held | None) -> None:
        with one.open() as content:
            if content is None or _digest(content) != one.item.sha256:
                raise NotReady(f"the public directory holds another {one.item.path} than the records name")
            target.put(one.item, content, over)
        details = {"target": target.name, "number": str(one.item.number), "sha256": one.item.sha256}
        self._tell("publication.sent", one.item.path, details)

    def _failed(self, target: Target, standing: _Standing, failure: NotReady) -> str:
        if standing.failing_since is None:
            standing.failing_since = self.clock.now()
            self._tell("publication.failed", target.name, {"reason": str(failure)})
        return f"{target.name} is behind since {standing.failing_since:%d %b %Y, %H:%M} UTC: {failure}"

    def _recovered(self, target: Target, standing: _Standing) -> None:
        if standing.failing_since is not None:
            self._tell("publication.recovered", target.name, {})
            standing.failing_since = None

    def _tell(self, name: str, subject: str, details: dict[str, str]) -> None:
        with self.unit_of_work() as work:
            work.audit.append(AuditEvent(name, subject, _ACTOR, self.clock.now(), details))
            work.commit()

    def _wanted(self, work: Work) -> Iterator[_Wanted]:
        for issuer in work.issuers.list():
            der = issuer.certificate_der
            digest = hashlib.sha256(der).hexdigest()
            item = Item(f"ca/{issuer.name}.cer", 0, digest, _CERTIFICATE, _CERTIFICATE_SECONDS)
            yield _Wanted(item, lambda der=der: nullcontext(_Bytes(der)))  # type: ignore[misc]  # bound now
            partitions = [CRLScope(issuer.name, each) for each in work.crls.list_partitions(issuer.name)]
            # A base before the delta that needs it.
            for scope in (CRLScope(issuer.name), *partitions, CRLScope(issuer.name, delta=True)):
                last = work.crls.find_last(scope)
                if last is not None and last.published:
                    item = Item(f"crl/{scope.name}.crl", last.number, last.sha256, _CRL, _CRL_SECONDS)
                    yield _Wanted(item, lambda name=scope.name: self.publisher.find_crl(name))  # type: ignore[misc]
            for kind, (media_type, max_age) in _BUNDLES.items():
                record = work.bundles.last(issuer.name, kind)
                if record is not None:
                    path, content = f"bundle/{issuer.name}.{kind}", record.content
                    item = Item(path, record.number, hashlib.sha256(content).hexdigest(), media_type, max_age)
                    yield _Wanted(item, lambda content=content: nullcontext(_Bytes(content)))  # type: ignore[misc]


def _digest(content: PublishedFile) -> str:
    found, offset = hashlib.sha256(), 0
    while chunk := content.read(offset, _CHUNK):
        found.update(chunk)
        offset += len(chunk)
    return found.hexdigest()
