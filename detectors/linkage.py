"""Whether a report is of a known incident: record linkage (Fellegi & Sunter 1969).

What a report and an incident have in common falls, field by field, into levels. `linkage.csv`
says how often each level is seen between a report and its own incident (m), and between a report
and other incidents of the same province and days (u); the logarithms of m/u add up. An agreement
on a rare toll weighs more than one on a common toll (Winkler 2000), so tolls have levels by size.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache
from math import inf, log
from typing import Final

from msgspec import Struct

from detectors.coding.sketch import alike, bits, hashes_of
from detectors.records import Casualties, Statement, Victims, Voice
from detectors.tables import rows
from detectors.world.actors import ACTORS
from detectors.world.sound import sound_of
from detectors.world.towns import districts_of

#: Days by which two reports of one incident may differ.
REACH_DAYS: Final = 1
#: Hashes in common from which a text is a reprint of another: half of their shingles agree.
COPY: Final = hashes_of(0.5)
_AKIN: Final = hashes_of(0.15)
_MOST_TEXTS: Final = 8  # of one incident that a report is compared with
_NEAR: Final = 1.5  # times as many killed, at most
_FAR: Final = 3.0
_SIZES: Final = (1, 2, 3, 5, 9, 19)  # the last toll of each size; larger ones are one more
_AGREEMENTS: Final = ("same", "shared", "apart", "unsaid")
_PARTY: Final = tuple(f"party {each}" for each in _AGREEMENTS)
_VICTIMS: Final = tuple(f"victims {each}" for each in _AGREEMENTS)


class Told(Struct, frozen=True, array_like=True):
    """What is kept of a report's event, to know others of the same incident by."""

    event: str
    seen: int  # seconds
    first: int  # day number: the first day on which it may have occurred
    last: int
    source: str
    witness: str  # publisher family: that of the agency where it is an agency's story
    admin1: str | None = None
    place: str = ""
    precise: bool = False  # the place is a town or district, not a whole province or country
    actors: tuple[str, ...] = ()
    mode: str | None = None
    killed: Casualties | None = None
    victims: tuple[Victims, ...] = ()
    also: tuple[int, ...] = ()  # other numbers of killed told: an earlier one, another side's
    risen: bool = False
    statement: Statement | None = None
    voices: tuple[Voice, ...] = ()
    language: str | None = None
    sketch: str = ""
    themes: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()

    @property
    def town(self) -> str:
        """The town or district, "" where it is not told."""
        return self.place if self.precise else ""

    @property
    def follows(self) -> bool:
        """Whether it speaks of something told before."""
        return self.risen or self.statement is not None


class Profile(Struct, frozen=True):
    """What a report is compared with: what the reports of an incident have told together."""

    first: int
    last: int
    admin1: str | None
    towns: frozenset[str]  # the districts of the towns told
    parties: frozenset[str]
    modes: frozenset[str]
    victims: frozenset[str]
    tolls: frozenset[int]  # each as the number of killed in some report
    also: frozenset[int]  # other numbers told
    range: tuple[int, int] | None  # the least and the most killed that were told
    sources: frozenset[str]
    texts: tuple[tuple[str | None, int], ...]  # language, sketch

    def tells_more(self, than: Profile) -> bool:
        """Whether other reports might fit it now that did not fit before."""
        return (
            (self.towns, self.tolls, self.also, self.parties)
            != (than.towns, than.tolls, than.also, than.parties)
        )  # fmt: skip


def profile(members: Sequence[Told]) -> Profile:
    """Return what the reports of one incident have told together; there is at least one."""
    counted = [told.killed for told in members if told.killed is not None]
    days = sorted((told.last - told.first, told.first, told.last) for told in members)
    return Profile(
        first=days[0][1],
        last=days[0][2],
        admin1=next((told.admin1 for told in members if told.admin1), None),
        towns=frozenset(part for told in members for part in where(told.town, told.admin1)),
        parties=frozenset(party for told in members for party in parties(told.actors)),
        modes=frozenset(told.mode for told in members if told.mode),
        victims=frozenset(side for told in members for side in told.victims),
        tolls=frozenset(killed.best for killed in counted),
        also=frozenset(number for told in members for number in told.also),
        range=(min(k.low for k in counted), max(k.high for k in counted)) if counted else None,
        sources=frozenset(told.source for told in members),
        texts=_texts(members),
    )


@cache
def where(town: str, admin1: str | None) -> frozenset[str]:
    """Return the districts that a town may lie in, or what its spellings have in common."""
    if not town:
        return frozenset()
    return frozenset(districts_of(town, admin1 or "")) or frozenset((sound_of(town),))


def _texts(members: Sequence[Told]) -> tuple[tuple[str | None, int], ...]:
    """Return the last texts, of reprints only the original."""
    own: dict[tuple[str | None, str], str] = {}
    for told in members:
        if told.sketch:
            own.setdefault((told.language, told.witness), told.sketch)
    texts = [(language, bits(sketch)) for (language, _), sketch in own.items()]
    return tuple(texts[-_MOST_TEXTS:])


@cache
def parties(actors: tuple[str, ...]) -> frozenset[str]:
    """Return organisations and all they were part of; civilians are no party."""
    found: set[str] = set()
    waiting = [actor for actor in actors if actor != "civilians"]
    while waiting:
        actor = waiting.pop()
        if actor not in found:
            found.add(actor)
            known = ACTORS.get(actor)
            waiting.extend(role.within for role in known.roles if role.within) if known else None
    return frozenset(found)


def levels(told: Told, known: Profile) -> tuple[str, ...]:
    """Return for each field how a report agrees with an incident, as `linkage.csv` names it."""
    return tuple([level(told, known) for level in _FIELDS.values()])


def _party(told: Told, known: Profile) -> str:
    return _PARTY[_agreement(parties(told.actors), known.parties)]


def _victims(told: Told, known: Profile) -> str:
    return _VICTIMS[_agreement(told.victims, known.victims)]


def _source(told: Told, known: Profile) -> str:
    same = told.source in known.sources
    if same and told.language is None:
        return "source same record"  # a data set of incidents tells each once
    again = "again" if told.follows else "plain"
    return f"source {'same' if same else 'other'} {again}"


def _day(told: Told, known: Profile) -> str:
    if told.first == known.first and told.last == known.last:
        return "day same"
    if told.first <= known.last and known.first <= told.last:
        return "day within"
    return "day next"


def _town(told: Told, known: Profile) -> str:
    if not (told.precise and told.place and known.towns):
        return "town vague"
    return "town other" if known.towns.isdisjoint(where(told.place, told.admin1)) else "town same"


def _agreement(told: Collection[str], known: frozenset[str]) -> int:
    """Return which of `_AGREEMENTS` two sets have."""
    if not told or not known:
        return 3
    if known.isdisjoint(told):
        return 2
    return 0 if known == frozenset(told) else 1


def _mode(report: Told, incident: Profile) -> str:
    told, known = report.mode, incident.modes
    if told is None or not known:
        return "mode unsaid" if told or known else "mode neither"
    return "mode same" if told in known else "mode other"


def size(toll: int) -> str:
    """Return the class of a number of killed: "1", "2", "3", "5" (4 or 5), ... or "more"."""
    return next((str(last) for last in _SIZES if toll <= last), "more")


def _toll(told: Told, known: Profile) -> str:
    said = told.killed
    if said is None or known.range is None:
        return "toll unsaid" if said or known.range else "toll neither"
    if said.best in known.tolls:
        return f"toll same {size(said.best)}"
    if said.best in known.also or not known.tolls.isdisjoint(told.also):
        return "toll told"
    low, high = known.range
    if told.also:
        return "toll belied"  # it says that other numbers were told
    if told.risen:
        return "toll risen" if low < said.best else "toll fallen"
    return _apart(said, low, high)


def _apart(said: Casualties, low: int, high: int) -> str:
    if said.low <= high and low <= said.high:
        return "toll range"
    fewer, more = sorted((said.best, low if said.best < low else high))
    grave = " grave" if fewer > 5 else ""
    if more <= _NEAR * fewer:
        return f"toll near{grave}"
    return f"toll far{grave}" if more <= _FAR * fewer else "toll apart"


def _text(told: Told, known: Profile) -> str:
    if not told.sketch:
        return "text unknown"
    text = bits(told.sketch)
    best = max([alike(text, each) for language, each in known.texts if language == told.language],
               default=None)  # fmt: skip
    if best is None:
        return "text unknown"
    return "text copy" if best >= COPY else "text akin" if best >= _AKIN else "text unlike"


def levels_known() -> frozenset[str]:
    """Return every level there is."""
    again = ("again", "plain")
    fields = {
        "day": ("same", "within", "next"),
        "town": ("same", "other", "vague"),
        "party": _AGREEMENTS,
        "victims": _AGREEMENTS,
        "mode": ("same", "other", "unsaid", "neither"),
        "toll": (
            "unsaid", "neither", "told", "belied", "risen", "fallen", "range", "near",
            "near grave", "far", "far grave", "apart",
            *(f"same {size(each)}" for each in (*_SIZES, _SIZES[-1] + 1)),
        ),
        "text": ("copy", "akin", "unlike", "unknown"),
        "source": ("same record", *(f"{who} {how}" for who in ("same", "other") for how in again)),
    }  # fmt: skip
    return frozenset(f"{field} {level}" for field, found in fields.items() for level in found)


@cache
def weights() -> dict[str, float]:
    """Return log(m/u) by level."""
    table = rows("detectors", "linkage.csv")
    return {row["level"]: log(float(row["m"]) / float(row["u"])) for row in table}


@cache
def _plan() -> tuple[tuple[Callable[[Told, Profile], str], float], ...]:
    """Return what to compare, each with the most that those after it can add to a weight."""
    table = weights()
    most = [max(w for level, w in table.items() if level.startswith(f"{f} ")) for f in _FIELDS]
    return tuple((each, sum(most[at + 1 :])) for at, each in enumerate(_FIELDS.values()))


def weight(told: Told, known: Profile, least: float = -inf) -> float:
    """Return the logarithm of the likelihood ratio: the higher, the more are they of one incident.

    Precondition: days and provinces do not exclude one another (`may_be`).

    Args:
        told: The report.
        known: The incident.
        least: What is of interest: where it becomes clear that the weight is less, -inf is
            returned, without a look at the other fields.
    """
    table, total = weights(), 0.0
    for level, to_come in _plan():
        total += table[level(told, known)]
        if total + to_come < least:
            return -inf
    return total


def may_be(told: Told, known: Profile) -> bool:
    """Return whether days and provinces allow a report to be of an incident."""
    if told.admin1 != known.admin1 and told.admin1 and known.admin1:
        return False
    return told.first <= known.last + REACH_DAYS and known.first <= told.last + REACH_DAYS


#: What is compared; first what most often tells two incidents apart.
_FIELDS: Final[dict[str, Callable[[Told, Profile], str]]] = {
    "town": _town,
    "text": _text,
    "toll": _toll,
    "mode": _mode,
    "victims": _victims,
    "party": _party,
    "source": _source,
    "day": _day,
}
