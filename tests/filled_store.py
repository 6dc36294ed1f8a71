"""A store filled with the whole bundled scenario, and how to run `tocsin` on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from detectors.monitor import BATCH, Monitor
from detectors.records import Heartbeat, Record, Report, Tick
from detectors.timegrid import Grid
from streams import topics
from streams.cli import app
from streams.replay import read, timed
from streams.store import Store

SCENARIO = "doha-2020"
Fed = Report | Heartbeat | Tick
_FOLDERS: list[Path] = []


@cache
def scenario() -> tuple[Fed, ...]:
    """The scenario's records as they stand in the one partition of the reports topic."""
    return tuple(timed(read(SCENARIO), Grid()))


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a worker that has read the scenario; to be read, not changed."""
    # A fixture is set up once for each module that imports it; the store is filled once for all.
    if not _FOLDERS:
        folder = tmp_path_factory.mktemp("filled")
        with Store(f"sqlite:///{folder / 'store.sqlite'}") as store:
            _fill(store, Monitor())
        _FOLDERS.append(folder)
    return _FOLDERS[0]


def _fill(store: Store, monitor: Monitor) -> None:
    layout = topics.Layout()
    offsets: dict[str, int] = {}

    def put(topic: topics.Topic, records: Sequence[Record]) -> None:
        first = offsets.get(topic.name, 0)
        offsets[topic.name] = first + len(records)
        store.apply(layout.name(topic), [(0, first + i, each) for i, each in enumerate(records)])

    source = iter(scenario())
    while batch := list(islice(source, BATCH)):
        passed = monitor.take(batch)
        put(topics.REPORTS, batch)
        put(topics.EVENTS, passed.coded.events)
        put(topics.COVERAGE, [h for tick in passed.coded.ticks(0, 1) for h in tick.sources])
        put(topics.SCORES, passed.scores)
        put(topics.ALERTS, passed.alerts)


def tocsin(*arguments: str, data: Path | None = None, **environment: str) -> Result:
    """Run `tocsin` as the shell would, with settings from these variables and no file."""
    if data is not None:
        environment["TOCSIN_WORKER_DATA_DIR"] = str(data)
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", **environment})


def answer(*arguments: str, data: Path | None = None, **environment: str) -> Any:
    """Run `tocsin ... --json` and return the document it prints."""
    result = tocsin(*arguments, "--json", data=data, **environment)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)
