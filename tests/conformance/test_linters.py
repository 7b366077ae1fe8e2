"""pkilint has nothing to say, down to its notices, about anything the running system signed."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from ca.operations import Revoke
from tests.integration.system.clients import ask_ocsp, curl, issue, issuing_pem, openssl, serial_of
from tests.integration.system.running import Demo, run

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.openssl, pytest.mark.curl]


def findings(program: str, *options: object) -> str:
    ran = run(Path(sys.executable).with_name(program), "lint", "-s", "NOTICE", *options)
    return ran.text.strip()


@pytest.mark.parametrize("profile", ["machine", "tls-server", "personal-signing", "corporate-operator", "officer"])
def test_nothing_is_found_in_a_customers_certificate(issued: Mapping[str, Path], profile: str) -> None:
    assert findings("lint_pkix_cert", issued[profile]) == ""


@pytest.mark.parametrize("issuer", ["root", "issuing"])
def test_nothing_is_found_in_the_certificate_of_a_ca(demo: Demo, issuer: str) -> None:
    assert findings("lint_pkix_cert", demo.state / "trust" / f"{issuer}.cer") == ""


def test_nothing_is_found_in_the_responders_certificate(demo: Demo, tmp_path: Path) -> None:
    said = ask_ocsp(demo, tmp_path, "-serial", "1")
    pem = tmp_path / "responder.pem"
    pem.write_text(said[said.index("-----BEGIN CERTIFICATE") : said.index("-----END CERTIFICATE-----")])
    with pem.open("a") as file:
        file.write("-----END CERTIFICATE-----\n")

    assert findings("lint_pkix_cert", pem) == ""
    openssl("verify", "-x509_strict", "-CAfile", demo.root_pem, "-untrusted", issuing_pem(demo, tmp_path), pem)


@pytest.mark.parametrize("issuer", ["root", "issuing"])
def test_nothing_is_found_in_a_crl(demo: Demo, tmp_path: Path, issuer: str) -> None:
    certificate = issue(demo, tmp_path, demo.codes("machine")[0])
    demo.checker.call(Revoke, serial=serial_of(certificate), reason="superseded")
    crl = tmp_path / f"{issuer}.crl"
    crl.write_bytes(curl(demo, tmp_path, f"{demo.status_url}/crl/{issuer}.crl").body)

    assert findings("lint_crl", "-t", "crl", "-p", "pkix", crl) == ""


@pytest.mark.parametrize("options", [("-nonce",), ("-no_nonce",), ("-sha256",)], ids=["nonce", "no nonce", "sha256"])
@pytest.mark.parametrize("state", ["good", "unconfirmed", "unknown"])
def test_nothing_is_found_in_an_ocsp_response(
    demo: Demo, issued: Mapping[str, Path], tmp_path: Path, state: str, options: tuple[str, ...]
) -> None:
    what = {
        "good": ("-cert", issued["machine"]),
        "unconfirmed": ("-cert", issued["personal-signing"]),
        "unknown": ("-serial", "0x1234567890abcdef1234"),
    }[state]
    hash_first = options if options == ("-sha256",) else ()
    ask_ocsp(demo, tmp_path, *hash_first, *what, *(() if hash_first else options))

    assert findings("lint_ocsp_response", tmp_path / "ocsp.der") == ""
