"""A cached answer, by POST and GET: beside nginx's static file, cfssl, django-ca with its cache and openssl."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from bench import nginx
from bench.compare import compare
from bench.experiment import Bench, Experiment, Promise, Report, Unmeasured, judged, shown
from bench.figures import MILLISECONDS, TIMES, at_least, at_most
from bench.load import Subject
from bench.ocsp import require_good, write_request
from bench.peers import cfssl, django_ca, openssl
from bench.product import Product, running_demo, stopped_demo
from bench.state import fill

CERTIFICATES = 1000
_OPENSSL = "openssl ocsp"
_JUDGED_BESIDE = {"cfssl": at_least(2.5, TIMES), "django-ca": at_least(7, TIMES)}


def _promises() -> Iterator[Promise]:
    for how in ("POST", "GET"):
        yield judged(f"cached {how}: wall", at_least(0.45))
        yield judged(f"cached {how}: cpu", at_least(0.35))
        yield judged(f"cached {how}: p99", at_most(5, MILLISECONDS))
    for name, target in _JUDGED_BESIDE.items():
        yield judged(_beside(name), target)
    yield shown(_beside(_OPENSSL), TIMES)


def _beside(peer: str) -> str:
    return f"cached POST beside {peer}"


def _measure(bench: Bench, report: Report) -> None:
    state = stopped_demo(bench)
    serial = fill(state, CERTIFICATES, revoked_share=0.1).holding[0]
    with running_demo(state) as product, _peers(bench, report) as peers:
        post, get = _subjects(bench, product, serial)
        with nginx.ceiling(bench.place("ceiling"), post.answer_size) as ceiling:
            found = compare(bench, ceiling, [post, get, *peers])
    for subject in (post, get):
        row = f"cached {subject.name}"
        found.put_ratios(report, row, subject.name, product.workers)
        found.put_p99(report, row, subject.name)
    # Its processes go on at full speed once clients have gone, and answer no more.
    found.add_apart(bench, _OPENSSL, lambda: openssl.responding(bench.place("openssl")))
    for name in [*(peer.name for peer in peers), _OPENSSL]:
        found.put_times(report, _beside(name), "POST", name)


def _subjects(bench: Bench, product: Product, serial: int) -> tuple[Subject, Subject]:
    request = product.issuer.request(serial)
    asking = product.asking()
    size = require_good(asking.post(request), serial)
    require_good(asking.get(request), serial)
    asking.close()
    file = write_request(bench.place("cached") / "request", request)
    return product.post("POST", size, file), product.get("GET", size, request)


@contextmanager
def _peers(bench: Bench, report: Report) -> Iterator[list[Subject]]:
    """Those that can be had here; the rows of the others say why not."""
    ways: dict[str, Callable[[], AbstractContextManager[Subject]]] = {
        "cfssl": lambda: cfssl.serving(bench.place("cfssl")),
        "django-ca": lambda: django_ca.serving(bench, bench.place("django-ca"), cached=True),
    }
    with ExitStack() as stack:
        found = []
        for name, way in ways.items():
            try:
                found.append(stack.enter_context(way()))
            except Unmeasured as reason:
                report.miss(_beside(name), reason)
        yield found


CACHED = Experiment("cached", list(_promises()), _measure)
