"""The console on plain http://localhost, as in a demo, over the rows and the signer of the fakes."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from ca.adapters.db.rows import db
from tests.fakes.console import console
from tests.fakes.console_signer import FakeSigner


class _Quiet(WSGIRequestHandler):
    def log(self, kind: str, message: str, *args: Any) -> None:
        logging.getLogger("console").debug(message, *args)


@contextmanager
def serving(signer: FakeSigner) -> Iterator[str]:
    """Its address, until the block is left."""
    server = make_server("localhost", 0, lambda _environ, _start: [], threaded=True, request_handler=_Quiet)
    url = f"http://localhost:{server.server_port}"
    signer.origins = (url,)
    server.app = app = console(signer.database, signer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield url
    server.shutdown()
    thread.join()
    server.server_close()
    with app.app_context():
        db.engine.dispose()
