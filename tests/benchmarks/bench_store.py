"""How many records a second the store applies, in batches, on SQLite.

Run: `python tests/benchmarks/bench_store.py [records]`. It prints one line for each kind.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from detectors.records import Event, Interval, Place, Record, Report, Score
from streams.store import Store

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 2_000


def reports(count: int) -> list[Record]:
    return [
        Report(
            id=f"wire/{i:08d}",
            source="wire",
            seen_at=START + timedelta(seconds=i),
            title=f"Report {i} of an incident in a district",
            text="Two sentences. " * 5,
            url=f"https://news.example/{i}",
        )
        for i in range(count)
    ]


def events(count: int) -> list[Record]:
    place = Place("Kandahar", "town", "AFG", "AF-KAN")
    occurred = Interval(date(2026, 1, 1), date(2026, 1, 1))
    return [
        Event(
            id=f"wire/{i:08d}/0",
            unit="AF-KAN",
            report=f"wire/{i:08d}",
            source="wire",
            publisher="wire",
            seen_at=START + timedelta(seconds=i),
            event="ASSAULT",
            occurred=occurred,
            place=place,
            quote="an incident in a district",
        )
        for i in range(count)
    ]


def scores(count: int) -> list[Record]:
    return [
        Score(
            id=f"burst/rise/U{i % 44}/{i}",
            signal="burst",
            version=1,
            unit=f"U{i % 44}",
            direction="rise",
            at=START + timedelta(minutes=i),
            state="scored",
            coverage="ok",
            coverage_share=1.0,
            p=0.5,
            observed=3,
            expected=2.5,
        )
        for i in range(count)
    ]


def rate(records: Sequence[Record]) -> float:
    """Return the records applied in a second, in batches, to a new store."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder) / 'store.db'}")
        begun = time.perf_counter()
        for start in range(0, len(records), BATCH):
            batch = records[start : start + BATCH]
            store.apply("topic", [(0, start + i, each) for i, each in enumerate(batch)])
        took = time.perf_counter() - begun
        store.close()
    return len(records) / took


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 40_000
    for make in (reports, events, scores):
        print(f"{make.__name__:8} {rate(make(size)):>10,.0f} records/s")
