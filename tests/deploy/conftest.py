"""A registry filled as an installation fills it, and the real servers that read it."""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from prometheus_client import CollectorRegistry

from detectors.evidence import NAME
from detectors.records import (
    Alert,
    AlertState,
    Claim,
    Direction,
    Index,
    Resolver,
    Score,
    Severity,
    SourceHealth,
)
from detectors.signals import SIGNALS, applies
from detectors.world.units import UNITS
from streams.metrics import (
    Metrics,
    Stage,
    build_metrics,
    declare,
    show_alerts,
    show_build,
    show_score,
    show_source,
)
from tests.signal_records import run as run_signal

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
WAYS: tuple[Direction, ...] = ("rise", "fall")
INDEX = Index(0.34, 0.21, 0.49, 14, "untrained", ())
PACKAGES = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
}


def tool(name: str) -> str:
    """Find a server or checker, or fail with how to get it."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing: apt-get install --no-install-recommends {PACKAGES[name]}")
    return found


@pytest.fixture
def run() -> Callable[..., str]:
    """Run a tool; fail with what it says unless it ends well."""

    def run(name: str, *arguments: object, given: str | None = None) -> str:
        done = subprocess.run(
            [tool(name), *map(str, arguments)], input=given, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def score(unit: str = "AF-KAB", **changes: Any) -> Score:
    known: dict[str, Any] = {
        "id": "x", "signal": NAME, "version": 1, "unit": unit, "direction": "rise", "at": NOW,
        "state": "scored", "coverage": "ok", "coverage_share": 0.9, "p": 0.02, "observed": 7,
        "expected": 2.5, "window_days": 7, "strength": 3.5,
    }  # fmt: skip
    return Score(**(known | changes))


def alert(unit: str = "AF-KAB", **changes: Any) -> Alert:
    day = NOW.date()
    resolver = Resolver("violent_incidents", unit, day, day, "at_least", 3, NOW)
    known: dict[str, Any] = {
        "id": f"alert-{unit}", "revision": 0, "signal": "S1", "direction": "rise", "unit": unit,
        "state": "open", "severity": "watch", "at": NOW, "opened_at": NOW, "changed": "opened",
        "claim": Claim("At least three incidents.", 0.6, 0.1, 7, resolver), "p": 0.02,
        "observed": 7, "expected": 2.5, "window_days": 7, "coverage": "ok", "coverage_share": 0.9,
        "reason": "",
    }  # fmt: skip
    return Alert(**(known | changes))


def scored() -> list[tuple[str, str, Direction]]:
    """Every unit, signal and direction of a score, as each signal says when it is run."""
    if not _SCORED:
        for name, signal in SIGNALS.items():
            units = [unit for unit in UNITS if applies(signal, unit)]
            said = run_signal(signal, (), 1, unit=units[0], country=UNITS[units[0]].country)
            ways = {each.direction for half in said.halves for each in half}
            _SCORED.extend((unit, name, way) for unit in units for way in sorted(ways))
    return _SCORED


_SCORED: list[tuple[str, str, Direction]] = []


def _show_scores(metrics: Metrics) -> None:
    for unit, signal, way in scored():
        show_score(metrics, score(unit, signal=signal, direction=way))
    for number, (unit, known) in enumerate(UNITS.items()):
        for way in WAYS:
            index = INDEX if known.is_area and way == "rise" else None
            show_score(metrics, score(unit, direction=way, observed=number % 9, index=index))


def fill(metrics: Metrics, now: float, step: int, sources: int = 6) -> None:
    """One step in the life of an installation with every unit, signal, stage and state."""
    names = [f"source-{number}" for number in range(sources)]
    sinks, reasons = ("webhook", "email", "atom"), ("schema", "encoding", "oversize")
    declare(metrics, stages=get_args(Stage), sources=names, sinks=sinks, reasons=reasons)
    show_build(metrics, "0.1.0")
    _show_scores(metrics)
    watched = [each for each in scored() if SIGNALS[each[1]].indicator]
    show_alerts(metrics, [alert("AF-KAB", severity="critical"), alert("PK-SD")], watched)
    for name in names:
        show_source(metrics, SourceHealth(name, NOW, "ok", 0.8, 8, 10.0))
        metrics.source_success.labels(name).set(now)
        metrics.source_failures.labels(name).inc(step % 2)
        metrics.reports_received.labels(name).inc(3)
    for stage in get_args(Stage):
        metrics.stream_time.labels(stage).set(now - 30)
        metrics.checkpoint.labels(stage).set(now - 5)
        metrics.consumer_lag.labels(stage).set(step)
        metrics.records_processed.labels(stage).inc(50)
        metrics.duplicates.labels(stage).inc()
        metrics.batch_duration.labels(stage).observe(0.02 * (step + 1))
    for way in WAYS:
        for severity in get_args(Severity):
            metrics.budget_spent.labels(NAME, way, severity).set(0.5)
            metrics.budget_allowed.labels(NAME, way, severity).set(1)
    for signal in SIGNALS:
        for state in get_args(AlertState):
            metrics.alert_revisions.labels(signal, state).inc()
    for sink in sinks:
        for status in ("delivered", "retry", "rejected"):
            metrics.deliveries.labels(sink, status).inc()
        metrics.delivered.labels(sink).set(now)
        metrics.waiting.labels(sink).set(2)
        metrics.failing.labels(sink).set(0)
    for reason in reasons:
        metrics.dead_letters.labels(reason).inc()
    for outcome in ("coded", "nothing", "duplicate", "unplaced"):
        metrics.reports_coded.labels(outcome).inc()
    metrics.reports_late.inc()
    metrics.report_delay.observe(7_200)
    metrics.report_to_alert.observe(4)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> Metrics:
    return build_metrics(registry)


@pytest.fixture(scope="session")
def records() -> tuple[Callable[..., Score], Callable[..., Alert], Callable[..., None]]:
    return score, alert, fill


class Http:
    """A server of this test's own, on loopback."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process, self.url, self.log = process, url, log

    def get(self, path: str, **query: str) -> Any:
        address = f"{self.url}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=10) as reply:
            return json.load(reply)

    def wait(self, path: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(self.url + path, timeout=1):
                    return
            except (urllib.error.URLError, TimeoutError):
                # The wait itself paces the loop: no answer within 50 ms, then the next attempt.
                try:
                    self.process.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
        pytest.fail(f"{self.url} is not ready:\n{self.log.read_text()[-3000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Http]]:
    """Start a server of Debian's; all are ended with the session."""
    servers: list[subprocess.Popen[bytes]] = []

    def start(name: str, *arguments: str) -> Http:
        port, folder = free_port(), tmp_path_factory.mktemp(name)
        listen = f"--web.listen-address=127.0.0.1:{port}"
        log = folder / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [tool(name), listen, *arguments], stdout=out, stderr=out, cwd=folder
            )
        servers.append(process)
        server = Http(process, f"http://127.0.0.1:{port}", log)
        server.wait("/-/ready")
        return server

    yield start
    for process in servers:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def openmetrics(end: int, steps: int) -> str:
    """The samples of an installation's last `steps` minutes, as OpenMetrics text."""
    registry = CollectorRegistry()
    metrics = build_metrics(registry)
    families: dict[str, tuple[str, list[str]]] = {}
    for step in range(steps):
        now = end - 60 * (steps - 1 - step)
        fill(metrics, now, step)
        for family in registry.collect():
            _, lines = families.setdefault(family.name, (family.type, []))
            for sample in family.samples:
                if not sample.name.endswith("_created"):
                    labels = ",".join(f'{k}="{v}"' for k, v in sample.labels.items())
                    lines.append(f"{sample.name}{{{labels}}} {sample.value} {now}")
    # What Prometheus itself adds once the rules run.
    firing = f'ALERTS{{alertname="TocsinWatchdog",alertstate="firing"}} 1 {end}'
    families["ALERTS"] = ("gauge", [firing])
    text = [
        f"# TYPE {name} {kind}\n" + "\n".join(lines)
        for name, (kind, lines) in families.items()
        if lines
    ]
    return "\n".join([*text, "# EOF\n"])


@pytest.fixture(scope="session")
def recorded(
    start: Callable[..., Http], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Http, int]:
    """A Prometheus that holds forty minutes of a whole installation, and their last second."""
    end, folder = int(time.time()), tmp_path_factory.mktemp("blocks")
    (folder / "samples").write_text(openmetrics(end, steps=40))
    blocks = [
        "tsdb", "create-blocks-from", "openmetrics", str(folder / "samples"), str(folder / "data"),
    ]  # fmt: skip
    done = subprocess.run([tool("promtool"), *blocks], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    (folder / "prometheus.yml").write_text("global: {}\n")
    server = start(
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
    )
    return server, end
