"""What the coder must know of a language to read a report in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple, Protocol

from detectors.coding.casualties import Harm
from detectors.coding.dates import When
from detectors.coding.lexicon import Hit
from detectors.coding.places import Locating
from detectors.coding.types import Said
from detectors.records import Casualties


class Text(NamedTuple):
    """A report's text as the dictionaries read it; all positions are in `folded`."""

    folded: str
    plain: str  # of the same length: letters and digits, a space for all else
    body: int  # where the text after the title begins
    quoted: Callable[[int, int], str]  # returns a stretch of it as it was written


class Sentence(NamedTuple):
    """One sentence, and the dictionary entries found in it, in order."""

    start: int
    end: int
    hits: list[Hit]
    text: Text
    number: int  # 0 is the title, or the first

    def part(self, start: int, end: int) -> Sentence:
        """Return a stretch of it, as if it were a sentence."""
        inside = [hit for hit in self.hits if start <= hit.start and hit.end <= end]
        return self._replace(start=start, end=end, hits=inside)

    def has(self, names: frozenset[str]) -> bool:
        """Return whether a term of one of some classes stands in it."""
        for hit in self.hits:  # noqa: SIM110 - asked often: a generator takes twice as long
            if not names.isdisjoint(hit.entry.classes):
                return True
        return False

    @property
    def lower(self) -> str:
        """Return it in lower case."""
        return self.text.folded[self.start : self.end].lower()


class Tongue(Protocol):
    """One language."""

    @property
    def code(self) -> str:
        """Its code (BCP 47)."""
        ...

    @property
    def where(self) -> Locating:
        """By which words it tells where something is."""
        ...

    def sentences(self, folded: str, limit: int) -> list[tuple[int, int]]:
        """Return the spans of the first sentences of a text."""
        ...

    def may_tell(self, hits: list[Hit]) -> bool:
        """Return whether a text with these dictionary entries may say that something happened."""
        ...

    def assess(self, sentence: Sentence) -> Said:
        """Return what a sentence says happened."""
        ...

    def when(self, sentence: Sentence, today: date) -> When:
        """Return the days that a sentence gives, seen from the local day of the report."""
        ...

    def harm(self, sentence: Sentence) -> Harm:
        """Return the casualties that a sentence states."""
        ...

    def killed(self, part: Sentence, *, supplied: bool) -> Casualties | None:
        """Return the killed that a part of a sentence states; a left-out word of harm supplied."""
        ...
