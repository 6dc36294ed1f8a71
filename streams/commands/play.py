"""Feeding recorded reports to a process and watching them go through, for `demo` and `replay`."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from detectors.records import Alert, Report
from detectors.timegrid import instant, seconds
from streams import replay
from streams.process import Process
from streams.sources import Reject


class Played(Struct, frozen=True):
    """What a replay through Kafka came to."""

    revisions: list[Alert]
    reports: int
    seconds: float
    span: tuple[datetime, datetime]


def split(items: Iterable[Report | Reject]) -> tuple[list[Report], list[Reject]]:
    """Return the reports in order of stream time, and what could not be read."""
    reports: list[Report] = []
    rejects: list[Reject] = []
    for item in items:
        if isinstance(item, Report):
            reports.append(item)
        else:
            rejects.append(item)
    reports.sort(key=lambda report: report.seen_at)  # stable: the file decides between equals
    return reports, rejects


def counted(rejects: Iterable[Reject]) -> dict[str, int]:
    """Return how many rows could not be read, by reason."""
    return dict(sorted(Counter(reject.reason for reject in rejects).items()))


def named(what: str) -> str:
    """Return what a history is called: a file's name without its folder, or the scenario's."""
    return Path(what).name if Path(what).is_file() else what


@contextmanager
def progress(console: Console, what: str, span: tuple[int, int]) -> Iterator[Showing]:
    """Show a bar of stream time on a terminal, and nothing elsewhere."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[day]}"),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as bar:
        task = bar.add_task(what, total=max(1, span[1] - span[0]), day="")
        yield Showing(bar, task, span[0])


class Showing:
    """A bar that is told how far stream time has come."""

    def __init__(self, bar: Progress, task: TaskID, start: int) -> None:
        """Take the bar, its task, and where stream time begins."""
        self._bar, self._task, self._start = bar, task, start

    def reached(self, at: int) -> None:
        """Show that stream time has reached `at`, in seconds."""
        if at >= self._start:
            day = f"{instant(at):%d %b %Y}"
            self._bar.update(self._task, completed=at - self._start, day=day)


def span_of(reports: Sequence[Report]) -> tuple[int, int]:
    """Return the first and last second of stream time of reports in order."""
    return seconds(reports[0].seen_at), seconds(reports[-1].seen_at)


async def play(process: Process, reports: Sequence[Report], console: Console) -> Played:
    """Feed reports to a running process; return when all is decided and stored.

    Raises:
        PartFailedError: A part of the process failed meanwhile.
    """
    started = time.monotonic()
    first, last = span_of(reports)
    records = replay.timed(reports, process.settings.grid())
    with progress(console, "replaying", (first, last)) as bar:
        end = await replay.feed(process.producer, process.layout, records)
        while not _is_done(process, end):
            if (failure := process.failure) is not None:
                raise failure
            bar.reached(process.worker.time("alert"))
            await asyncio.sleep(0.05)
    elapsed = time.monotonic() - started
    found = [r for alert in process.store.alerts() for r in process.store.revisions(alert.id)]
    return Played(found, len(reports), elapsed, (instant(first), instant(last)))


def _is_done(process: Process, end: int) -> bool:
    decided = process.worker.time("alert") >= end
    return decided and (process.projector is None or process.projector.caught_up())
