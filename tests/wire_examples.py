"""One example of every record, every field filled: what `tests/golden/wire` is written from."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from detectors.records import (
    Alert,
    Casualties,
    Claim,
    Command,
    Delivery,
    Event,
    Heartbeat,
    IncidentRecord,
    IncidentRef,
    Interval,
    Outcome,
    Place,
    Record,
    Report,
    Resolver,
    Score,
    SourceHealth,
    Subscription,
    Tick,
)

_SEEN: Final = datetime(2026, 3, 4, 6, 17, 5, tzinfo=UTC)
_STEP: Final = datetime(2026, 3, 4, 7, tzinfo=UTC)
_DAYS: Final = Interval(date(2026, 3, 2), date(2026, 3, 3))
_KILLED: Final = Casualties(2, 3, 5)
_INJURED: Final = Casualties(4, 4, 4)
_CIVILIANS: Final = Casualties(1, 1, 2)
_ALERT: Final = "S1-rise-AF-HEL-20260304T061800Z"

_HEALTH: Final = SourceHealth(
    source="lapis-wire",
    at=_STEP,
    state="thin",
    share=0.25,
    seen=18,
    expected=72.5,
    publisher="lapis",
    reason="18 reports in three days, usually 72",
)
_INCIDENT: Final = IncidentRef(
    id="AF-HEL/2026-03-02/0a1b2c3d4e5f",
    day=date(2026, 3, 2),
    place="Lashkar Gah",
    killed=_KILLED,
    publishers=("lapis", "lantern"),
    events=("lapis-wire-17/0", "lantern-4/0"),
)
_CLAIM: Final = Claim(
    statement="At least 4 violent incidents in the 14 days 2026-03-05 to 2026-03-18",
    probability=0.8125,
    base_rate=0.0625,
    horizon_days=14,
    resolver=Resolver(
        indicator="violent_incidents",
        unit="AF-HEL",
        first_day=date(2026, 3, 5),
        last_day=date(2026, 3, 18),
        comparison="at_least",
        count=4,
        settle_at=datetime(2026, 3, 22, 19, 30, tzinfo=UTC),
    ),
)
_DAILY: Final = (0, 1, 0, 2)

#: By tag, in the order of `streams.codecs.TYPES`.
EXAMPLES: Final[tuple[Record, ...]] = (
    Report(
        id="lapis-wire-17",
        source="lapis-wire",
        seen_at=_SEEN,
        title="Three killed in clash near Lashkar Gah",
        text="LASHKAR GAH — Three people were killed. لښکرګاه",
        publisher="lapis",
        url="https://news.example/17",
        published_at=datetime(2026, 3, 4, 6, 10, tzinfo=UTC),
        language="en",
        record=IncidentRecord(
            event="ASSAULT",
            occurred=_DAYS,
            country="AFG",
            admin1="AF-HEL",
            place="Lashkar Gah",
            precision="town",
            actors=("Government of Afghanistan", "Taliban"),
            killed=_KILLED,
            injured=_INJURED,
            civilians_killed=_CIVILIANS,
        ),
    ),
    Heartbeat(source="lapis-wire", seen_at=_SEEN, error="HTTP 503"),
    Tick(partition=1, of=4, time=_STEP, sources=(_HEALTH,)),
    Event(
        id="lapis-wire-17/0",
        unit="AF-HEL",
        report="lapis-wire-17",
        source="lapis-wire",
        publisher="lapis",
        seen_at=_SEEN,
        event="ASSAULT",
        occurred=_DAYS,
        place=Place("Lashkar Gah", "town", "AFG", "AF-HEL"),
        mode="clash",
        actors=("afg-gov", "taliban"),
        killed=_KILLED,
        injured=_INJURED,
        civilians_killed=_CIVILIANS,
        auxiliary=("historical",),
        language="en",
        title="Three killed in clash near Lashkar Gah",
        url="https://news.example/17",
        quote="Three people were killed.",
    ),
    Score(
        id="S1/rise/AF-HEL/1772604000",
        signal="S1",
        version=1,
        unit="AF-HEL",
        direction="rise",
        at=_STEP,
        state="scored",
        coverage="ok",
        coverage_share=0.9375,
        p=0.0009765625,
        observed=4,
        expected=0.25,
        window_days=3,
        reason="4 violent incidents in 3 days against 0.2 expected (usual)",
        claim=_CLAIM,
        evidence=(_INCIDENT,),
        daily=_DAILY,
        series_end=date(2026, 3, 4),
        dark_days=(date(2026, 3, 1),),
    ),
    Alert(
        id=_ALERT,
        revision=3,
        signal="S1",
        direction="rise",
        unit="AF-HEL",
        state="resolved",
        severity="warning",
        at=datetime(2026, 3, 22, 20, tzinfo=UTC),
        opened_at=_STEP,
        changed="claim settled: HIT",
        claim=_CLAIM,
        p=0.5,
        observed=1,
        expected=0.75,
        window_days=7,
        coverage="ok",
        coverage_share=1.0,
        reason="1 violent incidents in 7 days against 0.8 expected (usual)",
        evidence=(_INCIDENT,),
        daily=_DAILY,
        series_end=date(2026, 3, 22),
        acknowledged_by="desk",
        note="looked into",
        outcome=Outcome("HIT", datetime(2026, 3, 22, 20, tzinfo=UTC), 6, "6 incidents"),
    ),
    Command(id="c-1", alert=_ALERT, action="acknowledge", at=_SEEN, by="desk", note="looked into"),
    _HEALTH,
    Subscription(
        id="desk",
        sink="webhook",
        address="https://desk.example/hook",
        minimum_severity="warning",
        units=("AF-HEL", "AFG"),
        signals=("S1",),
    ),
    Delivery(
        id=f"{_ALERT}/3/desk",
        alert=_ALERT,
        revision=3,
        subscription="desk",
        sink="webhook",
        at=_STEP,
        attempt=2,
        status="retry",
        reason="HTTP 503",
    ),
)
