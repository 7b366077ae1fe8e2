"""What RFC 6960, 9919 and 9654 demand of a responder, fact by fact, through the whole of status (O01 to O20)."""

import asyncio
import base64
import random
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as judge
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ca.adapters.publication import DirectoryPublisher
from ca.domain import der
from ca.domain.errors import PKIError
from ca.domain.ocsp import PLAIN, Policy, Question
from ca.domain.revocation import RevocationReason
from ca.domain.standings import Standing
from ocsp.asking import Asking
from ocsp.connection import Patience
from ocsp.files import Publication, PublishedIssuers
from ocsp.history import History
from ocsp.http import StatusApp
from ocsp.kept import KeptAnswers
from ocsp.request import parse_request
from ocsp.responder import Responder
from ocsp.server import StatusServer
from ocsp.shapes import Asked
from tests.fakes.clock import NOON
from tests.fakes.connections import FakeTransport
from tests.fakes.ocsp_requests import SHA256_WITHOUT_PARAMETERS, build, extension, nonce
from tests.fakes.status_connections import Told, get, post, settled, told
from tests.fakes.status_world import DAY, StatusWorld


class Site(StatusWorld):
    """The signer's records and the whole of status over them, without a network."""

    def __init__(self, directory: Path, policy: Policy = PLAIN) -> None:
        super().__init__(policy=policy)
        publisher = DirectoryPublisher(directory / "publication", directory / "copies")
        for issuer in (self.root, self.issuing):
            publisher.publish_certificate(issuer.name, issuer.certificate_der)
        self.kept = KeptAnswers(directory / "kept", limit=1000)
        self.front = Responder(
            issuers=PublishedIssuers(directory / "publication"),
            statuses=self,  # type: ignore[arg-type]  # find alone
            kept=self.kept,
            now=self.clock.now,
            refresh=lambda wanted: None,
            policy=policy,
        )
        app = StatusApp(
            responder=self.front,
            publication=Publication(directory / "publication"),
            statuses=self,  # type: ignore[arg-type]
            history=History(self, self.clock.now),  # type: ignore[arg-type]
            now=self.clock.now,
        )
        self.asking = Asking(self)
        self.server = StatusServer(
            app, self.front, self.asking, now=self.clock.now, reads_at_once=True, at_once=self, patience=Patience()
        )

    def find(self, key: bytes) -> bytes | None:
        found = self.standings.find(int.from_bytes(key, "big"))
        return None if found is None else Standing.pack(found)

    def answer_now(self, question: Question) -> bytes | PKIError:
        return self.answer([question])[0]

    def answer_asked(self, asked: Asked, second: int) -> bytes | PKIError:
        assert second == int(self.clock.now().timestamp())
        return self.answer_now(asked.question)

    def answer(self, questions: Sequence[Question]) -> list[bytes | PKIError]:
        try:
            return self.answer_ocsp.each(questions)
        except PKIError as error:
            return [error] * len(questions)

    def told(self, blob: bytes) -> Told:
        async def asked() -> bytes:
            self.server.count_time()
            connection, transport = self.server(), FakeTransport()
            connection.connection_made(transport)
            connection.data_received(blob)
            await settled(connection)
            connection.connection_lost(None)
            return transport.written

        (answer,) = told(asyncio.run(asked()))
        return answer

    def post(self, request: bytes) -> judge.OCSPResponse:
        return judge.load_der_ocsp_response(self.told(post(request)).body)

    def cert_id(self, serial: int) -> bytes:
        return parse_request(self.asked(serial)).cert_ids[0].der


@pytest.fixture
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    site = Site(tmp_path, getattr(request, "param", PLAIN))
    site.issue(0xA1)
    site.issue(0xA2)
    site.revoke(0xA2)
    yield site
    site.asking.stop()
    site.kept.environment.close()


GOOD, REVOKED, UNKNOWN = judge.OCSPCertStatus.GOOD, judge.OCSPCertStatus.REVOKED, judge.OCSPCertStatus.UNKNOWN
Status = judge.OCSPResponseStatus


def test_o01_an_error_is_200_with_a_status_and_nothing_else(site: Site) -> None:
    answer = site.told(post(b"junk"))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/ocsp-response")
    assert answer.body == der.sequence(der.enumerated(1))


def test_o02_a_get_is_read_encoded_or_not_padded_or_not(site: Site) -> None:
    text = base64.b64encode(site.asked(0xA1))
    for written in (text, text.rstrip(b"="), text.replace(b"/", b"%2F").replace(b"+", b"%2B").replace(b"=", b"%3D")):
        answer = site.told(get(b"/ocsp/" + written))
        assert judge.load_der_ocsp_response(answer.body).certificate_status is GOOD


def test_o03_a_request_without_name_and_signature_is_enough(site: Site) -> None:
    assert site.post(build(site.cert_id(0xA1))).certificate_status is GOOD


def test_o04_one_question_has_one_answer_with_next_update_and_whole_seconds(site: Site) -> None:
    answer = site.post(site.asked(0xA1))
    (single,) = answer.responses
    assert single.this_update_utc <= answer.produced_at_utc
    assert single.next_update_utc is not None
    assert re.search(rb"\x18\x0f[0-9]{14}Z", answer.tbs_response_bytes)


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])  # noqa: S303
def test_o05_the_cert_id_is_echoed_as_sent(site: Site, algorithm: hashes.HashAlgorithm) -> None:
    request = site.asked(0xA1, algorithm)
    assert parse_request(request).cert_ids[0].der in site.told(post(request)).body


def test_o05_a_hash_without_parameters_is_echoed_without_them(site: Site) -> None:
    parts = der.parse(parse_request(site.asked(0xA1, hashes.SHA256())).cert_ids[0].der).children()
    bare = der.sequence(SHA256_WITHOUT_PARAMETERS, *(part.der for part in parts[1:]))
    body = site.told(post(build(bare))).body
    assert bare in body
    assert judge.load_der_ocsp_response(body).certificate_status is GOOD


def test_o06_the_issuer_is_named_by_the_hashes_an_independent_client_makes(site: Site) -> None:
    issuer = x509.load_der_x509_certificate(site.issuing.certificate_der)
    certificate = x509.load_der_x509_certificate(site.unit_of_work.certificates[0xA1].der)
    builder = judge.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA256())
    request = builder.build().public_bytes(Encoding.DER)
    assert site.post(request).certificate_status is GOOD


def test_o07_a_serial_that_was_never_issued_is_unknown(site: Site) -> None:
    assert site.post(site.asked(0xFFFF)).certificate_status is UNKNOWN


@pytest.mark.parametrize("site", [Policy(extended_revoke=True)], indirect=True)
def test_o07_or_revoked_since_1970_where_a_bank_wants_it(site: Site) -> None:
    for request in (site.asked(0xFFFF), build(site.cert_id(0xFFFF), extensions=(nonce(b"n" * 32),))):
        for _ in range(2):
            answer = site.post(request)
            assert answer.certificate_status is REVOKED
            assert answer.revocation_time_utc is not None
            assert answer.revocation_time_utc.year == 1970
            assert answer.revocation_reason is x509.ReasonFlags.certificate_hold
            oids = [each.oid.dotted_string for each in answer.extensions]
            assert "1.3.6.1.5.5.7.48.1.9" in oids
    assert site.post(site.asked(0xA1)).certificate_status is GOOD


def test_o08_the_responder_is_certified_by_the_issuer_itself(site: Site) -> None:
    (certificate,) = site.post(site.asked(0xA1)).certificates
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(site.issuing.certificate_der))
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.ExtendedKeyUsageOID.OCSP_SIGNING]


def test_o09_nobody_needs_to_ask_about_the_responder(site: Site) -> None:
    (certificate,) = site.post(site.asked(0xA1)).certificates
    assert not certificate.extensions.get_extension_for_class(x509.OCSPNoCheck).critical


def test_o10_the_responder_is_named_by_sha1_of_its_key(site: Site) -> None:
    answer = site.post(site.asked(0xA1))
    (certificate,) = answer.certificates
    assert answer.responder_key_hash == x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest  # type: ignore[arg-type]  # of any kind
    assert answer.responder_name is None


def test_o11_the_version_is_left_out_and_one_certificate_is_there(site: Site) -> None:
    answer = site.post(site.asked(0xA1))
    first, *_ = der.parse(answer.tbs_response_bytes).children()
    assert first.tag == 0xA2
    assert len(answer.certificates) == 1


@pytest.mark.parametrize("length", [1, 15, 16, 32, 33, 128])
def test_o12_every_nonce_that_may_be_sent_is_echoed_and_signed_freshly(site: Site, length: int) -> None:
    site.post(site.asked(0xA1))
    for octet in (b"a", b"b"):
        answer = site.post(build(site.cert_id(0xA1), extensions=(nonce(octet * length),)))
        extension_ = answer.extensions.get_extension_for_class(x509.OCSPNonce)
        assert (extension_.value.nonce, extension_.critical) == (octet * length, False)


@pytest.mark.parametrize("length", [0, 129])
def test_o12_another_nonce_is_malformed(site: Site, length: int) -> None:
    request = build(site.cert_id(0xA1), extensions=(nonce(bytes(length)),))
    assert site.post(request).response_status is Status.MALFORMED_REQUEST


def test_o13_an_unknown_extension_is_refused_when_critical_and_else_ignored(site: Site) -> None:
    for critical, status in ((True, Status.MALFORMED_REQUEST), (False, Status.SUCCESSFUL)):
        unknown = extension("1.2.3.4", b"", critical=critical)
        for request in (
            build(site.cert_id(0xA1), extensions=(unknown,)),
            build(site.cert_id(0xA1), single_extensions=(unknown,)),
        ):
            assert site.post(request).response_status is status


@pytest.mark.parametrize("critical", [True, False])
def test_o14_a_preferred_algorithm_that_is_not_ours_changes_nothing(site: Site, critical: bool) -> None:
    sha1_with_rsa = der.sequence(der.sequence(der.sequence(der.oid("1.2.840.113549.1.1.5"), der.null())))
    preferred = extension("1.3.6.1.5.5.7.48.1.8", sha1_with_rsa, critical=critical)
    answer = site.post(build(site.cert_id(0xA1), extensions=(preferred,)))
    assert answer.signature_algorithm_oid.dotted_string == "1.2.840.10045.4.3.2"


def test_o15_a_get_may_be_kept_and_a_post_not(site: Site) -> None:
    answer = site.told(get(b"/ocsp/" + base64.b64encode(site.asked(0xA1))))
    assert answer.headers["cache-control"] == "max-age=60, public, no-transform, must-revalidate"
    assert answer.headers["last-modified"] == "Mon, 23 Nov 2026 12:00:00 GMT"
    assert answer.headers["expires"] == "Mon, 23 Nov 2026 13:00:00 GMT"
    assert site.told(post(site.asked(0xA1))).headers["cache-control"] == "no-store"
    with_nonce = build(site.cert_id(0xA1), extensions=(nonce(b"n" * 32),))
    assert site.told(get(b"/ocsp/" + base64.b64encode(with_nonce))).headers["cache-control"] == "no-store"


def test_o16_ocsp_and_crl_agree_on_reason_and_time(site: Site) -> None:
    site.clock.tick(DAY)
    site.revoke(0xA1, RevocationReason.AFFILIATION_CHANGED)
    crl = x509.load_der_x509_crl(site.published())
    for serial in (0xA1, 0xA2):
        answer, entry = site.post(site.asked(serial)), crl.get_revoked_certificate_by_serial_number(serial)
        assert entry is not None
        assert answer.revocation_time_utc == entry.revocation_date_utc
        assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is answer.revocation_reason


@pytest.mark.parametrize("site", [Policy(archive_cutoff=True)], indirect=True)
def test_o17_of_an_expired_certificate_it_is_said_since_when_statuses_are_known(site: Site) -> None:
    site.issue(0xE1, life=DAY)
    assert len(site.post(site.asked(0xE1)).single_extensions) == 0
    site.clock.tick(2 * DAY)
    for request in (site.asked(0xE1), site.asked(0xE1), build(site.cert_id(0xE1), extensions=(nonce(b"n" * 32),))):
        answer = site.post(request)
        assert answer.certificate_status is GOOD
        (cutoff,) = answer.single_extensions
        assert isinstance(cutoff.value, x509.UnrecognizedExtension)
        assert cutoff.value.value == der.generalized_time(NOON)
    assert len(site.post(site.asked(0xA1)).single_extensions) == 0


def test_o17_where_a_bank_does_not_want_it_nothing_is_said(site: Site) -> None:
    site.issue(0xE1, life=DAY)
    site.clock.tick(2 * DAY)
    assert len(site.post(site.asked(0xE1)).single_extensions) == 0


def test_o18_too_much_is_refused_and_twenty_at_once_are_answered(site: Site) -> None:
    cert_ids = [site.cert_id(serial) for serial in range(1, 22)]
    assert len(list(site.post(build(*cert_ids[:20])).responses)) == 20
    assert site.post(build(*cert_ids)).response_status is Status.MALFORMED_REQUEST
    assert site.told(post(b"", b"Content-Length: 8193")).status == 413
    assert site.told(get(b"/ocsp/" + b"A" * 4096)).status == 414


def test_o18_where_nobody_can_sign_later_is_told_with_a_time(site: Site) -> None:
    site.key_store.away = True
    answer = site.told(post(site.asked(0xA1)))
    assert judge.load_der_ocsp_response(answer.body).response_status is Status.TRY_LATER
    assert answer.headers["retry-after"] == "5"


def test_o19_with_a_clock_that_went_back_nothing_is_signed(site: Site) -> None:
    site.clock.tick(DAY)
    site.post(site.asked(0xA1))
    site.clock.tick(-timedelta(hours=2))
    assert site.post(site.asked(0xFFF1)).response_status is Status.TRY_LATER


def test_o20_about_a_ca_certificate_and_a_foreign_one_it_is_not_authorized(site: Site) -> None:
    for request in (site.asked(1, issuer=site.root), StatusWorld().asked(1)):
        assert site.post(request).response_status is Status.UNAUTHORIZED


def test_a_signed_request_is_answered_whatever_its_signature(site: Site) -> None:
    signature = der.explicit(0, der.sequence(der.sequence(), der.bit_string(b"no signature")))
    assert site.post(build(site.cert_id(0xA1), signature=signature)).certificate_status is GOOD


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 300), st.integers(0, 255), st.integers(0, 300), st.booleans())
def test_whatever_is_sent_is_never_our_failure(site: Site, position: int, octet: int, cut: int, by_get: bool) -> None:
    request = bytearray(build(site.cert_id(0xA1), extensions=(nonce(b"n" * 32),)))
    request[position % len(request)] = octet
    blob = bytes(request[: cut % (len(request) + 1)] if cut % 3 else request)

    answer = site.told(get(b"/ocsp/" + base64.b64encode(blob)) if by_get else post(blob))

    assert answer.status == 200
    read = judge.load_der_ocsp_response(answer.body)
    assert read.response_status in {Status.SUCCESSFUL, Status.MALFORMED_REQUEST, Status.UNAUTHORIZED}


@pytest.mark.campaign
def test_nor_is_it_a_hundred_thousand_times(site: Site) -> None:
    chance = random.Random(6960)  # noqa: S311 - the same junk each time
    known = [site.asked(0xA1), build(site.cert_id(0xA1), extensions=(nonce(b"n" * 32),)), b""]
    for _ in range(100_000):
        blob = bytearray(chance.choice(known) or chance.randbytes(chance.randrange(200)))
        for _ in range(chance.randrange(4)):
            if blob:
                blob[chance.randrange(len(blob))] = chance.randrange(256)
        assert site.told(post(bytes(blob))).status == 200
