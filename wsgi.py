"""The processes, each an app of its own: `signer()`, `console()`, `customer()`, `status()`, `edge()`.

Everything an app needs is read here from the state directory named by VERMILION_STATE; nothing imports this module.
A process that cannot come up says why in one sentence and exits with 4: a person must act, a restart would not help.
"""

import gc
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ca.domain.errors import PKIError
from ca.supervisor import CONFIGURATION_ERROR, ERROR_MARK
from config.settings import Settings, State, current_state, load_settings, seconds

if TYPE_CHECKING:
    from ocsp.server import StatusServer

WSGI = Callable[..., Any]
App = TypeVar("App")


def _or_exit(build: Callable[[State, Settings], App]) -> App:
    try:
        state = current_state()
        app = build(state, load_settings(state))
    except PKIError as error:
        sys.stderr.write(f"{ERROR_MARK}{error}\n")
        sys.stderr.flush()
        sys.exit(CONFIGURATION_ERROR)
    # What was made until now stays: to look through it for garbage would hold up a request for a tenth of a second.
    gc.collect()
    gc.freeze()
    return app


def signer() -> WSGI:
    """The only process with the PIN and the PKCS#11 module; listens on a Unix socket."""

    def build(state: State, settings: Settings) -> WSGI:
        from ca.answering import AnsweringDoor
        from ca.handlers import Handlers
        from ca.signer import create_app
        from ca.signer_wiring import build_signer

        use_cases = build_signer(state, settings)
        try:
            use_cases.reconcile()
        except PKIError as error:
            # One row that somebody wrote must not keep the bank closed: it stays unsigned, event and job say so.
            use_cases.record_refusal("reconcile", "signer", error)
        handlers = Handlers(use_cases)
        AnsweringDoor(state.socket("ocsp"), use_cases.answer_ocsp.each).open()
        return create_app(handlers.table(), handlers.refused, handlers.malformed)

    return _or_exit(build)


def console() -> WSGI:
    """The officers' console: reads rows, asks the signer."""

    def build(state: State, settings: Settings) -> WSGI:
        from admin.app import create_app
        from ca.signer_client import SignerClient
        from ca.state_files import root_fingerprint

        return create_app(
            signer=SignerClient(state.socket("signer")),
            database_url=state.database_url(settings),
            secret_key=state.read_secret("console-key"),
            relying_party=settings.relying_party,
            origins=settings.origins,
            demo=settings.demo,
            certificates=settings.officer_certificates,
            organization=settings.organization,
            enrolment_url=settings.enrolment_url,
            root_fingerprint=root_fingerprint(state),
        )

    return _or_exit(build)


def customer() -> WSGI:
    """The customers' portal and enrolment endpoint: asks the signer."""

    def build(state: State, settings: Settings) -> WSGI:
        from ca.signer_client import SignerClient
        from customer.app import create_app
        from customer.services import ToolPlace

        return create_app(
            signer=SignerClient(state.socket("signer")),
            organization=settings.organization,
            chain_pem_path=state.trust / "chain.pem",
            enrolment_url=settings.enrolment_url,
            public_url=settings.public_url,
            tool_place=ToolPlace(state.publication / "tool", state.trust / "tool-release.spki"),
            hotline=settings.hotline,
        )

    return _or_exit(build)


def status() -> "StatusServer":
    """OCSP, CRLs, CA certificates: reads, and asks the signer for answers. Speaks HTTP itself (docs/adr/0018)."""

    def build(state: State, settings: Settings) -> "StatusServer":
        from ca.adapters.clock import SystemClock
        from ca.domain.ocsp import Policy
        from ocsp.app import Setup, status_app

        setup = Setup(
            database_url=state.database_url(settings),
            standings=state.standings,
            kept=state.kept_answers,
            publication=state.publication,
            signer_socket=state.socket("signer"),
            answers_socket=state.socket("ocsp"),
            policy=Policy(settings.ocsp.extended_revoke, settings.ocsp.archive_cutoff),
            kept_answers=settings.ocsp.kept_answers,
            warm_per_second=settings.ocsp.warm_per_second,
            key_in_memory=settings.ocsp.key == "memory",
            life=seconds(settings.times.ocsp_life),
        )
        return status_app(setup, SystemClock().now)

    return _or_exit(build)


def edge() -> WSGI:
    """TLS ends here; paths go to the console's or the customer's process."""

    def build(state: State, settings: Settings) -> WSGI:
        from edge.proxy import Edge
        from edge.vouching import open_key

        vouch = open_key(state.door_key) if settings.officer_certificates else None
        return Edge(customer_socket=state.socket("customer"), console_socket=state.socket("console"), vouch=vouch)

    return _or_exit(build)
