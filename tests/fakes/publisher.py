"""The public place in memory, and a linter that says what it is told to."""


class FakePublisher:
    """ports.Publisher. `refusal` is raised instead of publishing; `crls` and `certificates` are what is there."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.crls: dict[str, bytes] = {}
        self.certificates: dict[str, bytes] = {}

    def find_crl(self, issuer: str) -> bytes | None:
        return self.crls.get(issuer)

    def publish_crl(self, issuer: str, der: bytes) -> None:
        if self.refusal:
            raise self.refusal
        self.crls[issuer] = der

    def publish_certificate(self, issuer: str, der: bytes) -> None:
        self.certificates[issuer] = der


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
