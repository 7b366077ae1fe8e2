"""The tool's own small window: where codes and passwords are typed when a page of the bank started the tool.

It says which page asked and what for. What is typed goes to the U-Shield or to the bank's enrolment endpoint, never to
the page: a password field in a web page is never ours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from ushield.codes import require_code
from ushield.errors import Interrupted, NothingTyped, NoWindow, PasswordsDiffer, UShieldError
from ushield.passwords import require_acceptable
from ushield.words import Words

TITLE = "U-Shield"
_SEAL, _INK, _PAPER = "#B3312C", "#1B1D22", "#FBFAF7"
_WIDTH = 420
_Check = Callable[[list[str]], str]


@dataclass(frozen=True, slots=True)
class _Field:
    label: str
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """One question after another, each in a window of its own that comes to the front."""

    bank: str
    origin: str
    what: str
    """What is being done, as a heading."""
    shown: str = ""
    """What will be signed, line by line; empty when no text is."""
    words: Words = field(default_factory=Words)

    def authorization_code(self) -> str:
        words = "Type the authorization code from the bank's letter or message. It goes to the bank and nowhere else."
        return self._ask(words, [_Field("Authorization code")], lambda typed: require_code(typed[0]))

    def unlock_code(self) -> str:
        words = (
            "Type the unlock code: the part that each of the two officers gave you, one after the other. It goes to "
            "the bank and nowhere else."
        )
        return self._ask(words, [_Field("Unlock code")], lambda typed: require_code(typed[0]))

    def present_password(self) -> str:
        words = "Type the password of your U-Shield. It stays in this computer: no page and no server gets it."
        return self._ask(words, [_Field("Certificate password", is_secret=True)], _typed)

    def new_password(self) -> str:
        words = (
            "Choose the certificate password: 6 to 8 letters and digits that only you know. It stays in this computer: "
            "no page and no server gets it."
        )
        fields = [_Field("New certificate password", is_secret=True), _Field("The same again", is_secret=True)]
        return self._ask(words, fields, _chosen)

    def choose(self, devices: Sequence[str], first: int) -> int:
        """Which of several U-Shields, by its place in the list; `first` is the one that is marked."""
        return _Dialog(self, "Several U-Shields are plugged in. Which one?").choose(devices, first)

    def _ask(self, words: str, fields: Sequence[_Field], check: _Check) -> str:
        return _Dialog(self, words).ask(fields, check)


def _typed(typed: list[str]) -> str:
    if not typed[0]:
        raise NothingTyped("No password was typed. Nothing was tried.")
    return typed[0]


def _chosen(typed: list[str]) -> str:
    first, again = typed
    if first != again:
        raise PasswordsDiffer("The two passwords are not the same. Type both again.")
    require_acceptable(first)
    return first


def _tkinter() -> ModuleType:
    try:
        import tkinter as tk
    except ImportError:
        raise NoWindow(
            "This computer's Python cannot show windows. Nothing was done. Install its part for windows (Debian and "
            "Ubuntu: python3-tk), or use the command `ushield` in a terminal."
        ) from None
    return tk


class _Dialog:
    """A Tk window that ends with an answer; closing it is an answer too."""

    def __init__(self, window: Window, words: str) -> None:
        self._tk = tk = _tkinter()
        try:
            self._root: Any = tk.Tk(className="ushield")
        except tk.TclError:
            raise NoWindow(
                "There is no screen to show the window on. Nothing was done. Use the command `ushield` in a terminal."
            ) from None
        self._answer: Any = None
        root = self._root
        root.title(TITLE)
        root.configure(background=_PAPER, padx=24, pady=20)
        root.resizable(width=False, height=False)
        root.attributes("-topmost", 1)
        root.bind("<Escape>", lambda _: root.destroy())
        self._words = window.words
        say = window.words.say
        self._text(say(window.what), size=15, weight="bold")
        self._text(say("For {bank}, asked for by the page {origin}", bank=window.bank, origin=window.origin))
        if window.shown:
            self._text(window.shown, weight="bold")
        self._text(say(words))

    def ask(self, fields: Sequence[_Field], check: _Check) -> str:
        """What `check` makes of the fields. It stays open, and says why, as long as `check` objects."""
        entries = [self._entry(field) for field in fields]
        objection = self._text("", colour=_SEAL)

        def submit(_: object = None) -> None:
            try:
                self._answer = check([entry.get() for entry in entries])
            except UShieldError as error:
                objection.configure(text=self._words.of_error(error))
                for entry in entries:
                    entry.delete(0, "end")
                entries[0].focus_set()
                return
            self._root.destroy()

        self._buttons(submit)
        return str(self._shown(entries[0]))

    def choose(self, options: Sequence[str], first: int) -> int:
        chosen = self._tk.IntVar(self._root, first)
        buttons = [
            self._tk.Radiobutton(self._root, text=option, value=place, variable=chosen, background=_PAPER, anchor="w")
            for place, option in enumerate(options)
        ]
        for button in buttons:
            button.pack(fill="x")

        def submit(_: object = None) -> None:
            self._answer = int(chosen.get())
            self._root.destroy()

        self._buttons(submit)
        return int(self._shown(buttons[first]))

    def _shown(self, first: Any) -> Any:
        root = self._root
        root.update_idletasks()
        left, top = (root.winfo_screenwidth() - root.winfo_width()) // 2, root.winfo_screenheight() // 3
        root.geometry(f"+{left}+{max(0, top - root.winfo_height() // 2)}")
        root.lift()
        first.focus_force()
        root.mainloop()
        if self._answer is None:
            raise Interrupted("The window was closed. Nothing is lost: press the button on the page again to go on.")
        return self._answer

    def _text(self, words: str, *, size: int = 11, weight: str = "normal", colour: str = _INK) -> Any:
        label = self._tk.Label(
            self._root, text=words, font=("TkDefaultFont", size, weight), wraplength=_WIDTH, justify="left",
            anchor="w", background=_PAPER, foreground=colour,
        )  # fmt: skip
        label.pack(fill="x", pady=(0, 8))
        return label

    def _entry(self, field: _Field) -> Any:
        self._text(self._words.say(field.label), weight="bold")
        entry = self._tk.Entry(self._root, show="•" if field.is_secret else "", width=28, font=("TkFixedFont", 13))
        entry.pack(fill="x", pady=(0, 12))
        return entry

    def _buttons(self, submit: Callable[..., None]) -> None:
        row = self._tk.Frame(self._root, background=_PAPER)
        self._tk.Button(row, text=self._words.say("Close"), command=self._root.destroy).pack(side="left")
        go_on = self._tk.Button(row, text=self._words.say("Continue"), command=submit)
        go_on.configure(background=_SEAL, foreground="#FFFFFF")
        go_on.pack(side="right")
        row.pack(fill="x", pady=(8, 0))
        self._root.bind("<Return>", submit)
