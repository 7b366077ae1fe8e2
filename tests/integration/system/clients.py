"""Programs that are not ours, as clients of the running system: curl for EST and OCSP by GET, openssl for the rest."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.integration.system.running import Demo, run

EST = "/.well-known/est"
P256 = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


@dataclass(frozen=True)
class Answer:
    """What curl got."""

    status: int
    headers: str
    body: bytes

    def header(self, name: str) -> str:
        found = re.search(rf"^{re.escape(name)}: *(.*?)\r?$", self.headers, re.IGNORECASE | re.MULTILINE)
        return found[1] if found else ""


def curl(demo: Demo, directory: Path, url: str, *options: object) -> Answer:
    head, body = directory / "curl.head", directory / "curl.body"
    for file in (head, body):
        file.unlink(missing_ok=True)
    ran = run(
        *("curl", "-sS", "--cacert", demo.root_pem, "-D", head, "-o", body, "-w", "%{http_code}", *options, url),
    )
    assert ran.status == 0, ran
    return Answer(int(ran.out), head.read_text("latin-1"), body.read_bytes() if body.exists() else b"")


def openssl(*argv: object, stdin: bytes = b"") -> str:
    """What it said, on both channels. It must succeed."""
    ran = run("openssl", *argv, stdin=stdin)
    assert ran.status == 0, ran
    return ran.text


def new_request(
    directory: Path, name: str = "key", *, kind: tuple[str, ...] = P256, subject: str = "/CN=ignored", more: str = ""
) -> Path:
    """A key pair and a request by `openssl req`: name.key, name.csr (DER) and name.b64 (what EST sends)."""
    key, csr = directory / f"{name}.key", directory / f"{name}.csr"
    settings = directory / f"{name}.cnf"
    wanted = "req_extensions=ext" if more else ""
    settings.write_text(f"[req]\ndistinguished_name=dn\nprompt=no\n{wanted}\n[dn]\n[ext]\n{more}\n")
    openssl(
        *("req", "-new", "-utf8", "-nodes", *kind, "-keyout", key, "-outform", "DER", "-out", csr),
        *("-subj", subject, "-config", settings),
    )
    (directory / f"{name}.b64").write_bytes(base64.encodebytes(csr.read_bytes()))
    return key


def enroll(
    demo: Demo, directory: Path, codes: Mapping[str, Any], name: str = "key", *, secret: str | None = None
) -> Answer:
    """Post the request `name`.b64 with a pair of codes."""
    user = f"{codes['reference_number']}:{codes['authorization_code'] if secret is None else secret}"
    return curl(
        *(demo, directory, f"{demo.url}{EST}/simpleenroll", "-u", user),
        *("-H", "Content-Type: application/pkcs10", "--data-binary", f"@{directory / name}.b64"),
    )


def unpack(answer: Answer, directory: Path, name: str = "key") -> Path:
    """The certificate of an EST answer, by `openssl pkcs7`: name.pem."""
    p7, pem = directory / f"{name}.p7", directory / f"{name}.pem"
    p7.write_bytes(base64.b64decode(answer.body, validate=True))
    said = openssl("pkcs7", "-inform", "DER", "-in", p7, "-print_certs")
    pem.write_text("".join(re.findall(r"-----BEGIN.*?-----END CERTIFICATE-----\n", said, re.DOTALL)))
    return pem


def issue(demo: Demo, directory: Path, codes: Mapping[str, Any], name: str = "key", **request: Any) -> Path:
    """Key, request, certificate: name.pem."""
    new_request(directory, name, **request)
    answer = enroll(demo, directory, codes, name)
    assert answer.status == 200, answer
    return unpack(answer, directory, name)


def serial_of(pem: Path) -> str:
    """As we write serials: lower-case hex, no padding."""
    return openssl("x509", "-in", pem, "-noout", "-serial").strip().removeprefix("serial=").lower().lstrip("0")


def issuing_pem(demo: Demo, directory: Path) -> Path:
    pem = directory / "issuing.pem"
    openssl("x509", "-inform", "DER", "-in", demo.state / "trust" / "issuing.cer", "-out", pem)
    return pem


def ask_ocsp(demo: Demo, directory: Path, *what: object, url: str = "") -> str:
    """`openssl ocsp` by POST; `what` is -cert FILE or -serial N with further options. The answer must verify."""
    said = openssl(
        *("ocsp", "-issuer", issuing_pem(demo, directory), *what, "-url", url or f"{demo.status_url}/ocsp"),
        *("-CAfile", demo.root_pem, "-resp_text", "-respout", directory / "ocsp.der"),
    )
    assert "Response verify OK" in said, said
    return said


def ask_ocsp_by_get(demo: Demo, directory: Path, certificate: Path) -> str:
    """RFC 6960 appendix A.1, by curl; openssl makes the request and judges the answer."""
    request, response = directory / "get.req", directory / "get.der"
    issuer = issuing_pem(demo, directory)
    openssl("ocsp", "-issuer", issuer, "-cert", certificate, "-no_nonce", "-reqout", request)
    path = quote(base64.b64encode(request.read_bytes()), safe="")
    answer = curl(demo, directory, f"{demo.status_url}/ocsp/{path}")
    assert (answer.status, answer.header("Content-Type")) == (200, "application/ocsp-response"), answer
    response.write_bytes(answer.body)
    said = openssl(
        *("ocsp", "-issuer", issuer, "-cert", certificate, "-respin", response, "-no_nonce"),
        *("-CAfile", demo.root_pem),
    )
    assert "Response verify OK" in said, said
    return said
