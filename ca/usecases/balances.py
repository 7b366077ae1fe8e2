"""The evening balance: one officer counts the stock, a supervisor confirms; alarms are looked into and settled."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ca.domain.audit import AuditEvent
from ca.domain.custody import Holder
from ca.domain.errors import InvalidRequest, NotFound
from ca.domain.names import verify_text
from ca.domain.officers import TrustedRole
from ca.domain.stock import COUNTED, Alarm, AlarmKind, Balance, Line, lines
from ca.ports import Clock, Random, UnitOfWork, Work
from ca.usecases.authorize import Authorize
from ca.usecases.custody import RaiseAlarm
from ca.usecases.stock import KEEPERS

_LONGEST_FINDING = 300
_SECOND = timedelta(seconds=1)
"""A balance is as of the last whole second: what moves in this one still belongs to the next balance, whole."""


@dataclass(frozen=True)
class CountStock:
    """Count and confirm."""

    unit_of_work: UnitOfWork
    clock: Clock
    random: Random
    authorize: Authorize

    def count(self, session: str, counted: Mapping[Holder, int]) -> Balance:
        """What lies there, holder by holder; counting again takes the place of a count that nobody confirmed yet."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, *KEEPERS)
            if set(counted) != set(COUNTED) or any(number < 0 for number in counted.values()):
                raise InvalidRequest("count the vault, the branch's stock, what officers have, and what came back")
            branch = officer.branch
            last = work.stock.find_last_balance(branch)
            since, at = last.at if last else None, now - _SECOND
            held = {line.holder: line.opening for line in self._lines(work, branch, at, now)}
            expected = lines(branch, held, work.stock.sum_moves(branch, since, at))
            for earlier in work.stock.list_proposed(branch):
                work.stock.save_balance(earlier.void())
            balance = Balance(self.random(8).hex(), branch, since, at, expected, dict(counted), officer.person)
            work.stock.save_balance(balance)
            details = {"branch": branch, "differs": _told(balance)}
            work.audit.append(AuditEvent("balance.counted", balance.id, officer.person, now, details))
            work.commit()
        return balance

    def _lines(self, work: Work, branch: str, since: datetime, until: datetime) -> tuple[Line, ...]:
        return lines(branch, work.stock.count_held(branch), work.stock.sum_moves(branch, since, until))

    def confirm(self, session: str, balance_id: str) -> Balance:
        """By a supervisor who counted, too. A difference becomes an alarm. Raises NotAllowed, InvalidTransition."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_SUPERVISOR)
            balance = work.stock.find_balance(balance_id)
            if balance is None or balance.branch != officer.branch:
                raise NotFound("there is no such balance at your branch")
            confirmed = balance.confirm(officer.person, now)
            work.stock.save_balance(confirmed)
            told = _told(confirmed)
            details = {"branch": confirmed.branch, "differs": told, "counted_by": confirmed.counted_by}
            work.audit.append(AuditEvent("balance.confirmed", confirmed.id, officer.person, now, details))
            if told:
                where = {"branch": confirmed.branch, "subject": confirmed.id, "told": told}
                RaiseAlarm(self.random)(work, AlarmKind.MISCOUNT, **where, by=officer.person, at=now)
            work.commit()
        return confirmed


@dataclass(frozen=True)
class SettleAlarm:
    """A supervisor writes down what was found."""

    unit_of_work: UnitOfWork
    clock: Clock
    authorize: Authorize

    def __call__(self, session: str, alarm_id: str, *, finding: str) -> Alarm:
        """Raise NotFound for another branch's alarm, InvalidTransition for one that was settled."""
        now = self.clock.now()
        with self.unit_of_work() as work:
            officer = self.authorize(work, session, TrustedRole.RA_SUPERVISOR)
            alarm = work.stock.find_alarm(alarm_id)
            if alarm is None or alarm.branch != officer.branch:
                raise NotFound("there is no such alarm at your branch")
            settled = alarm.settle(officer.person, now, verify_text(finding, _LONGEST_FINDING))
            work.stock.save_alarm(settled)
            details = {"kind": alarm.kind.value, "alarm": alarm.id, "finding": settled.finding}
            work.audit.append(AuditEvent("stock.settled", alarm.subject, officer.person, now, details))
            work.commit()
        return settled


def _told(balance: Balance) -> str:
    return ", ".join(f"{holder.value} {number:+}" for holder, number in balance.differences.items())
