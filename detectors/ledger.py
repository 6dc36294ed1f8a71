"""The ledger: alerts as claims, settled by what happened, and the skill that they showed.

A claim is registered when its alert opens and never rewritten. It is settled once, at the time
that its resolver names, from the counts known then: HIT, FALSE, or VOID when the unit could not
be seen. What could not be settled is not claimed. The events that nobody warned of are found by
`onsets.py`, how far probabilities can be trusted is told by `calibration.py`. Brier score: Brier
(1950), Monthly Weather Review 78; logarithmic score: Good (1952).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date
from math import log, sqrt
from typing import Final

from msgspec import Struct

from detectors.evidence import NAME
from detectors.records import Alert, Outcome, Resolver, Score
from detectors.timegrid import instant, seconds

#: What a score counts in `daily`, where it has no table of indicators.
VIOLENCE: Final = "violent_incidents"


def can_settle(
    resolver: Resolver, indicators: Collection[str], *, series_days: int | None = None
) -> bool:
    """Return whether a claim will be evaluable when it is due; if not, it must not be issued.

    Args:
        resolver: How the claim is to be settled.
        indicators: The names of what is counted by days.
        series_days: How many days of counts a score carries; None leaves that open.

    A claim is refused if nobody counts its indicator, it has no days, it is due before its days
    are over anywhere on earth, its first day will have left the series by then, or nothing could
    make it fail (at least none).
    """
    due = resolver.settle_at.astimezone(UTC).date()
    over = resolver.first_day <= resolver.last_day < due
    # The day of settling counts: in local time it may have begun, and be the series' last.
    kept = series_days is None or (due - resolver.first_day).days + 2 <= series_days
    can_fail = resolver.comparison == "at_most" or resolver.count > 0
    return resolver.indicator in indicators and over and kept and can_fail


def settle(resolver: Resolver, score: Score, at: int) -> Outcome:
    """Settle a claim by a score's daily counts, the last of which is the score's local day.

    Args:
        resolver: How the claim is settled.
        score: The last score of its unit.
        at: Stream time, seconds.
    """
    days = _days(resolver, score)
    if days is None:
        return Outcome("VOID", instant(at), None, "the days of the claim are no longer at hand")
    observed = sum(count for _, count in days)
    holds = observed >= resolver.count
    if resolver.comparison == "at_most":
        holds = observed <= resolver.count
    dark = sorted({day for day, _ in days} & set(score.dark_days))
    # Late or hidden reports can only add: a count that is already high enough stands.
    certain = observed >= resolver.count if resolver.comparison == "at_least" else not holds
    if dark and not certain:
        days_dark = f"{len(dark)} day{'s'[: len(dark) > 1]}"
        return Outcome("VOID", instant(at), observed, f"coverage was not ok on {days_dark}")
    counted = "incidents" if resolver.indicator == VIOLENCE else _words(resolver.indicator)
    reason = f"{observed} {counted}, {resolver.comparison.replace('_', ' ')} {resolver.count}"
    return Outcome("HIT" if holds else "FALSE", instant(at), observed, reason)


def counts_of(score: Score, indicator: str) -> dict[date, int] | None:
    """Return an indicator's counts by day, or None where the score does not tell of it."""
    if score.series_end is None:
        return None
    counts = score.indicators.get(indicator)
    if counts is None and indicator == VIOLENCE and not score.indicators:
        counts = score.daily
    if counts is None:
        # An indicator that what sums a unit up does not name was zero on all its days.
        if not score.indicators and score.signal != NAME:
            return None  # it counts nothing else: that is no zero
        counts = (0,) * len(score.daily)
    last = score.series_end.toordinal()
    return {date.fromordinal(last - len(counts) + 1 + i): n for i, n in enumerate(counts)}


def _words(indicator: str) -> str:
    return indicator.replace("_", " ").replace("-", " ")


def _days(resolver: Resolver, score: Score) -> list[tuple[date, int]] | None:
    counts = counts_of(score, resolver.indicator)
    wanted = range(resolver.first_day.toordinal(), resolver.last_day.toordinal() + 1)
    days = [date.fromordinal(number) for number in wanted]
    if not counts or not all(day in counts for day in days):
        return None
    return [(day, counts[day]) for day in days]


class Skill(Struct, frozen=True):
    """How good a set of settled claims was."""

    claims: int
    hits: int
    false: int
    void: int
    open: int
    brier: float | None  # mean squared error of the probabilities; None without a settled claim
    brier_base: float | None  # the same, had each claim been given its base rate
    log_score: float | None  # mean logarithmic score, natural logarithm, higher is better
    precision: float | None
    precision_interval: tuple[float, float] | None  # 95 %, Wilson


def skill(alerts: Iterable[Alert]) -> Skill:
    """Return the skill of alerts, each given by its last revision."""
    last = list(alerts)
    settled = [(a, a.outcome) for a in last if a.outcome is not None]
    scored = [(a.claim, o.verdict == "HIT") for a, o in settled if o.verdict != "VOID"]
    hits = sum(hit for _, hit in scored)
    n = len(scored)
    return Skill(
        claims=len(last),
        hits=hits,
        false=n - hits,
        void=len(settled) - n,
        open=len(last) - len(settled),
        brier=_mean([(c.probability - hit) ** 2 for c, hit in scored]),
        brier_base=_mean([(c.base_rate - hit) ** 2 for c, hit in scored]),
        log_score=_mean([_log_score(c.probability, hit) for c, hit in scored]),
        precision=hits / n if n else None,
        precision_interval=wilson(hits, n) if n else None,
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _log_score(probability: float, hit: bool) -> float:
    return log(max(probability if hit else 1 - probability, 1e-6))


def wilson(hits: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927, JASA 22).

    >>> tuple(round(x, 3) for x in wilson(8, 10))
    (0.49, 0.943)
    """
    share = hits / trials
    centre = share + z * z / (2 * trials)
    spread = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def is_due(resolver: Resolver, at: int) -> bool:
    """Return whether a claim can be settled at stream time `at`."""
    return at >= seconds(resolver.settle_at)
