"""Why a report was coded as it was: every span that mattered, and what was made of it.

It takes the same steps as `code`, and keeps what that throws away.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from detectors.coding import Coded, code
from detectors.coding.actors import holds
from detectors.coding.dates import anchor
from detectors.coding.lexicon import Entry, Hit
from detectors.coding.opening import Opened, opened
from detectors.coding.places import mentions
from detectors.coding.story import LEAD, Spoken, Told, sentences, spoken
from detectors.coding.tongue import Text
from detectors.records import UNPLACED, Report


class Mark(Struct, frozen=True):
    """A stretch of the text that a dictionary knows."""

    text: str  # as written
    meanings: tuple[str, ...]
    rejected: str | None = None  # why it counts for nothing, if so


class Line(Struct, frozen=True):
    """A sentence, what it was taken to say, and by what."""

    text: str
    says: str
    marks: tuple[Mark, ...]


class Trace(Struct, frozen=True):
    """How a report was read."""

    language: str | None
    coded: Coded
    lines: tuple[Line, ...] = ()
    note: str = ""


def trace(report: Report) -> Trace:
    """Return how a report is read, step by step."""
    (coded,) = code([report])
    if report.record is not None:
        return Trace(None, coded, note="a structured record: mapped as it stands, no prose is read")
    found = opened(report)
    if found is None:
        return Trace(None, coded, note="not in a language that is read: en, fa, ps, ur, ar")
    if found.hits is None:
        note = "it names no place and no organisation of the monitored countries: left at once"
        return Trace(found.tongue.code, coded, note=note)
    return Trace(found.tongue.code, coded, _lines(report, coded, found, found.hits), _note(coded))


def _note(coded: Coded) -> str:
    if not coded.events:
        return f"no event: none of the first {LEAD} sentences says, near a place, that one happened"
    first = coded.events[0]
    if first.auxiliary:
        return f"kept, but not counted as having happened: {', '.join(first.auxiliary)}"
    if first.unit == UNPLACED:
        return "violence of these countries with no place: counted for no unit"
    if first.place is None:
        return "it has no place in these countries: counted for who is party to it"
    return ""


def _lines(report: Report, coded: Coded, found: Opened, hits: list[Hit]) -> tuple[Line, ...]:
    tongue, text, _ = found
    places = mentions(hits, text.folded, text.plain, text.body, tongue.where)
    kept = {(m.start, m.end) for m in places}
    every = list(sentences(text, hits, places, tongue))
    said = _spoken(report, coded, found, every)
    return tuple(
        Line(
            text=" ".join(text.quoted(told.sentence.start, told.sentence.end).split()),
            says=_says(told),
            marks=(
                *(_mark(report, coded, found, hit, kept) for hit in told.sentence.hits),
                *(_heard(text, told, said) if said else ()),
            ),
        )
        for told in every
    )


def _spoken(report: Report, coded: Coded, found: Opened, every: list[Told]) -> Spoken | None:
    """Return who says it, as `story.py` heard it."""
    if not coded.events:
        return None
    event = coded.events[0]
    today = anchor(report, event.place.country if event.place else None)
    return spoken(every, event, found.tongue, today)


def _heard(text: Text, told: Told, said: Spoken) -> Iterator[Mark]:
    """Yield who is cited in a sentence, the statement that it makes and the tolls that it gives."""
    start, end = told.sentence.start, told.sentence.end

    def mark(first: int, last: int, meaning: str) -> Mark:
        return Mark(" ".join(text.quoted(first, last).split()), (meaning,))

    for each in said.heard:
        if each.sentence.start == start:
            yield from (mark(s.start, s.end, f"voice: {s.voice}") for s in each.sayings)
    made = said.statement
    if made is not None and start <= made.start < end:
        yield mark(made.start, made.end, f"statement: {made.statement} ({made.rule})")
    for account in said.tolls.accounts if said.tolls else ():
        if start <= account.start < end:
            meaning = f"killed, by {account.voice}: {account.killed.best}"
            yield mark(account.start, account.end, meaning)
    for earlier in said.tolls.earlier if said.tolls else ():
        if start <= earlier.start < end:
            yield mark(earlier.start, earlier.end, f"killed, told earlier: {earlier.killed}")


def _says(told: Told) -> str:
    said = told.said
    if said.event is None:
        return "nothing that is coded"
    parts = [said.event, *([said.mode] if said.mode else []), *said.auxiliary]
    if said.generic:
        parts.append("in general")
    if told.elsewhere:
        parts.append("elsewhere")
    return " ".join(parts)


def _mark(
    report: Report, coded: Coded, found: Opened, hit: Hit, kept: set[tuple[int, int]]
) -> Mark:
    entry = hit.entry
    meanings = _meanings(entry)
    rejected = None
    if (entry.places or entry.elsewhere) and (hit.start, hit.end) not in kept:
        rejected = "no place here: it is also a word or a place elsewhere, and nothing supports it"
    elif entry.aliases and not entry.terms and not _names(report, coded, entry):
        rejected = "not the name of an organisation on that day, or only in another country"
    return Mark(found.text.quoted(hit.start, hit.end), meanings, rejected)


def _names(report: Report, coded: Coded, entry: Entry) -> bool:
    place = coded.events[0].place if coded.events else None
    country = place.country if place else None
    day = anchor(report, country)
    return any(holds(alias, country, day) for alias in entry.aliases)


def _meanings(entry: Entry) -> tuple[str, ...]:
    return (
        *(f"place: {c.name} ({c.precision}, {c.unit}, {c.kind})" for c in entry.places),
        *([f"place elsewhere: {entry.elsewhere}"] if entry.elsewhere else []),
        *(f"organisation: {a.actor}{_dates(a.first, a.last)}" for a in entry.aliases),
        *(f"term: {name}{f' {mode}' if mode else ''}" for name, mode in entry.terms),
    )


def _dates(first: object, last: object) -> str:
    return f" ({first or '...'} to {last or '...'})" if first or last else ""
