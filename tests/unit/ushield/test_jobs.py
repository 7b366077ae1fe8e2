"""ushield/jobs.py: a job is taken from the bank alone, for its own page, while it is fresh, and once (T-43, T-44)."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from tests.fakes.jobs import NOW, ORIGIN, bank_file, job, signed
from ushield.errors import JobExpired, JobForOther, JobNotOurs, JobUsed, NotesDirUnusable
from ushield.jobs import Job, Operation, UsedJobs, verify

KEY = ec.generate_private_key(ec.SECP256R1())
BANK = bank_file(KEY)


def check(text: str, *, origin: str = ORIGIN, now: int = NOW) -> Job:
    return verify(text, BANK, origin=origin, now=now)


def test_a_job_of_the_bank_is_taken() -> None:
    taken = check(signed(KEY, job("download", reference="1234567894")))

    assert (taken.operation, taken.reference, taken.expires) == (Operation.DOWNLOAD, "1234567894", NOW + 300)


def test_another_key_is_not_the_banks() -> None:
    with pytest.raises(JobNotOurs):
        check(signed(ec.generate_private_key(ec.SECP256R1()), job("check")))


def test_a_page_of_another_origin_gets_nothing_with_a_job_of_the_bank() -> None:
    with pytest.raises(JobForOther):
        check(signed(KEY, job("check")), origin="https://bank.example.evil.example")


def test_a_job_for_another_origin_is_not_for_this_bank() -> None:
    with pytest.raises(JobForOther):
        check(signed(KEY, job("check", origin="https://evil.example")), origin="https://evil.example")


@pytest.mark.parametrize("now", [NOW - 61, NOW + 301])
def test_a_job_of_another_time_is_refused(now: int) -> None:
    with pytest.raises(JobExpired):
        check(signed(KEY, job("check")), now=now)


@pytest.mark.parametrize("now", [NOW - 60, NOW, NOW + 300])
def test_a_job_holds_five_minutes_and_bears_a_clock_that_is_a_minute_behind(now: int) -> None:
    assert check(signed(KEY, job("check")), now=now).operation is Operation.CHECK


def test_a_job_that_gives_itself_a_year_is_refused() -> None:
    with pytest.raises(JobExpired):
        check(signed(KEY, job("check", exp=NOW + 365 * 86_400)))


ODD: list[dict[str, Any]] = [
    job("sign"),
    job("check", v=2),
    job("check", lang="tlh"),
    job("check", lang=7),
    {name: value for name, value in job("check").items() if name != "lang"},
    job("check", reference="1234567894"),
    job("download"),
    job("download", reference=1234567894),
    job("check", module="/evil.so"),
    job("check", iat=True),
    job("check", exp=float(NOW)),
    job("check", id=7),
    job("check", nonce="AAAA"),
    job("cancel"),
    job("sign-in", serial="a1"),
    {name: value for name, value in job("check").items() if name != "nonce"},
]


@pytest.mark.parametrize("claims", ODD)
def test_claims_that_are_not_exactly_those_of_the_operation_are_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(JobNotOurs):
        check(signed(KEY, claims))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": "vermilion-job"}, {"alg": "HS256", "typ": "vermilion-job"}, {"alg": "ES256"},
        {"alg": "ES256", "typ": "JWT"}, {"alg": "ES256", "typ": "vermilion-job", "crit": ["b64"], "b64": False},
    ],
)  # fmt: skip
def test_the_header_does_not_choose_how_it_is_verified(header: dict[str, Any]) -> None:
    with pytest.raises(JobNotOurs):
        check(signed(KEY, job("check"), header))


def test_no_octet_of_a_job_can_be_changed() -> None:
    text = signed(KEY, job("download", reference="1234567894"))
    for place, octet in enumerate(text):
        other = "A" if octet != "A" else "Q"
        changed = text[:place] + other + text[place + 1 :]
        # The last character of an encoded part has bits that say nothing.
        if place + 1 < len(text) and text[place + 1] != ".":
            with pytest.raises(JobNotOurs):
                check(changed)


@pytest.mark.parametrize("text", ["", "..", "a.b", "a.b.c.d", "é.b.c", "A" * 5000, "[1].[1].[1]", "W10.W10.W10"])
def test_junk_is_no_job(text: str) -> None:
    with pytest.raises(JobNotOurs):
        check(text)


def test_a_signature_in_der_is_not_one_of_a_jws() -> None:
    head, payload, _ = signed(KEY, job("check")).split(".")
    der = KEY.sign(f"{head}.{payload}".encode(), ec.ECDSA(SHA256()))
    decode_dss_signature(der)
    with pytest.raises(JobNotOurs):
        check(f"{head}.{payload}.{base64.urlsafe_b64encode(der).decode().rstrip('=')}")


def test_a_payload_that_is_deeply_nested_is_refused() -> None:
    with pytest.raises(JobNotOurs):
        check(signed(KEY, json.loads("[" * 900 + "]" * 900)))


def test_a_job_is_taken_once_and_forgotten_when_it_is_over(tmp_path: Path) -> None:
    used, taken = UsedJobs(tmp_path / "jobs"), check(signed(KEY, job("check")))
    used.take(taken, now=NOW)

    with pytest.raises(JobUsed):
        used.take(taken, now=NOW + 300)
    used.take(check(signed(KEY, job("check", id="ab" * 16))), now=NOW + 361)
    assert len(list((tmp_path / "jobs").iterdir())) == 1


def test_an_id_names_no_path(tmp_path: Path) -> None:
    used = UsedJobs(tmp_path / "jobs")
    used.take(Job("../../../etc/passwd", Operation.CHECK, NOW + 300), now=NOW)

    assert [path.parent for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "jobs"]


def test_without_a_place_to_remember_jobs_none_is_taken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotesDirUnusable):
        UsedJobs(tmp_path / "file" / "jobs").take(Job("ab", Operation.CHECK, NOW), now=NOW)
