"""The U-Shield chosen last is offered first; without a usable note, the first of the list."""

from pathlib import Path

import pytest

from ushield.habit import Habit


def test_the_last_choice_is_offered_first_wherever_it_stands(tmp_path: Path) -> None:
    Habit(tmp_path / "state").keep("B")

    assert Habit(tmp_path / "state").place_of(["A", "B"]) == 1
    assert Habit(tmp_path / "state").place_of(["B", "A"]) == 0
    assert Habit(tmp_path / "state").place_of(["A", "C"]) == 0


@pytest.mark.parametrize("note", ["", "[]", "{}", "7", '{"serial": ["B"]}'])
def test_a_broken_note_is_as_good_as_none(tmp_path: Path, note: str) -> None:
    (tmp_path / "chosen.json").write_text(note)

    assert Habit(tmp_path).place_of(["A", "B"]) == 0


def test_a_directory_that_cannot_be_used_costs_the_memory_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    Habit(tmp_path / "file").keep("B")

    assert Habit(tmp_path / "file").place_of(["A", "B"]) == 0
