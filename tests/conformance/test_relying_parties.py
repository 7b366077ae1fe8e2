"""Libraries that are not ours build and judge the path: pyHanko's validator (CRL, OCSP), cryptography, OpenSSL."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path

import pytest
from asn1crypto import pem as armor
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import InvalidCertificateError, RevokedError

from ca.operations import Revoke
from tests.integration.system.clients import ask_ocsp, curl, issue, issuing_pem, openssl, serial_of
from tests.integration.system.running import Demo

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.openssl, pytest.mark.curl]

PROFILES = ["machine", "tls-server", "personal-signing", "corporate-operator", "officer"]


def validate(demo: Demo, directory: Path, certificate: Path, usage: set[str], *, by: str) -> None:
    """Raises what pyHanko's validator finds; no revocation information is an error to it."""
    root, issuing = ((demo.state / "trust" / f"{name}.cer").read_bytes() for name in ("root", "issuing"))
    crls = [curl(demo, directory, f"{demo.status_url}/crl/root.crl").body]
    ocsps = []
    if by == "crl":
        # The full CRL says where its deltas are, and this validator insists on having one.
        names = ("issuing", "issuing-delta")
        crls += [curl(demo, directory, f"{demo.status_url}/crl/{name}.crl").body for name in names]
    else:
        ask_ocsp(demo, directory, "-cert", certificate, "-no_nonce")
        ocsps.append((directory / "ocsp.der").read_bytes())
    context = ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(root)],
        other_certs=[asn1_x509.Certificate.load(issuing)],
        crls=crls,
        ocsps=ocsps,
        allow_fetching=False,
        revocation_mode="require",
    )
    _, _, der = armor.unarmor(certificate.read_bytes())
    validator = CertificateValidator(asn1_x509.Certificate.load(der), validation_context=context)
    path = validator.async_validate_usage(usage)  # type: ignore[no-untyped-call]  # pyHanko leaves it untyped
    asyncio.run(path)


@pytest.mark.parametrize("by", ["crl", "ocsp"])
def test_pyhanko_trusts_an_active_certificate(demo: Demo, issued: Mapping[str, Path], tmp_path: Path, by: str) -> None:
    validate(demo, tmp_path, issued["machine"], {"digital_signature"}, by=by)


@pytest.mark.parametrize("by", ["crl", "ocsp"])
def test_pyhanko_refuses_a_revoked_certificate(demo: Demo, tmp_path: Path, by: str) -> None:
    certificate = issue(demo, tmp_path, demo.codes("machine")[0])
    demo.checker.call(Revoke, serial=serial_of(certificate), reason="keyCompromise")

    with pytest.raises(RevokedError):
        validate(demo, tmp_path, certificate, {"digital_signature"}, by=by)


def test_pyhanko_refuses_a_certificate_that_nobody_confirmed(
    demo: Demo, issued: Mapping[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(RevokedError):
        validate(demo, tmp_path, issued["personal-signing"], {"digital_signature"}, by="ocsp")


def test_pyhanko_takes_no_customers_certificate_for_a_ca(
    demo: Demo, issued: Mapping[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(InvalidCertificateError):
        validate(demo, tmp_path, issued["machine"], {"key_cert_sign"}, by="crl")


@pytest.mark.parametrize("profile", ["machine", "tls-server"])
def test_cryptography_builds_the_path(demo: Demo, issued: Mapping[str, Path], tmp_path: Path, profile: str) -> None:
    root = x509.load_pem_x509_certificate(demo.root_pem.read_bytes())
    issuing = x509.load_der_x509_certificate((demo.state / "trust" / "issuing.cer").read_bytes())
    leaf = x509.load_pem_x509_certificate(issued[profile].read_bytes())
    builder = PolicyBuilder().store(Store([root]))

    if profile == "machine":
        chain = builder.build_client_verifier().verify(leaf, [issuing]).chain
    else:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        host = x509.DNSName(names.get_values_for_type(x509.DNSName)[0])
        chain = builder.build_server_verifier(host).verify(leaf, [issuing])

    assert [one.subject for one in chain] == [leaf.subject, issuing.subject, root.subject]


@pytest.mark.parametrize("profile", PROFILES)
def test_openssl_verifies_strictly(demo: Demo, issued: Mapping[str, Path], tmp_path: Path, profile: str) -> None:
    purpose = "sslserver" if profile == "tls-server" else "any"

    openssl(
        *("verify", "-x509_strict", "-policy_check", "-purpose", purpose, "-CAfile", demo.root_pem),
        *("-untrusted", issuing_pem(demo, tmp_path), issued[profile]),
    )


def test_a_browser_like_client_trusts_the_server_by_the_root_alone(demo: Demo) -> None:
    context = ssl.create_default_context(cafile=str(demo.root_pem))
    context.verify_flags |= ssl.VERIFY_X509_STRICT

    with (
        socket.create_connection(("127.0.0.1", demo.https), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        assert secured.version() in {"TLSv1.2", "TLSv1.3"}
