"""GET through nginx with the cache configuration we ship, in front of the status process."""

from bench import nginx
from bench.compare import compare
from bench.experiment import Bench, Experiment, Report, judged
from bench.experiments.cached import CERTIFICATES
from bench.figures import at_least
from bench.load import Subject
from bench.ocsp import Asking, get_path, require_good
from bench.product import running_demo, stopped_demo
from bench.state import fill

_ROW = "GET through the shipped nginx"


def _measure(bench: Bench, report: Report) -> None:
    nginx.require_shipped()
    state = stopped_demo(bench)
    serial = fill(state, CERTIFICATES, revoked_share=0.1).holding[0]
    with running_demo(state) as product, nginx.shipped(bench.place("front"), product.http_port) as (port, pid):
        request = product.issuer.request(serial)
        asking = Asking(port, "/ocsp")
        size = require_good(asking.get(request), serial)
        asking.close()
        front = Subject("front", f"http://127.0.0.1:{port}/ocsp/{get_path(request)}", pid, size)
        with nginx.ceiling(bench.place("ceiling"), size) as ceiling:
            found = compare(bench, ceiling, [front])
    found.put_ratios(report, _ROW, "front")


FRONT = Experiment("front", [judged(f"{_ROW}: wall", at_least(0.70))], _measure)
