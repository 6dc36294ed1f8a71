"""Every metric of Tocsin (`streams/exposition.py` serves them).

The metrics are one table, the fields of `Metrics`: name, help, labels and buckets stand once, here.
Rules and boards (`deploy/`) are tested against it. Labels come from closed vocabularies (units,
signals, sources, stages, reasons), never from ids, addresses or free text, so that a whole
installation stays below 5,000 series.

Two rules keep silence from reading as calm. What is unknown has no sample: `show_score` removes the
p-value, the evidence and the index of a unit that is dark or learning, and `tocsin_unit_data_state`
says why they are missing. And an alert's level is shown for every watched unit, 0 included, so that
its absence means "no data".
"""

from __future__ import annotations

import platform
from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args, get_type_hints

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from detectors.evidence import NAME
from detectors.records import Alert, AlertState, Coverage, Score, Severity, SourceHealth
from detectors.world.units import UNITS
from streams.exposition import Check, Server, serve

__all__ = [
    "SEVERITY_LEVELS", "STANDING", "Check", "DataState", "Metrics", "Server", "Spec", "Stage",
    "build_metrics", "declare", "serve", "show_alerts", "show_build", "show_score", "show_source",
]  # fmt: skip

Stage = Literal["collect", "code", "detect", "alert", "route", "deliver", "store"]
DataState = Literal["ok", "thin", "dark", "learning"]

#: The numbers of `tocsin_alert_severity_level`.
SEVERITY_LEVELS: Final[Mapping[Severity, int]] = {"watch": 1, "warning": 2, "critical": 3}
#: An alert in one of these states still stands.
STANDING: Final[frozenset[AlertState]] = frozenset({"open", "acknowledged", "frozen"})

#: `country` holds every country that the unit concerns, joined by "~".
_UNIT = ("country", "kind", "unit")
_SIGNAL = (*_UNIT, "signal", "direction")
_BUDGET = ("signal", "direction", "severity")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_BATCH_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_DELAY_BUCKETS = (
    15 * _MINUTE, _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 3 * _DAY, 5 * _DAY,
    7 * _DAY, 14 * _DAY, 21 * _DAY, 30 * _DAY,
)  # fmt: skip
_ALERT_BUCKETS = (0.5, 1, 2.5, 5, 10, 30, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR)


class Spec(NamedTuple):
    """How one metric is called, what it says, and what tells its series apart."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()  # of a histogram; upper bounds, in its unit


@dataclass(frozen=True, slots=True)
class Metrics:
    """Every metric, by its short name; `build_metrics` makes one on a registry of its own."""

    # What the science says, by unit.
    index: Annotated[
        Gauge,
        Spec(
            "tocsin_instability_index",
            "Chance of an escalation in the next fortnight, 0 to 1, of provinces and countries; no "
            "sample while unknown.",
            _UNIT,
        ),
    ]
    evidence: Annotated[
        Gauge,
        Spec(
            "tocsin_evidence_nats",
            "Evidence of all signals together for a change; no sample while unknown.",
            (*_UNIT, "direction"),
        ),
    ]
    p_value: Annotated[
        Gauge,
        Spec(
            "tocsin_score_p_value_ratio",
            "Chance of a window at least this unusual were all as before, of all signals together "
            "(S0), in provinces and countries of each; no sample while unknown.",
            _SIGNAL,
        ),
    ]
    data_state: Annotated[
        Gauge,
        Spec(
            "tocsin_unit_data_state",
            "1 for the state the unit's data are in (ok, thin, dark, learning), 0 for the others.",
            (*_UNIT, "state"),
        ),
    ]
    observed: Annotated[
        Gauge,
        Spec(
            "tocsin_indicator_observed_incidents",
            "What the strongest signal for a rise counted in its window.",
            _UNIT,
        ),
    ]
    expected: Annotated[
        Gauge,
        Spec(
            "tocsin_indicator_expected_incidents",
            "What the strongest signal for a rise expected in its window were all as before.",
            _UNIT,
        ),
    ]
    coverage: Annotated[
        Gauge,
        Spec(
            "tocsin_unit_coverage_ratio",
            "Share of the unit's usual reporting that was seen.",
            _UNIT,
        ),
    ]
    alert_level: Annotated[
        Gauge,
        Spec(
            "tocsin_alert_severity_level",
            "Severity of the standing alert: 0 none, 1 watch, 2 warning, 3 critical.",
            _SIGNAL,
        ),
    ]
    alerts: Annotated[
        Gauge,
        Spec("tocsin_alerts", "Alerts by severity and state of their life.", ("severity", "state")),
    ]
    budget_spent: Annotated[
        Gauge,
        Spec("tocsin_budget_spent_alerts", "False alarms so far in the trailing year.", _BUDGET),
    ]
    budget_allowed: Annotated[
        Gauge,
        Spec(
            "tocsin_budget_allowed_alerts",
            "False alarms the budget has allowed so far, at most of a year.",
            _BUDGET,
        ),
    ]
    # What comes in.
    source_success: Annotated[
        Gauge,
        Spec(
            "tocsin_source_last_success_timestamp_seconds",
            "When the source last answered, with or without news.",
            ("source",),
        ),
    ]
    source_share: Annotated[
        Gauge,
        Spec("tocsin_source_share_ratio", "Share of what the source usually carries.", ("source",)),
    ]
    source_state: Annotated[
        Gauge,
        Spec(
            "tocsin_source_state",
            "1 for the state the source is in (ok, thin, dark), 0 for the others.",
            ("source", "state"),
        ),
    ]
    source_failures: Annotated[
        Counter,
        Spec("tocsin_source_failures_total", "Polls of the source that failed.", ("source",)),
    ]
    reports_received: Annotated[
        Counter, Spec("tocsin_reports_received_total", "New reports from the source.", ("source",))
    ]
    reports_coded: Annotated[
        Counter,
        Spec("tocsin_reports_coded_total", "Reports coded, by what came of them.", ("outcome",)),
    ]
    reports_late: Annotated[
        Counter,
        Spec("tocsin_reports_late_total", "Reports behind the watermark when they were coded."),
    ]
    report_delay: Annotated[
        Histogram,
        Spec(
            "tocsin_report_delay_seconds",
            "From the happening to the report seen.",
            buckets=_DELAY_BUCKETS,
        ),
    ]
    # How the stages fare.
    stream_time: Annotated[
        Gauge,
        Spec(
            "tocsin_stream_time_timestamp_seconds",
            "The stage's watermark, in stream time.",
            ("stage",),
        ),
    ]
    checkpoint: Annotated[
        Gauge,
        Spec(
            "tocsin_checkpoint_timestamp_seconds",
            "When the stage last made a checkpoint.",
            ("stage",),
        ),
    ]
    consumer_lag: Annotated[
        Gauge,
        Spec("tocsin_consumer_lag_records", "Records the stage has still to read.", ("stage",)),
    ]
    records_processed: Annotated[
        Counter, Spec("tocsin_records_processed_total", "Records the stage has read.", ("stage",))
    ]
    duplicates: Annotated[
        Counter,
        Spec(
            "tocsin_duplicates_total", "Records the stage knew already and left aside.", ("stage",)
        ),
    ]
    dead_letters: Annotated[
        Counter,
        Spec(
            "tocsin_dead_letters_total", "Records set aside as unreadable, by reason.", ("reason",)
        ),
    ]
    batch_duration: Annotated[
        Histogram,
        Spec(
            "tocsin_batch_duration_seconds",
            "Time the stage took for a batch.",
            ("stage",),
            _BATCH_BUCKETS,
        ),
    ]
    # What goes out.
    alert_revisions: Annotated[
        Counter,
        Spec("tocsin_alert_revisions_total", "Alert revisions written.", ("signal", "state")),
    ]
    deliveries: Annotated[
        Counter,
        Spec(
            "tocsin_deliveries_total", "Attempts to deliver, by how they ended.", ("sink", "status")
        ),
    ]
    delivered: Annotated[
        Gauge,
        Spec(
            "tocsin_delivered_timestamp_seconds", "When something last arrived, by sink.", ("sink",)
        ),
    ]
    waiting: Annotated[
        Gauge, Spec("tocsin_parcels_waiting", "Alert revisions not yet delivered.", ("sink",))
    ]
    failing: Annotated[
        Gauge,
        Spec("tocsin_subscriptions_failing", "Subscriptions whose channel is dead.", ("sink",)),
    ]
    report_to_alert: Annotated[
        Histogram,
        Spec(
            "tocsin_report_to_alert_seconds",
            "From the report seen to the alert written (wall clock).",
            buckets=_ALERT_BUCKETS,
        ),
    ]
    build_info: Annotated[
        Gauge, Spec("tocsin_build_info", "Always 1; the version that runs.", ("version", "python"))
    ]


def build_metrics(registry: CollectorRegistry) -> Metrics:
    """Make every metric and register it.

    Args:
        registry: A registry of the caller's own. One registry holds one `Metrics`.

    Raises:
        ValueError: The registry holds metrics of these names already.
    """
    made: dict[str, Any] = {}
    for short, hint in get_type_hints(Metrics, include_extras=True).items():
        kind, spec = get_args(hint)
        about = {"buckets": spec.buckets} if kind is Histogram else {}
        made[short] = kind(spec.name, spec.help, spec.labels, registry=registry, **about)
    return Metrics(**made)


def declare(
    metrics: Metrics,
    *,
    stages: Iterable[Stage] = (),
    sources: Iterable[str] = (),
    sinks: Iterable[str] = (),
    reasons: Iterable[str] = (),
) -> None:
    """Start the counters of all that is known beforehand at 0, so that a first increment shows.

    A rate needs a sample from before: a counter that appears at 1 has risen by nothing.
    """
    for stage in stages:
        metrics.records_processed.labels(stage)
        metrics.duplicates.labels(stage)
    for source in sources:
        metrics.reports_received.labels(source)
        metrics.source_failures.labels(source)
    for sink in sinks:
        for status in ("delivered", "retry", "rejected"):
            metrics.deliveries.labels(sink, status)
    for reason in reasons:
        metrics.dead_letters.labels(reason)


def show_build(metrics: Metrics, version: str) -> None:
    """Say which version of Tocsin and of Python runs."""
    metrics.build_info.labels(version, platform.python_version()).set(1)


def show_score(metrics: Metrics, score: Score) -> None:
    """Show a unit's score, or that it has none.

    What sums up a unit (S0) says its state, its evidence, its counts and its index: single signals
    may still be learning where others are not. Their own p-values are shown of provinces and
    countries; those of groups, borders and relations, of which there are more, stand in the topic.

    A score that is unknown or learning takes its values out of the exposition: a value from before
    would read as today's, and a zero as calm.

    Raises:
        KeyError: The unit is not watched (`detectors/world/units.py`).
    """
    unit = _unit(score.unit)
    metrics.coverage.labels(*unit).set(score.coverage_share)
    if score.signal == NAME or UNITS[score.unit].is_area:
        _set(metrics.p_value, score.p, *unit, score.signal, score.direction)
    if score.signal == NAME:
        _set(metrics.evidence, score.strength, *unit, score.direction)
        if score.direction == "rise":
            _show_unit(metrics, score, unit)


def _show_unit(metrics: Metrics, score: Score, unit: tuple[str, str, str]) -> None:
    """Show what the sum of the signals for a rise says of a unit."""
    _set(metrics.observed, score.observed, *unit)
    _set(metrics.expected, score.expected, *unit)
    _set(metrics.index, score.index.probability if score.index else None, *unit)
    state = _data_state(score)
    for other in get_args(DataState):
        metrics.data_state.labels(*unit, other).set(other == state)


def show_source(metrics: Metrics, health: SourceHealth) -> None:
    """Show a source's health at the end of a coarse step."""
    metrics.source_share.labels(health.source).set(health.share)
    for other in get_args(Coverage):
        metrics.source_state.labels(health.source, other).set(other == health.state)


def show_alerts(
    metrics: Metrics, alerts: Iterable[Alert], watched: Iterable[tuple[str, str, str]]
) -> None:
    """Show where all alerts stand. Call it only once the alerts' state has been recovered.

    Args:
        metrics: Where to show them.
        alerts: The last revision of every alert.
        watched: Every (unit, signal, direction) that is scored; each gets a level, 0 included.

    Raises:
        KeyError: A unit is not watched.
    """
    levels = dict.fromkeys(watched, 0)
    counts: Tally[tuple[str, str]] = Tally()
    for alert in alerts:
        counts[alert.severity, alert.state] += 1
        if alert.state in STANDING:
            key = (alert.unit, alert.signal, alert.direction)
            levels[key] = max(levels.get(key, 0), SEVERITY_LEVELS[alert.severity])
    for (unit, signal, direction), level in levels.items():
        metrics.alert_level.labels(*_unit(unit), signal, direction).set(level)
    for severity in get_args(Severity):
        for state in get_args(AlertState):
            metrics.alerts.labels(severity, state).set(counts[severity, state])


def _unit(code: str) -> tuple[str, str, str]:
    """Return the labels of a unit."""
    unit = UNITS[code]
    return "~".join(unit.countries), unit.kind, code


def _data_state(score: Score) -> DataState:
    if score.coverage == "dark" or score.state == "unknown":
        return "dark"
    return "learning" if score.state == "learning" else score.coverage


def _set(gauge: Gauge, value: float | None, *labels: str) -> None:
    """Set a gauge, or take its sample away where there is no value."""
    if value is not None:
        gauge.labels(*labels).set(value)
        return
    with suppress(KeyError):
        gauge.remove(*labels)
