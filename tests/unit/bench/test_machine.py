"""The machine as /proc describes it."""

import pytest

from bench.machine import Machine, busy_seconds, busy_ticks_in, model_in, this_machine


def test_the_processor_is_named() -> None:
    assert model_in("processor\t: 0\nmodel name\t: Some CPU @ 2.80GHz\nflags\t: fpu\n") == "Some CPU @ 2.80GHz"


def test_a_processor_without_a_name_is_no_error() -> None:
    assert model_in("processor\t: 0\n") == "unnamed processor"


def test_waiting_is_not_work() -> None:
    assert busy_ticks_in("cpu  100 10 30 9999 888 5 6 7 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n") == 100 + 10 + 30 + 5 + 6 + 7


@pytest.mark.parametrize(("load", "busy"), [(0.1, False), (0.5, False), (0.6, True)])
def test_a_machine_with_other_work_is_called_busy(load: float, busy: bool) -> None:
    assert Machine(2, "Some CPU", load).is_busy is busy


def test_this_machine_can_be_described() -> None:
    assert "cores" in str(this_machine())
    assert busy_seconds() > 0
