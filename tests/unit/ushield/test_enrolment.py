from pathlib import Path

import pytest

from ushield.enrolment import Bank, Codes, _Answer, _refusal
from ushield.errors import (
    AddressNotHttps,
    AnswerUnexpected,
    BankBusy,
    CaFileUnreadable,
    CertificateStopped,
    CodesRefused,
    CodeUsed,
    RequestRefused,
    TooManyTries,
    UShieldError,
)


@pytest.mark.parametrize(
    "address",
    [
        *("http://bank.example", "bank.example", "https://", "https://u:p@bank.example", "https://b:99999", "ftp://b"),
        *("https://[bad", "https://a b", "https://bank..example", f"https://{'b' * 64}.example", "https://b/x y"),
        *("https://b/é", "https://b\n.example", "https://b/\x00", "https://b:x", "https://."),
    ],
)
def test_only_https_reaches_the_bank(address: str) -> None:
    with pytest.raises(AddressNotHttps):
        Bank(address)


def test_a_root_certificate_that_cannot_be_read_stops_before_anything_is_sent(tmp_path: Path) -> None:
    not_pem = tmp_path / "root.pem"
    not_pem.write_text("hello")

    with pytest.raises(CaFileUnreadable):
        Bank("https://bank.example", str(not_pem))
    with pytest.raises(CaFileUnreadable):
        Bank("https://bank.example", str(tmp_path / "none.pem"))


def test_the_codes_do_not_show_in_a_representation() -> None:
    assert "7K3M" not in repr(Codes("0123456786", "7K3M-9QWX-2FH3"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RequestRefused),
        (401, CodesRefused),
        (403, RequestRefused),
        (409, CodeUsed),
        (429, TooManyTries),
        (202, BankBusy),
        (503, BankBusy),
        (302, AnswerUnexpected),
        (500, AnswerUnexpected),
    ],
)
def test_every_http_status_becomes_a_sentence_of_its_own(status: int, kind: type[UShieldError]) -> None:
    assert isinstance(_refusal(_Answer(status, b"", None)), kind)


def test_a_certificate_held_or_revoked_meanwhile_is_not_to_be_tried_again() -> None:
    class Stopped(Bank):
        def _ask(self, *_: object) -> _Answer:
            return _Answer(409, b'{"error": "invalid-transition", "message": "this certificate is on hold"}', None)

    with pytest.raises(CertificateStopped, match=r"on hold.* does not help"):
        Stopped("https://bank.example").challenge("a1")


def test_the_wait_the_server_asks_for_is_told() -> None:
    assert "in 30 seconds" in str(_refusal(_Answer(503, b"", "30")))


def test_what_the_server_says_cannot_move_the_cursor() -> None:
    answer = _Answer(400, b"weak\x1b[2J\r\nkey " + b"x" * 1000, None)

    assert answer.reason().startswith("weak [2J key x")
    assert len(answer.reason()) <= 300


def test_the_message_of_a_json_error_is_what_is_shown() -> None:
    assert _Answer(400, b'{"error": "invalid-request", "message": "key too weak"}', None).reason() == "key too weak"
