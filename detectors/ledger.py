"""The ledger: alerts as claims, settled by what happened, and the skill that they showed.

A claim is registered when its alert opens and never rewritten. It is settled once, at the time
that its resolver names, from the counts known then: HIT, FALSE, or VOID when the unit could not
be seen. Brier score: Brier (1950), Monthly Weather Review 78; logarithmic score: Good (1952).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from math import log, sqrt

from msgspec import Struct

from detectors.records import Alert, Outcome, Resolver, Score
from detectors.timegrid import instant, seconds


def settle(resolver: Resolver, score: Score, at: int) -> Outcome:
    """Settle a claim by a score's daily counts, the last of which is the score's local day."""
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
        return Outcome("VOID", instant(at), observed, f"coverage was not ok on {len(dark)} days")
    reason = f"{observed} incidents, {resolver.comparison.replace('_', ' ')} {resolver.count}"
    return Outcome("HIT" if holds else "FALSE", instant(at), observed, reason)


def _days(resolver: Resolver, score: Score) -> list[tuple[date, int]] | None:
    last = score.series_end
    if last is None:
        return None
    first = date.fromordinal(last.toordinal() - len(score.daily) + 1)
    if resolver.first_day < first or resolver.last_day > last:
        return None
    start = resolver.first_day.toordinal() - first.toordinal()
    length = resolver.last_day.toordinal() - resolver.first_day.toordinal() + 1
    return [
        (date.fromordinal(resolver.first_day.toordinal() + i), score.daily[start + i])
        for i in range(length)
    ]


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
