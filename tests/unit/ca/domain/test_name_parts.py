"""How names are filed and sought: in any case, in any script, from any word on, and nothing typed is a wildcard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ca.domain.name_parts import END, LONGEST, MOST, parts_of, sought


def finds(typed: str, name: str) -> bool:
    beginning = sought(typed)
    return bool(beginning) and any(beginning <= part < beginning + END for part in parts_of(name))


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("zhang", "Zhang Wei"), ("ZHANG wei", "Zhang Wei"), ("wei zhang", "Zhang Wei"), ("we", "Zhang Wei"),
        ("  Wei ", "Zhang Wei"), ("o'brien", "Séan O’Brien"), ("OBRIEN", "Sean OBrien"), ("sean", "Séan O’Brien"),
        ("müller", "MULLER GmbH"), ("strasse", "Hans Straße"), ("张", "张伟"), ("伟", "张伟"), ("张伟", "张 伟"),
        ("张 伟", "张伟"),
        ("银行", "北京中国银行股份有限公司"), ("有限公司", "Acme 有限公司"),
        ("acme 有", "ACME有限公司"), ("ａｃｍｅ", "Acme Ltd"),
        ("100%", "100% Silk"), ("%", "100% Silk"), ("은행", "한국은행"), ("3m", "3M China"), ("ltd acme", "Acme Ltd"),
    ],
)  # fmt: skip
def test_a_name_is_found_from_any_of_its_words_on(typed: str, name: str) -> None:
    assert finds(typed, name)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("hang", "Zhang Wei"), ("zhang wang", "Zhang Wei"), ("", "Zhang Wei"), ("%", "Zhang Wei"), ("_", "Zhang Wei"),
        ("zhang_wei", "Zhang Wei"), ("z%", "Zhang Wei"), ("*", "Zhang Wei"), ("\x00", "Zhang Wei"), ("'", "O'Brien"),
        ("伟张", "张伟"), ("zhang wei x", "Zhang Wei"), ("zhangwei", "Zhang Wei"),
    ],
)  # fmt: skip
def test_what_is_no_beginning_of_its_words_does_not_find_it(typed: str, name: str) -> None:
    assert not finds(typed, name)


@given(st.text(max_size=200))
def test_a_name_is_found_by_itself_and_filed_in_bounds(name: str) -> None:
    parts = parts_of(name)

    assert len(parts) <= MOST
    assert all(0 < len(part) <= LONGEST and END not in part and "\x00" not in part for part in parts)
    assert bool(parts) == bool(sought(name)) == finds(name, name)


@given(
    st.lists(
        st.text(st.characters(categories=["Ll"], max_codepoint=0x24F), min_size=1, max_size=8), min_size=1, max_size=4
    )
)
def test_each_word_finds_the_name(words: list[str]) -> None:
    assert all(finds(word.upper(), " ".join(words)) for word in words)
