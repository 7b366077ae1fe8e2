"""What a request cannot get, and what two requests at once get, on the running system."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.integration.system.clients import Answer, enroll, issue, new_request, openssl, unpack
from tests.integration.system.running import Demo

pytestmark = [pytest.mark.softhsm, pytest.mark.socket, pytest.mark.openssl, pytest.mark.curl]


def at_once(*calls: object) -> list[Answer]:
    """Their answers, in order; all begin together."""
    barrier, answers = threading.Barrier(len(calls)), dict[int, Answer]()

    def perform(number: int, call: object) -> None:
        assert callable(call)
        barrier.wait()
        answers[number] = call()

    threads = [threading.Thread(target=perform, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[number] for number in range(len(calls))]


def places(directory: Path, count: int) -> list[Path]:
    made = [directory / str(number) for number in range(count)]
    for one in made:
        one.mkdir()
    return made


def certificates_for(demo: Demo, reference: str) -> int:
    query = """SELECT count(*) FROM certificates JOIN code_pairs USING (application) WHERE reference = ?"""
    return int(demo.rows(query, reference)[0][0])


def test_the_profile_decides_never_the_request(demo: Demo, tmp_path: Path) -> None:
    (codes,) = demo.codes("machine", host_names=("gateway.demo.example",))
    more = (
        "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
        "extendedKeyUsage=OCSPSigning,serverAuth\nsubjectAltName=DNS:bank.example\n"
    )

    pem = issue(demo, tmp_path, codes, subject="/CN=bank.example/O=Somebody else/C=XX", more=more)

    certificate = x509.load_pem_x509_certificate(pem.read_bytes())
    assert "bank.example" not in openssl("x509", "-in", pem, "-noout", "-text")
    assert certificate.subject.rfc4514_string() == "CN=gateway.demo.example,OU=Machines,O=Demo Bank,C=CN"
    assert not any(
        extension.value.ca for extension in certificate.extensions if isinstance(extension.value, x509.BasicConstraints)
    )
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign) == (False, False)
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [one.dotted_string for one in purposes] == ["1.3.6.1.5.5.7.3.2"]


def test_thirty_years_asked_for_by_openssl_ca_are_not_given(demo: Demo, tmp_path: Path) -> None:
    # A request has no field for a life time; Microsoft's clients ask by the attribute ENROLLMENT_NAME_VALUE_PAIR.
    (codes,) = demo.codes("machine")
    pair = "ENROLLMENT_NAME_VALUE_PAIR"
    script = "[req]\nattributes=at\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=x\n[at]"
    settings, key, csr = tmp_path / "attributes.cnf", tmp_path / "key.key", tmp_path / "key.csr"
    settings.write_text(
        f"oid_section=oids\n[oids]\n{pair}=1.3.6.1.4.1.311.13.2.1\n{script}\n{pair}=ValidityPeriod 30 Years\n"
    )
    openssl(
        *("req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", key),
        *("-outform", "DER", "-out", csr, "-config", settings),
    )
    (tmp_path / "key.b64").write_bytes(openssl("base64", "-in", csr).encode())

    answer = enroll(demo, tmp_path, codes)

    assert answer.status == 200, answer
    certificate = x509.load_pem_x509_certificate(unpack(answer, tmp_path).read_bytes())
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= timedelta(days=397)


@pytest.mark.parametrize(
    "kind",
    [
        ("-newkey", "rsa:1024"),
        ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"),
        ("-newkey", "ed25519"),
        ("-newkey", "rsa:2048", "-pkeyopt", "rsa_keygen_pubexp:3"),
    ],
    ids=["rsa 1024", "secp256k1", "ed25519", "e=3"],
)
def test_a_weak_or_foreign_key_is_refused_and_the_codes_stay(demo: Demo, tmp_path: Path, kind: tuple[str, ...]) -> None:
    (codes,) = demo.codes("machine")
    new_request(tmp_path, "weak", kind=kind)

    refused = enroll(demo, tmp_path, codes, "weak")

    assert refused.status == 400, refused
    assert refused.header("Content-Type").startswith("text/plain")
    issue(demo, tmp_path, codes, "good")


def test_a_key_that_was_certified_before_is_refused(demo: Demo, tmp_path: Path) -> None:
    first, second = demo.codes("machine", 2)
    issue(demo, tmp_path, first)

    refused = enroll(demo, tmp_path, second)

    assert refused.status == 400, refused


@pytest.mark.parametrize(
    "body",
    [b"", b"MIIB", b"\x30\x82\xff\xff", b"\x30\x80\x00\x00", b"=" * 100, b"A" * 300_000],
    ids=["empty", "cut", "der cut", "ber", "padding only", "huge"],
)
def test_a_broken_body_is_a_plain_refusal(demo: Demo, tmp_path: Path, body: bytes) -> None:
    (codes,) = demo.codes("machine")
    (tmp_path / "key.b64").write_bytes(body)

    answer = enroll(demo, tmp_path, codes)

    assert answer.status in {400, 413}, answer
    assert b"Traceback" not in answer.body


def test_two_downloads_at_once_with_one_request_get_one_certificate(demo: Demo, tmp_path: Path) -> None:
    (codes,) = demo.codes("machine")
    new_request(tmp_path)
    here = places(tmp_path, 4)
    for one in here:
        (one / "key.b64").write_bytes((tmp_path / "key.b64").read_bytes())

    answers = at_once(*(lambda one=one: enroll(demo, one, codes) for one in here))

    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert certificates_for(demo, codes["reference_number"]) == 1


def test_two_downloads_at_once_with_two_requests_have_one_winner(demo: Demo, tmp_path: Path) -> None:
    (codes,) = demo.codes("machine")
    here = places(tmp_path, 4)
    for one in here:
        new_request(one)

    answers = at_once(*(lambda one=one: enroll(demo, one, codes) for one in here))

    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    assert certificates_for(demo, codes["reference_number"]) == 1
