"""What counting for the console's home page needs of the records."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ca.domain.figures import Calendar, Figure


class Figures(Protocol):
    def count(self, calendar: Calendar) -> Sequence[Figure]:
        """By branch, of the certificates of customers and of U-Shields; a slot without any is left out."""

    def check(self, calendar: Calendar) -> Sequence[Figure]:
        """What the reports judge, day by day, as far back as a report can ask at once (`Subject.CHECKED`)."""

    def keep(self, figures: Sequence[Figure], at: datetime) -> None:
        """In place of all that were kept before."""
