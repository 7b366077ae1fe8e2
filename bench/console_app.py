"""The console over a filled database, in this process.

What is timed is one request from the first line of the app to the last byte of the page, with what the signer is asked
on the way (bench/console_signer.py): everything but the network and the edge.
"""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from flask import Flask, g
from sqlalchemy import select

from admin.access import ROOMS, SignedIn
from admin.app import create_app
from admin.paging import Place, mark_of
from bench.experiment import Unmeasured
from ca.adapters.db.rows import CertificateRow, db
from ca.domain.officers import TrustedRole
from ca.operations import Operation, WhoAmI

_HOST = "https://localhost"
_COOKIE = "vermilion_officer"


@dataclass(frozen=True, slots=True)
class Person:
    """An officer by a word that is also their session."""

    word: str
    branch: str
    roles: tuple[str, ...]

    @property
    def signed_in(self) -> SignedIn:
        roles = frozenset(map(TrustedRole, self.roles))
        return SignedIn(self.word, self.word, f"E-{self.word}", self.word, self.branch, roles)

    @property
    def sees_all(self) -> bool:
        return self.signed_in.sees_all_branches

    @property
    def told(self) -> dict[str, Any]:
        """As the signer tells of an officer."""
        who = {"id": self.word, "person": f"E-{self.word}", "name": self.word}
        return {**who, "branch": self.branch, "roles": list(self.roles)}


class Answers(Protocol):
    """Who answers what pages ask the signer."""

    def call(self, operation: Operation) -> dict[str, Any]: ...


@dataclass(slots=True)
class Asking:
    """Between the console and who answers: tells who is there by the bank's officers, and takes the time."""

    answers: Answers
    people: Mapping[str, Person]
    seconds: float = 0.0

    def call(self, operation: Operation) -> dict[str, Any]:
        began = time.perf_counter()
        try:
            answer = self.answers.call(operation)
        finally:
            self.seconds += time.perf_counter() - began
        return {"officer": self.people[operation.session].told} if isinstance(operation, WhoAmI) else answer


@dataclass(frozen=True, slots=True)
class Visit:
    """One page as an officer had it."""

    milliseconds: float
    processor_milliseconds: float
    """Of this process: what is left of the time when others work on the machine, without the signer's and the
    database server's."""
    signer_milliseconds: float
    """How long the console waited for the signer."""


@dataclass(frozen=True, slots=True)
class Console:
    """A browser at the app for each officer."""

    app: Flask
    people: Mapping[str, Person]
    asking: Asking

    def visit(self, officer: str, path: str) -> Visit:
        """Raises Unmeasured when the page is not there: what is refused fast is no speed."""
        client = self.app.test_client()
        client.set_cookie(_COOKIE, officer, path="/admin", secure=True)
        self.asking.seconds = 0.0
        began, used = time.perf_counter(), time.process_time()
        answer = client.get(f"/admin/{path}", base_url=_HOST, buffered=True)
        took, used = (time.perf_counter() - began) * 1000, (time.process_time() - used) * 1000
        if answer.status_code not in {200, 302}:
            raise Unmeasured(f"{path} for {officer} was answered {answer.status_code}")
        return Visit(took, used, self.asking.seconds * 1000)

    def endpoint(self, path: str) -> str:
        """Which room an address leads to."""
        urls = self.app.url_map.bind("localhost")
        return str(urls.match(f"/admin/{path.partition('?')[0]}", "GET")[0])

    def who_may(self, path: str) -> list[Person]:
        """Those officers to whom the address opens."""
        roles = {role.value for role in ROOMS[self.endpoint(path)]}
        return [one for one in self.people.values() if roles & {*one.roles}]

    def behind(self, officer: str, room: str, query: str, values: tuple[Any, ...]) -> str:
        """Address of the page of a list behind a row with these values."""
        with self.app.test_request_context(f"/admin/?{query}"):
            g.officer = self.people[officer].signed_in
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


@contextmanager
def console(database_url: str, people: Mapping[str, Person], answers: Answers) -> Iterator[Console]:
    """Over a filled database; `people` by their words."""
    asking = Asking(answers, people)
    app = create_app(
        signer=asking,
        database_url=database_url,
        secret_key=b"k" * 32,
        relying_party="localhost",
        origins=(_HOST,),
        demo=False,
        organization="Demo Bank",
        enrolment_url=_HOST,
        root_fingerprint="ab" * 32,
    )
    gc.collect()
    gc.freeze()  # as in wsgi.py
    try:
        yield Console(app, people, asking)
    finally:
        gc.unfreeze()
        with app.app_context():
            db.engine.dispose()
