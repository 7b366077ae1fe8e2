"""The bank that the console is measured over: many different customers, the same ones each time."""

from collections import Counter
from dataclasses import replace

from bench.bank import EVENTS_EACH, LARGEST, RARE_NAME, Bank
from bench.bank_tables import STEPS, tables

BANK = Bank(5_000, 1_800_000_000, b"der", b"issuer", b"request")


def test_customers_come_again_as_they_were() -> None:
    once, again = (list(BANK.seeds()) for _ in range(2))

    assert once == again
    assert [seed.n for seed in once] == list(range(BANK.customers))


def test_rows_fit_their_columns() -> None:
    for table in tables(BANK):
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_there_are_as_many_events_of_each_customer_as_the_pages_count_on() -> None:
    assert len(STEPS) == EVENTS_EACH


def test_what_names_a_row_names_one() -> None:
    for name in (BANK.customer, BANK.application, BANK.serial, BANK.device, BANK.number, BANK.document, BANK.reference):
        assert len({name(n) for n in range(BANK.customers)}) == BANK.customers


def test_one_in_twenty_applied_a_second_time_and_some_of_them_wait() -> None:
    states = Counter(map(BANK.second_state, range(BANK.customers)))

    assert 0.03 < 1 - states[""] / BANK.customers < 0.07
    assert {"submitted", "approved", "codes-issued"} <= states.keys()


def test_one_branch_is_large_and_others_are_small() -> None:
    (first, many), (_second, few) = Counter(map(BANK.branch, range(BANK.customers))).most_common(2)

    assert first == LARGEST
    assert 0.15 < many / BANK.customers < 0.25
    assert few / BANK.customers < 0.02


def test_some_names_are_frequent_and_one_is_rare() -> None:
    names = Counter(map(BANK.name, range(BANK.customers)))

    assert names[RARE_NAME] == 1
    assert names.most_common(1)[0][1] > 10


def test_a_larger_bank_begins_with_the_same_customers() -> None:
    larger = replace(BANK, customers=6_000)

    assert [BANK.customer(n) for n in range(100)] == [larger.customer(n) for n in range(100)]
