"""The page of revocation latencies: what a prober saw, beside what is promised."""

import pytest

from tests.fakes.console import HELD


def test_each_channel_stands_beside_its_promise(at):
    page = at("supervisor").text("/admin/latency/?days=1")
    assert "8 ms" in page
    assert "1000 ms" in page
    assert f'href="/admin/certificates/details/?id={HELD}"' in page
    assert "late" in page


def test_a_receipt_is_on_the_page_of_its_certificate(at):
    page = at("supervisor").text(f"/admin/certificates/details/?id={HELD}")
    assert "Receipt" in page
    assert "8 ms" in page
    assert "in time" in page


@pytest.mark.parametrize("days", ["0", "2", "x", "1; drop"])
def test_other_windows_are_refused_in_words(at, days):
    assert at("supervisor").get(f"/admin/latency/?days={days}").status_code == 422
