"""News that reports no incident of the scenario: sport, weather, war elsewhere, warnings, denials.

A monitor must stay silent on nearly all of it. The items are invented but for a few widely known
events that carry their day (`[dated]` in `templates/world_en.toml`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final

from msgspec import Struct

from streams.scenarios.choice import pick, weighted
from streams.scenarios.language import Language, World, language, world
from streams.scenarios.outlets import Outlet
from streams.scenarios.plan import HOURS
from streams.scenarios.prose import finish, number

#: How often each kind of news comes, as far as the language has it.
_KINDS: Final = {
    "sport": 12, "economy": 12, "weather": 9, "science": 8, "election": 8, "elsewhere": 16,
    "civil": 16, "anniversary": 6, "hypothetical": 6, "negated": 6, "threat": 6,
}  # fmt: skip


class Item(Struct, frozen=True):
    """One item of other news."""

    kind: str
    outlet: Outlet
    published: datetime
    title: str
    text: str


def dated(found: Sequence[Outlet], rng: Random) -> Iterator[Item]:
    """Yield the widely known events, each by one English outlet on its day."""
    english = {o: o.noise for o in found if o.language == "en" and o.noise > 0}
    for day, items in world("en").dated.items():
        for item in items:
            title, text = item.split(" | ")
            when = _time(date.fromisoformat(day), rng)
            yield Item("context", weighted(english, rng), when, title, text)


def invented(days: Sequence[date], count: int, found: Sequence[Outlet], rng: Random) -> list[Item]:
    """Return `count` invented items, spread evenly at random over the days."""
    return [_item(pick(days, rng), found, rng) for _ in range(count)]


def _time(day: date, rng: Random) -> datetime:
    seconds = int(rng.random() * 3600)
    return datetime.combine(day, time(weighted(HOURS, rng)), UTC) + timedelta(seconds=seconds)


def _item(day: date, found: Sequence[Outlet], rng: Random) -> Item:
    outlet = weighted({o: o.noise for o in found}, rng)
    news, tongue = world(outlet.language), language(outlet.language)
    kind = weighted({k: w for k, w in _KINDS.items() if k in news.items}, rng)
    template = pick(news.items[kind], rng)
    slots = _slots(day, news, tongue, rng)
    title, text = (part.format_map(slots) for part in template.split(" | "))
    return Item(kind, outlet, _time(day, rng), finish(title), finish(text))


def _slots(day: date, news: World, tongue: Language, rng: Random) -> dict[str, str]:
    slots = {name: pick(words, rng) for name, words in news.slots.items()}
    slots |= {
        "n": number(10 + int(rng.random() * 30), tongue, rng),
        "m": number(2 + int(rng.random() * 8), tongue, rng),
        "digit": str(1 + int(rng.random() * 9)),
        "ten": str(10 + int(rng.random() * 30)),
        "day": pick(tongue.day["same"][:1], rng).format(
            weekday=tongue.words.weekdays[day.weekday()]
        ),
    }
    if "|" in slots["far"]:
        slots["far_title"], slots["far"] = slots["far"].split("|")
    capitals = ((k[:1].upper() + k[1:], v[:1].upper() + v[1:]) for k, v in slots.items())
    return dict(capitals) | slots
