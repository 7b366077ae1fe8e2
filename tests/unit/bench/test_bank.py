"""The bank that the console is measured over: many different customers, the same ones each time."""

from collections import Counter

from bench.bank import EVENTS_EACH, LARGEST, RARE_NAME, Bank

BANK = Bank(5_000, 1_800_000_000, b"der")


def test_rows_fit_their_columns_and_come_again() -> None:
    once, again = ([(table.name, list(table.rows)) for table in BANK.tables()] for _ in range(2))

    assert once == again
    for table in BANK.tables():
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_there_are_as_many_of_each_as_promised() -> None:
    counted = {table.name: sum(1 for _ in table.rows) for table in BANK.tables()}

    assert counted["customers"] == counted["certificates"] == counted["applications"] == BANK.customers
    assert counted["audit_events"] == BANK.customers * EVENTS_EACH


def test_what_names_a_row_names_one() -> None:
    for name in (BANK.customer, BANK.application, BANK.serial, BANK.device, BANK.number, BANK.document, BANK.reference):
        assert len({name(n) for n in range(BANK.customers)}) == BANK.customers


def test_one_branch_is_large_and_others_are_small() -> None:
    (first, many), (_second, few) = Counter(map(BANK.branch, range(BANK.customers))).most_common(2)

    assert first == LARGEST
    assert 0.15 < many / BANK.customers < 0.25
    assert few / BANK.customers < 0.02


def test_some_names_are_frequent_and_one_is_rare() -> None:
    names = Counter(map(BANK.name, range(BANK.customers)))

    assert names[RARE_NAME] == 1
    assert names.most_common(1)[0][1] > 10
