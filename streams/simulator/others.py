"""Reports of no incident of the world: other news, anniversaries, and old stories told again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final, Literal

from detectors.records import Report
from detectors.world.units import name_of
from streams.scenarios import noise
from streams.scenarios.choice import between, pick, weighted
from streams.scenarios.outlets import Outlet
from streams.scenarios.plan import HOURS
from streams.simulator.arrivals import reaches_news, reaches_outlet, reaches_unit, stage
from streams.simulator.happenings import Happening, invented
from streams.simulator.spec import Spec
from streams.simulator.telling import Issue, report_id, tell

Other = Literal["news", "anniversary", "old"]

#: Kinds of the scenario's other news that speak of no violence.
_CALM: Final = frozenset({"sport", "economy", "weather", "science", "election"})
_WAVE: Final = 40  # reports of one anniversary
_STRUCTURED: Final = 0.5  # share of them that are records dated a year back, the rest is prose
_OLD: Final = 3  # outlets that tell the old story again as it stood
_REMEMBERED: Final = (
    ("{place} remembers dead of last year's attack",
     "Residents of {place} gathered on {weekday} to mark the first anniversary of the attack in "
     "which {n} people were killed."),
    ("A year on, {place} mourns",
     "One year ago today {n} people were killed in an attack in {place}. Shops stayed closed in "
     "their memory."),
    ("Anniversary of attack marked in {place}",
     "Prayers were held on {weekday} for the {n} people who were killed in an attack in {place} a "
     "year ago."),
)  # fmt: skip


def others(spec: Spec, day: int) -> Iterator[tuple[Report, Other]]:
    """Yield a day's reports of no incident, in no order."""
    on = spec.first_day + timedelta(days=day)
    for report in _news(spec, on):
        yield report, "news"
    for number, anniversary in enumerate(spec.anniversaries):
        if anniversary == on:
            yield from _anniversary(spec, on, f"{spec.seed}/year/{number}")


def _news(spec: Spec, on: date) -> Iterator[Report]:
    rng = Random(f"{spec.seed}/news/{on}")  # noqa: S311  not for secrets
    for number in range(int(spec.news + rng.random())):
        item = _calm(on, rng)
        issue = _issue(item.outlet, item.published, f"{spec.seed}/news/{on}/{number}", rng)
        if not _is_lost(spec, issue):
            yield Report(
                id=report_id(item.outlet.source, issue.key), source=item.outlet.source,
                seen_at=issue.seen, title=item.title, text=item.text,
                publisher=item.outlet.family, published_at=item.published,
                language=item.outlet.language,
            )  # fmt: skip


def _calm(on: date, rng: Random) -> noise.Item:
    while True:  # half of the kinds are calm
        (item,) = noise.invented([on], 1, stage(), rng)
        if item.kind in _CALM:
            return item


def _issue(outlet: Outlet, published: datetime, key: str, rng: Random) -> Issue:
    wait = max(20, int(outlet.poll_minutes * 60 * between(0.2, 2.0, rng)))
    return Issue(outlet, published, published + timedelta(seconds=wait), key)


def _is_lost(spec: Spec, issue: Issue, unit: str | None = None) -> bool:
    """Whether an outage takes a report; of a place where a unit is named, of any other if not."""
    luck = Random(f"{issue.key}/lost").random()  # noqa: S311  apart: it must not shift the rest
    return any(
        outage.first <= issue.seen.date() <= outage.last
        and luck < outage.share
        and (
            reaches_news(outage, issue.outlet)
            if unit is None
            else reaches_outlet(outage, issue.outlet) or reaches_unit(outage, unit)
        )
        for outage in spec.outages
    )


def _anniversary(spec: Spec, on: date, key: str) -> Iterator[tuple[Report, Other]]:
    """Yield what is told on the anniversary of an attack, and a story of that day told again."""
    rng = Random(key)  # noqa: S311  not for secrets
    unit = pick(spec.names, rng)
    then = _a_year_before(on)
    what = invented(spec.with_(prose=0.0), f"{key}/what", -1, (unit, then), front=False)
    retold = invented(spec.with_(prose=1.0), f"{key}/old", -2, (unit, then), front=False)
    for number in range(_WAVE + _OLD):
        is_old = number >= _WAVE
        outlet = pick(_outlets(unit, english=not is_old), rng)
        issue = _issue(outlet, _time(on, rng), f"{key}/{number}", rng)
        if _is_lost(spec, issue, unit):
            continue
        if is_old:
            yield _again(retold, issue, then), "old"
        elif rng.random() < _STRUCTURED:
            yield tell(what, issue), "anniversary"
        else:
            yield _remembered(what, issue, rng), "anniversary"


def _a_year_before(on: date) -> date:
    return on.replace(year=on.year - 1, day=28 if (on.month, on.day) == (2, 29) else on.day)


def _outlets(unit: str, *, english: bool) -> list[Outlet]:
    country = "PAK" if unit.startswith("PK") else "AFG"
    there = [o for o in stage() if o.weight(unit, country) > 0]
    return [o for o in there if o.language == "en" or not english]


def _time(day: date, rng: Random) -> datetime:
    seconds = int(rng.random() * 3600)
    return datetime.combine(day, time(weighted(HOURS, rng)), UTC) + timedelta(seconds=seconds)


def _again(what: Happening, issue: Issue, then: date) -> Report:
    """Return a story as it stood a year ago, which a feed brings again today."""
    published = datetime.combine(then, issue.published.timetz())
    return tell(what, Issue(issue.outlet, published, issue.seen, issue.key))


def _remembered(what: Happening, issue: Issue, rng: Random) -> Report:
    title, text = pick(_REMEMBERED, rng)
    slots = {
        "place": what.place or name_of(what.unit),
        "weekday": f"{issue.published:%A}",
        "n": str(max(2, what.killed)),
    }
    outlet = issue.outlet
    return Report(
        id=report_id(outlet.source, issue.key), source=outlet.source, seen_at=issue.seen,
        title=title.format_map(slots), text=text.format_map(slots), publisher=outlet.family,
        published_at=issue.published, language=outlet.language,
    )  # fmt: skip
