"""The console over a filled database, in this process, with a signer that only says who is there.

What is timed is one request from the first line of the app to the last byte of the page: no network, and none of the
questions to the signer that a page costs in truth (who asks, that a customer was looked at, how a certificate is).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask, g
from sqlalchemy import select

from admin.access import SignedIn
from admin.app import create_app
from admin.paging import Place, mark_of
from bench.experiment import Unmeasured
from ca.adapters.db.rows import CertificateRow, db
from ca.certificate_operations import ExamineCertificate
from ca.domain.officers import TrustedRole
from ca.domain.policy import USUAL
from ca.operations import Health, NoteLook, Operation, WhoAmI
from ca.policy_operations import PolicyInForce

_HOST = "https://localhost"
_COOKIE = "vermilion_officer"
_ANSWERS: dict[type[Operation], dict[str, Any]] = {
    NoteLook: {},
    Health: {"hsm": "ok", "database": "ok", "clock": "ok"},
    PolicyInForce: {"numbers": USUAL.numbers()},
    ExamineCertificate: {"findings": [], "approvals": [], "request_wrong": ""},
}


class OnlyWhoIsThere:
    """A signer that knows officers by their tokens, is well, and does nothing else."""

    def __init__(self, officers: dict[str, dict[str, Any]]) -> None:
        self._officers = officers

    def call(self, operation: Operation) -> dict[str, Any]:
        if isinstance(operation, WhoAmI):
            return {"officer": self._officers[operation.session]}
        if type(operation) in _ANSWERS:
            return _ANSWERS[type(operation)]
        raise Unmeasured(f"a page asked the signer for {operation.path}")


@dataclass(frozen=True, slots=True)
class Visit:
    """One page as an officer had it."""

    milliseconds: float
    processor_milliseconds: float
    """Of this process: what is left of the time when others work on the machine, without the database server's."""


@dataclass(frozen=True, slots=True)
class Console:
    """A browser at the app for each officer."""

    app: Flask
    officers: dict[str, dict[str, Any]]

    def visit(self, officer: str, path: str) -> Visit:
        """Raises Unmeasured when the page is not there: what is refused fast is no speed."""
        client = self.app.test_client()
        client.set_cookie(_COOKIE, officer, path="/admin", secure=True)
        began, used = time.perf_counter(), time.process_time()
        answer = client.get(f"/admin/{path}", base_url=_HOST, buffered=True)
        took, used = (time.perf_counter() - began) * 1000, (time.process_time() - used) * 1000
        if answer.status_code not in {200, 302}:
            raise Unmeasured(f"{path} for {officer} was answered {answer.status_code}")
        return Visit(took, used)

    def behind(self, officer: str, room: str, query: str, values: tuple[Any, ...]) -> str:
        """Address of the page of a list behind a row with these values."""
        with self.app.test_request_context(f"/admin/?{query}"):
            g.officer = self._signed_in(officer)
            view = self.app.extensions["vermilion_rooms"][room]
            order, chosen = view.asked_order(), view.chosen_value()
            at = Place(0, values).written(mark_of(room, "", chosen, *map(str, order)))
            return f"{query}&at={at}"

    def key_look_up(self) -> Callable[[str], float]:
        """One certificate by its serial number and nothing else, through the same engine: milliseconds."""

        def look(serial: str) -> float:
            with self.app.app_context():
                began = time.perf_counter()
                found = db.session.execute(
                    select(CertificateRow).where(CertificateRow.serial == serial)
                ).scalar_one_or_none()
                took = (time.perf_counter() - began) * 1000
            if found is None:
                raise Unmeasured("a certificate of the bank is not in the database")
            return took

        return look

    def _signed_in(self, officer: str) -> SignedIn:
        known = self.officers[officer]
        roles = frozenset(map(TrustedRole, known["roles"]))
        return SignedIn(officer, known["id"], known["person"], known["name"], known["branch"], roles)


@contextmanager
def console(database_url: str, branches: dict[str, str]) -> Iterator[Console]:
    """Officers by a word that is also their session. `branches`: that word -> branch; the auditor sees all of them."""
    officers = {word: _person(word, branch) for word, branch in branches.items()}
    app = create_app(
        signer=OnlyWhoIsThere(officers),
        database_url=database_url,
        secret_key=b"k" * 32,
        relying_party="localhost",
        origins=(_HOST,),
        demo=False,
        organization="Demo Bank",
        enrolment_url=_HOST,
        root_fingerprint="ab" * 32,
    )
    try:
        yield Console(app, officers)
    finally:
        with app.app_context():
            db.engine.dispose()


def _person(word: str, branch: str) -> dict[str, Any]:
    roles = ["auditor"] if word == "auditor" else ["ra-operator", "ra-supervisor"]
    return {"id": word, "person": f"E-{word}", "name": word, "branch": branch, "roles": roles}
