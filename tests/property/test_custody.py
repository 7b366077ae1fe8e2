"""Whatever officers do with U-Shields in whatever order, ledger and register tell the same (ADR 0033)."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from functools import partial

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ca.domain.custody import ConsignmentState, Holder, transitions
from ca.domain.errors import PKIError
from ca.domain.stock import AT_A_BRANCH, BatchRow, lines, totals
from tests.fakes.bank import BRANCH, ELSEWHERE, MARIA, PAVEL, STRANGER, SUPERVISOR, Bank

PEOPLE = st.sampled_from([SUPERVISOR, MARIA, STRANGER])
ALL = [f"US{number}" for number in range(5)]
SERIALS = st.sampled_from(ALL)
LISTS = st.lists(SERIALS, min_size=1, max_size=2, unique=True)
BRANCHES = st.sampled_from([BRANCH, ELSEWHERE])


class StockLife(RuleBasedStateMachine):
    """Two branches with five U-Shields between them."""

    def __init__(self) -> None:
        super().__init__()
        self.bank = Bank()
        self.stock = self.bank.use_cases.stock

    @initialize()
    def fill_the_vault(self) -> None:
        self.receive(SUPERVISOR, ALL, Holder.VAULT)

    @rule(by=PEOPLE, serials=LISTS, into=st.sampled_from([Holder.VAULT, Holder.BRANCH]))
    def receive(self, by: str, serials: list[str], into: Holder) -> None:
        rows = [BatchRow(number, serial) for number, serial in enumerate(serials, start=1)]
        self.stock.receive(self.bank.session(by), rows, model="M", into=into)

    @rule(by=PEOPLE, serials=LISTS, to=BRANCHES)
    def send(self, by: str, serials: list[str], to: str) -> None:
        with suppress(PKIError):
            self.stock.consign.transfer(self.bank.session(by), serials, to_branch=to, why="x")

    @rule(by=PEOPLE, serials=LISTS)
    def destroy(self, by: str, serials: list[str]) -> None:
        with suppress(PKIError):
            self.stock.consign.destroy(self.bank.session(by), serials, why="x")

    @rule(by=PEOPLE, confirms=st.booleans())
    def end(self, by: str, *, confirms: bool) -> None:
        for consignment in list(self.bank.stored.consignments):
            with suppress(PKIError):
                if confirms:
                    self.stock.consign.confirm(self.bank.session(by), consignment)
                else:
                    self.stock.consign.refuse(self.bank.session(by), consignment, reason="x")

    @rule(by=PEOPLE, serial=SERIALS, takes=st.booleans())
    def carry(self, by: str, serial: str, *, takes: bool) -> None:
        with suppress(PKIError):
            (self.stock.move.take if takes else self.stock.move.put_back)(self.bank.session(by), serial)

    @rule(by=PEOPLE, serial=SERIALS)
    def hand_out(self, by: str, serial: str) -> None:
        with suppress(PKIError):
            customer = self.bank.customer(maker=by)
            submit = partial(self.bank.submit, profile="personal-signing", device_serial=serial, host_names=[])
            application = submit(self.bank.session(by), customer=customer)
            self.bank.approve(application.id, checker=PAVEL)
            self.bank.codes(application.id)

    @rule(minutes=st.integers(1, 10))
    def wait(self, minutes: int) -> None:
        self.bank.clock.tick(timedelta(minutes=minutes))

    @invariant()
    def each_ledger_is_one_chain_that_ends_where_the_register_says(self) -> None:
        for device in self.bank.stored.devices.values():
            where = (Holder.SUPPLIER, device.branch)
            moves = [one for one in self.bank.stored.moves if one.device_serial == device.serial]
            for number, move in enumerate(moves):
                assert move.to_holder in transitions()[move.from_holder]
                assert number == 0 or (move.from_holder, move.from_branch) == where
                where = (move.to_holder, move.to_branch)
            assert where == (device.holder, device.branch)

    @invariant()
    def nobody_alone_moved_one_between_keepings_or_destroyed_it(self) -> None:
        for move in self.bank.stored.moves:
            ended = self.bank.stored.consignments.get(move.consignment)
            arrived = ended is not None and ended.state is ConsignmentState.CONFIRMED
            if ended is not None and arrived and move.from_holder is Holder.IN_TRANSIT:
                assert (move.by_person, move.confirmed_by) == (ended.sent_by, ended.ended_by)
                assert move.confirmed_by != move.by_person
                assert move.to_branch == ended.to_branch
            else:
                assert move.to_holder is not Holder.DESTROYED
                assert move.from_branch == move.to_branch

    @invariant()
    def since_the_beginning_every_branch_began_with_nothing(self) -> None:
        with self.bank.unit_of_work() as work:
            now = self.bank.clock.now()
            for branch in (BRANCH, ELSEWHERE):
                held, moves = work.stock.count_held(branch), work.stock.sum_moves(branch, None, now)
                assert {line.opening for line in lines(branch, held, moves)} == {0}
                assert totals(branch, held, moves).opening == 0

    @invariant()
    def no_u_shield_is_in_two_places(self) -> None:
        devices = list(self.bank.stored.devices.values())
        assert all(count == 1 for count in Counter(one.serial for one in devices).values())
        with self.bank.unit_of_work() as work:
            held = sum(sum(work.stock.count_held(branch).values()) for branch in (BRANCH, ELSEWHERE))
        assert held == sum(one.holder in AT_A_BRANCH for one in devices)


TestStockLife = StockLife.TestCase
TestStockLife.settings = settings(
    max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
