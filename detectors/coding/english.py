"""English, as the coder reads it."""

from __future__ import annotations

import re
from datetime import date
from typing import ClassVar, Final

from detectors.coding import casualties, dates, normalise, places, types
from detectors.coding.lexicon import Hit
from detectors.coding.plover import type_of
from detectors.coding.tongue import Sentence
from detectors.records import Casualties

#: What follows a number tells where and when: "the official toll of four in the attack".
_WHERE: Final = re.compile(r" (?:in|on|near|after|during|from) ")
_HEADS: Final = 2  # the title and the sentence after it


class English:
    """Reads English; keeps to `tongue.Tongue`."""

    code: ClassVar[str] = "en"
    where: ClassVar[places.Locating] = places.ENGLISH

    def sentences(self, folded: str, limit: int) -> list[tuple[int, int]]:
        """Return the spans of the first sentences of a text."""
        return normalise.sentences(folded, limit)

    def may_tell(self, hits: list[Hit]) -> bool:
        """Return whether a text with these dictionary entries may say that something happened."""
        return True  # also without one: `plover.py` has words of its own

    def assess(self, sentence: Sentence) -> types.Said:
        """Return what a sentence says happened.

        Violence and what the cautious terms name comes first. What else the title or the first
        sentence says is typed by rules for all of PLOVER, where they are certain.
        """
        said = types.assess(sentence.hits, sentence.text.plain)
        if said.event is not None or sentence.number >= _HEADS:
            return said
        typed = type_of(sentence.text.folded[sentence.start : sentence.end])
        if typed.event in (None, "ASSAULT") or not typed.certain or typed.auxiliary:
            return said
        return types.Said(typed.event, typed.mode)

    def when(self, sentence: Sentence, today: date) -> dates.When:
        """Return the days that a sentence gives."""
        return dates.when(sentence.lower, today)

    def harm(self, sentence: Sentence) -> casualties.Harm:
        """Return the casualties that a sentence states."""
        return casualties.harm(sentence.lower)

    def killed(self, part: Sentence, *, supplied: bool) -> Casualties | None:
        """Return the killed that a part of a sentence states; a left-out word of harm supplied."""
        words = part.lower.strip(" .,;:-'\"()\n")
        if not supplied:
            return casualties.harm(words).killed
        found = casualties.harm(f"{words} killed").killed
        return found or casualties.harm(f"{_WHERE.split(words)[0]} killed").killed
