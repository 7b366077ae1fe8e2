"""How soon changes of status are seen, for Prometheus (text exposition format 0.0.4)."""

import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ca.adapters.clock import SystemClock
from ca.domain.errors import NotReady, PKIError
from ca.domain.receipts import ASKED_FOR, Latency, latencies
from ca.domain.times import Millis
from ca.ports import UnitOfWork

DAY = 24 * 3600 * 1000
_HOST = "127.0.0.1"


def tell_latencies(unit_of_work: UnitOfWork, days: int) -> str:
    """All channels over the last days. Raises PKIError."""
    now = SystemClock().milliseconds()
    with unit_of_work.look() as work:
        rows = latencies(work.receipts.since(Millis(now - days * DAY)))
        oldest = work.receipts.waiting(soon=True, since=Millis(now - ASKED_FOR), after=(Millis(0), 0), limit=1)
    return latencies_text(rows, days, now - oldest[0].changed_at if oldest else 0)


def latencies_text(rows: Sequence[Latency], days: int, oldest: int) -> str:
    """Gauges over the window, in seconds; `oldest` in milliseconds."""
    window = f'window="{days}d"'
    lines = ["# TYPE vermilion_revocation_visible_seconds gauge"]
    for row in rows:
        for name, value in (("0.5", row.p50), ("0.95", row.p95), ("1", row.longest)):
            if value is not None:
                labels = f'channel="{row.channel}",quantile="{name}",{window}'
                lines.append(f"vermilion_revocation_visible_seconds{{{labels}}} {value / 1000}")
    gauges: dict[str, list[tuple[str, float]]] = {
        "promised_seconds": [(row.channel, row.promised / 1000) for row in rows],
        "seen": [(row.channel, row.count) for row in rows],
        "late": [(row.channel, row.late) for row in rows],
        "waiting": [(row.channel, row.waiting) for row in rows],
    }
    for name, values in gauges.items():
        lines.append(f"# TYPE vermilion_revocation_{name} gauge")
        lines += [f'vermilion_revocation_{name}{{channel="{channel}",{window}}} {value}' for channel, value in values]
    lines += ["# TYPE vermilion_revocation_oldest_waiting_seconds gauge"]
    lines += [f"vermilion_revocation_oldest_waiting_seconds {oldest / 1000}"]
    return "\n".join(lines) + "\n"


def serve_metrics(port: int, text: Callable[[], str]) -> ThreadingHTTPServer:
    """Answer `GET /metrics` on loopback, in threads of its own. Raises NotReady when the port is taken."""

    class Metrics(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/metrics":
                self.send_error(404)
                return
            try:
                body = text().encode()
            except PKIError as error:
                self.send_error(503, str(error))
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The log is for what goes wrong."""

    try:
        server = ThreadingHTTPServer((_HOST, port), Metrics)
    except OSError as error:
        where = f"{_HOST}:{port}"
        raise NotReady(f"metrics cannot be told at {where}: {error.strerror}; choose another metrics_port") from error
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
