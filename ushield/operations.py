"""The operations that a job of the bank can name, carried out with the U-Shield that is plugged in."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.serialization import Encoding

from ushield import choosing, opening
from ushield.bank_file import BankFile
from ushield.codes import reference_number
from ushield.download import Download, Downloaded, Step
from ushield.enrolment import Bank, Hints
from ushield.environment import look_around
from ushield.habit import Habit
from ushield.inventory import entries, own_texts
from ushield.jobs import Job, Operation
from ushield.pending import Shelf
from ushield.providers import Drivers
from ushield.renew import Renewal
from ushield.screen import certificate_json
from ushield.statement import signer_of, statement
from ushield.token import Token
from ushield.unlock import Unlock
from ushield.words import Words

Told = Callable[[dict[str, Any]], None]
"""Sends a message to the page."""

WHAT = {
    Operation.CHECK: "Check this computer",
    Operation.DOWNLOAD: "Download my Certificate",
    Operation.PASSWORD: "Change my certificate password",
    Operation.SIGN_IN: "Sign in to the bank",
    Operation.CANCEL: "Cancel my Certificate for good",
    Operation.RENEW: "Renew my Certificate",
    Operation.UNLOCK: "Reset my Certificate Password",
    Operation.COMPANY_APPLY: "Apply for an operator of my company",
    Operation.COMPANY_HOLD: "Hold an operator's certificate",
}
_STEPS = list(Step)


class Prompt(Protocol):
    """Where the customer types; `ushield.window.Window` is the real one."""

    def authorization_code(self) -> str: ...

    def unlock_code(self) -> str: ...

    def present_password(self) -> str: ...

    def new_password(self) -> str: ...

    def choose(self, devices: list[str], first: int) -> int: ...


class StepsOnPage:
    """Tells the page what is really being done."""

    def __init__(self, tell: Told) -> None:
        self._tell = tell

    @contextmanager
    def doing(self, step: Step) -> Iterator[None]:
        self._say(step, "doing")
        yield
        self._say(step, "done")

    def done_before(self, step: Step) -> None:
        self._say(step, "done")

    def waiting_for(self, hints: Hints) -> None:
        self._tell({"type": "certificate", "subject": hints.subject, "profile": hints.profile})

    def _say(self, step: Step, state: str) -> None:
        number = _STEPS.index(step) + 1
        self._tell({"type": "step", "number": number, "of": len(_STEPS), "words": step.value, "state": state})


@dataclass(frozen=True)
class Operations:
    """What to do for each kind of job; the answer goes to the page."""

    bank: BankFile
    prompt: Prompt
    tell: Told
    state_directory: Path

    def __call__(self, job: Job) -> dict[str, Any]:
        """Raises UShieldError."""
        match job.operation:
            case Operation.CHECK:
                return look_around(self.bank, self._drivers, Words(job.language))
            case Operation.DOWNLOAD:
                return self._download(job.reference)
            case Operation.PASSWORD:
                return self._change_password()
            case Operation.SIGN_IN | Operation.CANCEL | Operation.COMPANY_APPLY | Operation.COMPANY_HOLD:
                return self._state(job)
            case Operation.RENEW:
                return self._renew(job.serial)
            case Operation.UNLOCK:
                return self._unlock(job.reference)

    def _download(self, reference: str) -> dict[str, Any]:
        number = reference_number(reference)
        with self._device() as token:
            return _shown(token, Download(token, *self._means(token))(number))

    def _renew(self, serial: str) -> dict[str, Any]:
        with self._device() as token:
            return _shown(token, Renewal(token, *self._means(token))(serial))

    def _unlock(self, reference: str) -> dict[str, Any]:
        number = reference_number(reference)
        bank = Bank(self.bank.origin, root_pem=self.bank.root_pem)
        with self._device() as token:
            certificate = Unlock(token, self.bank, bank, self.prompt)(number)
            return _shown(token, Downloaded(certificate, "active"))

    def _means(self, token: Token) -> tuple[Bank, Shelf, Prompt, StepsOnPage]:
        bank = Bank(self.bank.origin, root_pem=self.bank.root_pem)
        return bank, Shelf(token, self.state_directory), self.prompt, StepsOnPage(self.tell)

    def _change_password(self) -> dict[str, Any]:
        with self._device() as token:
            old = self.prompt.present_password()
            opening.open_once(token, old, last_try=False)
            opening.replace_password(token, old, self.prompt.new_password(), own_texts(token))
            return {"device": {"label": token.label, "serial": token.serial}}

    def _state(self, job: Job) -> dict[str, Any]:
        with self._device() as token:
            opening.open_once(token, self.prompt.present_password(), last_try=False)
            certificate, key = signer_of(entries(token.certificates(), token.keys()), job.serial)
            signature = token.sign(key, statement(job, certificate))
            stated = {"certificate": certificate.public_bytes(Encoding.DER), "nonce": job.nonce, "signature": signature}
            return {name: b64encode(octets).decode("ascii") for name, octets in stated.items()}

    @property
    def _drivers(self) -> Drivers:
        return Drivers(self.bank.providers, for_page=True)

    @contextmanager
    def _device(self) -> Iterator[Token]:
        ready = choosing.ready(found := self._drivers.look())
        if len(ready) > 1:
            names = [f"{token.label} · {token.serial} · {provider.title}" for provider, token in ready]
            habit = Habit(self.state_directory)
            provider, plugged = ready[self.prompt.choose(names, habit.place_of([one.serial for _, one in ready]))]
            habit.keep(plugged.serial)
        else:
            provider, plugged = choosing.pick(found, None)
        token = choosing.open_plugged(provider, plugged)
        try:
            yield token
        finally:
            token.close()


def _shown(token: Token, done: Downloaded) -> dict[str, Any]:
    """What the page shows at the end."""
    shown = certificate_json(done.certificate)
    return {
        "status": done.status,
        "device": {"label": token.label, "serial": token.serial},
        **{name: shown[name] for name in ("subject", "serial", "not_after")},
    }
