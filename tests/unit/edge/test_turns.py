"""A source has its share of the threads, and what it has beyond it waits."""

from edge.turns import Turn, Turns


def test_a_source_holds_its_share_and_no_more() -> None:
    turns: Turns[str] = Turns(at_once=2, waiting=1)

    assert [turns.ask("here", name) for name in "abcd"] == [Turn.NOW, Turn.NOW, Turn.LATER, Turn.NEVER]
    assert turns.ask("elsewhere", "e") is Turn.NOW


def test_who_waited_longest_takes_over_what_becomes_free() -> None:
    turns: Turns[str] = Turns(at_once=1, waiting=2)
    for name in "abc":
        turns.ask("here", name)

    assert [turns.end("here") for _ in "abc"] == ["b", "c", None]
    assert turns.ask("here", "d") is Turn.NOW
