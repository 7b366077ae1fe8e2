"""The table as it is printed where nobody watches."""

import io

from rich.console import Console

from bench.figures import RATIO, Figure, Row, at_least
from bench.table import table_of


def printed(*rows: Row) -> str:
    out = io.StringIO()
    Console(file=out, width=160, highlight=False).print(table_of(rows, plain=True))
    return out.getvalue()


def test_a_row_shows_figure_target_verdict_and_remark() -> None:
    text = printed(Row("cached POST: wall", RATIO, at_least(0.45), Figure((0.5,)), "30,000/s of 60,000/s"))

    cells = [cell.strip() for cell in text.splitlines()[3].strip("|").split("|")]
    assert cells == ["cached POST: wall", "0.50", "≥ 0.45", "met", "30,000/s of 60,000/s"]


def test_what_was_not_measured_says_so_and_why() -> None:
    text = printed(Row("beside cfssl", RATIO, at_least(2.5), None, "cfssl is not installed"))

    assert "NOT MEASURED" in text
    assert "cfssl is not installed" in text


def test_words_in_brackets_are_no_markup() -> None:
    assert "[bold]" in printed(Row("a row", RATIO, None, None, "[bold] said the program"))


def test_the_plain_table_has_no_escape_sequence() -> None:
    assert "\x1b" not in printed(Row("a row", RATIO, at_least(1), Figure((0.5,))))
