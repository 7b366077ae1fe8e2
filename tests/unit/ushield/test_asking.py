import io
from collections.abc import Callable
from pathlib import Path

import pytest

from ushield.asking import Typist
from ushield.errors import Interrupted, NoTerminal, NothingTyped, SecretUnreadable


def test_each_secret_is_one_line_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("7K3M-9QWX-2FH3\nabc129\n"))
    typist = Typist(code_file="-", password_file="-")

    assert typist.authorization_code() == "7K3M-9QWX-2FH3"
    assert typist.new_password() == "abc129"


def test_without_a_terminal_a_secret_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("abc129\n"))

    with pytest.raises(NoTerminal):
        Typist().present_password()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | Exception], None]:
    """Somebody at it, who types that, or something that ends the typing."""

    def types(what: str | Exception) -> None:
        def getpass(_prompt: str) -> str:
            if isinstance(what, Exception):
                raise what
            return what

        monkeypatch.setattr("sys.stdin", Terminal())
        monkeypatch.setattr("getpass.getpass", getpass)

    return types


def test_return_at_the_password_prompt_is_no_password(terminal: Callable[[str | Exception], None]) -> None:
    terminal("")

    with pytest.raises(NothingTyped, match="Nothing was tried"):
        Typist().present_password()
    assert Typist().password_or_nothing() == ""


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (EOFError(), Interrupted),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), SecretUnreadable),
    ],
    ids=["Ctrl-D", "bytes that are no text"],
)
def test_what_ends_the_typing_is_said_in_a_sentence(
    terminal: Callable[[str | Exception], None], happens: Exception, said: type[Exception]
) -> None:
    terminal(happens)

    with pytest.raises(said):
        Typist().authorization_code()


def test_an_empty_or_missing_secret_file_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")

    with pytest.raises(SecretUnreadable, match="is empty"):
        Typist(password_file=str(empty)).present_password()
    with pytest.raises(SecretUnreadable, match="No such file"):
        Typist(password_file=str(tmp_path / "none")).present_password()
