"""Group commit: many transactions, one flush of the journal, in the order of the chain."""

import threading
from collections.abc import Callable, Sequence

from ca.adapters.journal.journal import Journal
from ca.domain.journal import Entry


class Keeper:
    """Puts what was committed into the journal.

    A transaction is announced before its commit and kept after it. Whoever comes first writes for all that are
    committed; the others find their entry written when it is their turn.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        waiting: Callable[[int], Sequence[Entry]],
        kept: Callable[[Sequence[Entry]], None],
    ) -> None:
        """`waiting` reads from the database what is behind an event; `kept` is told by what the journal has grown.

        It is told again, of nothing new, when it raised NotReady: nothing more is committed until it does not.
        """
        self.journal = journal
        self._waiting = waiting
        self._kept = kept
        self._announced: dict[int, Entry] = {}
        self._committed = journal.head.number
        self._committing = threading.Lock()
        self._turn = threading.Lock()
        self._failed = False

    def require_ready(self) -> None:
        """Before anything else is committed: raise NotReady while what was committed before cannot be kept."""
        if self._failed:
            with self._turn:
                if self._failed:
                    self._write()

    def announce(self, entry: Entry) -> None:
        """The entry is about to be committed. Its numbers are its own: the chain is locked until then."""
        self._announced[entry.first] = entry

    def withdraw(self, entry: Entry) -> None:
        """It was not committed, or nobody knows."""
        self._announced.pop(entry.first, None)

    def keep(self, entry: Entry) -> None:
        """The entry is committed: on disk when this returns. Raises NotReady: then it is written before the next."""
        number = entry.head.number
        with self._committing:
            self._committed = max(self._committed, number)
        with self._turn:
            if self.journal.head.number < number or self._failed:
                self._write()

    def catch_up(self) -> None:
        """Write everything that the database has and the journal has not. Raises NotReady, Tampered."""
        with self._turn:
            self._write()

    def _write(self) -> None:
        # Others may commit meanwhile: they are written for in the next turn. After a failure nobody may.
        try:
            entries = self._next()
            self._append(entries)
            self._kept(entries)
        except BaseException:
            self._failed = True
            raise
        self._failed = False

    def _append(self, entries: Sequence[Entry]) -> None:
        head = self.journal.head
        for entry in entries:
            head = entry.follow(head)
        if entries:
            self.journal.append(entries)
        for entry in entries:
            self._announced.pop(entry.first, None)

    def _next(self) -> Sequence[Entry]:
        """What is committed behind the journal's end."""
        with self._committing:
            committed = self._committed
        entries: list[Entry] = []
        number = self.journal.head.number
        # An entry behind the last commit that we know of may still be rolled back.
        while (entry := self._announced.get(number + 1)) is not None and entry.head.number <= committed:
            entries.append(entry)
            number = entry.head.number
        # Missing is a commit whose outcome nobody learnt, or another machine's: the database knows.
        return entries if entries and number >= committed else self._waiting(self.journal.head.number)
