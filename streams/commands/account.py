"""An alert's account: everything that is known of it, for and against, as one value.

`explain.py` prints it. What speaks against an alert is said as plainly as what speaks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from detectors import ledger
from detectors.alerting import Policy
from detectors.delivery_records import Delivery
from detectors.records import Alert, Coverage, Event, IncidentRef
from detectors.signals import SIGNALS
from detectors.world.units import UNITS, name_of
from streams.commands.alternatives import Alternative, alternatives
from streams.commands.closing import Difference, closing, difference
from streams.commands.instability import Instability, instabilities
from streams.store import Evidence, Store, StoredReport
from streams.wording import DISCLAIMER, VOICES, headline, number, percent, publisher, resolver

#: Below so many incidents, observed or expected, one more or less changes the judgement.
_SMALL: Final = 5


class Change(Struct, frozen=True):
    """One revision, and in what it differs from the one before."""

    revision: int
    at: datetime
    changed: str
    differences: tuple[str, ...]


class Spell(Struct, frozen=True):
    """How well the unit could be seen from a revision on."""

    at: datetime
    coverage: Coverage
    share: float


class Track(Struct, frozen=True):
    """How claims of the same signal and direction turned out before this alert opened."""

    settled: int
    hits: int
    void: int
    interval: tuple[float, float] | None  # 95 % of the share of hits, Wilson


class Account(Struct, frozen=True):
    """What `tocsin explain --json` prints."""

    headline: str
    place: str
    alert: Alert
    difference: Difference  # when it opened
    instability: Instability | None  # of its unit now; None: it is no area, or not scored yet
    settlement: str
    closing: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    coverage: tuple[Spell, ...]
    against: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    track: Track  # as it was known when it opened
    track_now: Track  # of all others of its kind, as the store has it
    changes: tuple[Change, ...]
    revisions: tuple[Alert, ...]
    deliveries: tuple[Delivery, ...]
    method: str
    disclaimer: str


def account(store: Store, alert: Alert, policy: Policy | None = None) -> Account:
    """Gather an alert's account from the store; `policy` says how alerts end."""
    revisions = store.revisions(alert.id)
    evidence = store.evidence(replace(alert, evidence=_all_incidents(revisions)))
    like = [
        each
        for each in store.alerts(signal=alert.signal)
        if each.direction == alert.direction and each.id != alert.id
    ]
    return Account(
        headline=headline(alert),
        place=place_of(alert.unit),
        alert=alert,
        difference=difference(revisions[0] if revisions else alert),
        instability=instabilities(store.scores()).get(alert.unit),
        settlement=resolver(alert),
        closing=tuple(closing(alert, revisions, policy or Policy())),
        evidence=tuple(evidence),
        coverage=tuple(_spells(revisions)),
        against=tuple(_against(alert, revisions, evidence)),
        alternatives=tuple(alternatives(store, alert, revisions, evidence)),
        track=_track(a for a in like if a.outcome and a.outcome.at <= alert.opened_at),
        track_now=_track(like),
        changes=tuple(_changes(revisions)),
        revisions=tuple(revisions),
        deliveries=tuple(store.deliveries(alert.id)),
        method=_method(alert.signal),
        disclaimer=DISCLAIMER,
    )


def place_of(code: str) -> str:
    """Name a unit with its country and code."""
    unit = UNITS.get(code)
    if unit is None or unit.kind != "admin1":
        return f"{name_of(code)} ({code})"
    return f"{unit.name}, {name_of(unit.country)} ({code})"


def outlets(event: Event, reports: Sequence[StoredReport]) -> tuple[str, StoredReport | None]:
    """Return who reported an event, and the report where it is still kept."""
    for report in reports:
        if report.id == event.report:
            return report.publisher or report.source, report
    return event.source, None


def _all_incidents(revisions: Sequence[Alert]) -> tuple[IncidentRef, ...]:
    """Return every incident that any revision rested on, as last known, by day."""
    known = {incident.id: incident for each in revisions for incident in each.evidence}
    return tuple(sorted(known.values(), key=lambda each: (each.day, each.id)))


def _method(signal: str) -> str:
    known = SIGNALS.get(signal)
    return f"{known.title}: tocsin signals explain {signal}" if known else signal


def _track(known: Iterable[Alert]) -> Track:
    skill = ledger.skill(known)
    return Track(skill.hits + skill.false, skill.hits, skill.void, skill.precision_interval)


def _spells(revisions: Sequence[Alert]) -> Iterator[Spell]:
    last: tuple[Coverage, str] | None = None
    for each in revisions:
        seen = (each.coverage, percent(each.coverage_share))
        if seen != last:
            yield Spell(each.at, each.coverage, each.coverage_share)
        last = seen


def _changes(revisions: Sequence[Alert]) -> Iterator[Change]:
    if revisions:
        first = revisions[0]
        yield Change(first.revision, first.at, first.changed, ())
    for before, after in pairwise(revisions):
        yield Change(after.revision, after.at, after.changed, tuple(_differences(before, after)))


def _differences(before: Alert, after: Alert) -> Iterator[str]:
    for name in ("state", "severity", "coverage", "acknowledged_by", "note"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield f"{name.replace('_', ' ')} {old or 'none'} -> {new or 'none'}"
    if before.p != after.p:
        yield f"p {chance(before.p)} -> {chance(after.p)}"
    if _measure(before) != _measure(after):
        yield f"{_measure(before)} -> {_measure(after)}"
    new_ids = {each.id for each in after.evidence} - {each.id for each in before.evidence}
    if new_ids:
        yield f"{len(new_ids)} more incident{'s' if len(new_ids) > 1 else ''} in evidence"


def _measure(alert: Alert) -> str:
    if alert.observed is None or alert.expected is None:
        return "count unknown"
    return f"{alert.observed} against {number(alert.expected)} in {alert.window_days} d"


def chance(p: float | None) -> str:
    """Write a p-value.

    >>> chance(0.000123), chance(0.04), chance(1e-12), chance(None)
    ('0.00012', '0.04', '1e-12', 'unknown')
    """
    return "unknown" if p is None else f"{p:.2g}"


def _against(
    alert: Alert, revisions: Sequence[Alert], evidence: Sequence[Evidence]
) -> Iterator[str]:
    """Yield what speaks against the alert, or makes it less sure."""
    yield from _against_measure(revisions[0] if revisions else alert)
    yield from _against_witnesses(evidence)
    worst = {each.coverage for each in revisions} - {"ok"}
    if worst:
        said = " and ".join(sorted(worst))
        yield f"Coverage was {said} for part of its life: counts then may be too low."
    if alert.outcome is not None and alert.outcome.verdict != "HIT":
        yield f"The claim came out {alert.outcome.verdict}: {alert.outcome.reason}."


def _against_measure(first: Alert) -> Iterator[str]:
    claim = first.claim
    if claim.probability <= claim.base_rate:
        yield (
            f"The claim is given {percent(claim.probability)}, no more than the "
            f"{percent(claim.base_rate)} it would have without the signal."
        )
    elif claim.probability < 0.5:
        yield f"The claim is more likely to fail than to hold: {percent(claim.probability)}."
    if first.observed is None or first.expected is None:
        yield "The count or what was expected is unknown."
    elif min(first.observed, first.expected) < _SMALL:
        yield (
            f"Small counts: {first.observed} against {number(first.expected)} expected when it "
            "opened; one incident more or less changes the judgement."
        )


def _against_witnesses(evidence: Sequence[Evidence]) -> Iterator[str]:
    incidents = [each.incident for each in evidence]
    if not incidents:
        yield "No incident is in evidence: it rests on what was not reported."
        return
    families = {family for each in incidents for family in each.publishers}
    if len(families) == 1:
        yield f"All of it rests on one publisher, {publisher(next(iter(families)))}."
    single = sum(len(each.publishers) == 1 for each in incidents)
    if single:
        yield f"{single} of {len(incidents)} incidents were reported by a single publisher."
    cited = {voice for each in incidents for voice in each.voices}
    if len(cited) == 1:
        yield f"Of the sides, only {VOICES[next(iter(cited))]} are cited."
    disputed = sum("denial" in each.statements for each in incidents)
    if disputed:
        yield f"In {disputed} of {len(incidents)} incidents a side denies its part, or all of it."
    apart = sum(
        each.killed is not None and each.killed.low != each.killed.high for each in incidents
    )
    if apart:
        yield f"Accounts of those killed differ for {apart} of {len(incidents)} incidents."
    unkept = sum(not each.reports for each in evidence)
    if unkept:
        yield (
            f"The reports of {unkept} of {len(incidents)} incidents are no longer kept here: "
            "they cannot be read again in the store."
        )
