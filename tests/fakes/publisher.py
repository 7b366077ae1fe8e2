"""The public place in memory, and a linter that says what it is told to."""

from ca.domain.bundle import BundleKind


class FakePublisher:
    """ports.Publisher. `refusal` is raised instead of publishing; `crls`, `certificates`, `bundles` are there."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.crls: dict[str, bytes] = {}
        self.certificates: dict[str, bytes] = {}
        self.bundles: dict[tuple[str, BundleKind], bytes] = {}

    def find_crl(self, issuer: str) -> bytes | None:
        return self.crls.get(issuer)

    def publish_crl(self, issuer: str, der: bytes) -> None:
        if self.refusal:
            raise self.refusal
        self.crls[issuer] = der

    def publish_certificate(self, issuer: str, der: bytes) -> None:
        self.certificates[issuer] = der

    def find_bundle(self, issuer: str, kind: BundleKind) -> bytes | None:
        return self.bundles.get((issuer, kind))

    def publish_bundle(self, issuer: str, kind: BundleKind, content: bytes) -> None:
        if self.refusal:
            raise self.refusal
        self.bundles[issuer, kind] = content


class FakeLinter:
    """ports.Linter. `findings` are its opinion of everything; `seen` is what it was shown."""

    def __init__(self) -> None:
        self.findings: list[str] = []
        self.seen: list[bytes] = []

    def lint_certificate(self, der: bytes) -> list[str]:
        self.seen.append(der)
        return list(self.findings)

    def lint_crl(self, der: bytes) -> list[str]:
        self.seen.append(der)
        return list(self.findings)
