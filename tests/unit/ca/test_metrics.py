"""ca/metrics.py: what Prometheus reads, on loopback and nowhere else."""

import http.client
import re

import pytest

from ca.domain.errors import NotReady
from ca.domain.receipts import Latency
from ca.metrics import latencies_text, serve_metrics

ROWS = [
    Latency("ocsp", 1000, 3, 8, 12, 15, 1, 2, "1ab"),
    Latency("delta-crl", 10_000, 0, None, None, None, 0, 4, ""),
]
_LINE = re.compile(r'(# TYPE [a-z_]+ gauge|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.]+)')


def test_every_channel_is_told_with_its_promise() -> None:
    text = latencies_text(ROWS, 1, 4500)
    assert text.endswith("\n")
    assert all(_LINE.fullmatch(line) for line in text.splitlines())
    for line in (
        'vermilion_revocation_visible_seconds{channel="ocsp",quantile="0.5",window="1d"} 0.008',
        'vermilion_revocation_visible_seconds{channel="ocsp",quantile="1",window="1d"} 0.015',
        'vermilion_revocation_promised_seconds{channel="delta-crl",window="1d"} 10.0',
        'vermilion_revocation_late{channel="ocsp",window="1d"} 1',
        'vermilion_revocation_waiting{channel="delta-crl",window="1d"} 4',
        "vermilion_revocation_oldest_waiting_seconds 4.5",
    ):
        assert line in text.splitlines()
    assert 'visible_seconds{channel="delta-crl"' not in text


@pytest.mark.socket
def test_it_is_served_on_loopback_until_the_records_cannot_be_read() -> None:
    said = ["one\n"]

    def text() -> str:
        if not said:
            raise NotReady("the database cannot be read")
        return said[0]

    server = serve_metrics(0, text)
    host, port = server.server_address[:2]

    def get(path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", path)
        response = connection.getresponse()
        found = response.status, response.read()
        connection.close()
        return found

    assert host == "127.0.0.1"
    assert get("/metrics") == (200, b"one\n")
    assert get("/")[0] == 404
    said.clear()
    assert get("/metrics")[0] == 503
    with pytest.raises(NotReady, match="choose another metrics_port"):
        serve_metrics(port, text)
    server.shutdown()
    server.server_close()
