"""`tocsin status`: how far the monitor has come, what it can see, and what it has raised."""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, get_args

import typer
from msgspec import Struct

from detectors.records import AlertState, Coverage, Severity, SourceHealth
from detectors.world.units import AREA_KINDS, Kind, name_of, of_kind
from streams.commands import base
from streams.wording import number, percent

if TYPE_CHECKING:
    from streams.commands.instability import Instability
    from streams.settings import Settings
    from streams.store import Store

_HEALTH_SECONDS: Final = 3.0
#: What a worker that listens everywhere is asked at.
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104


class Status(Struct, frozen=True):
    """What `tocsin status --json` prints."""

    stream_time: datetime | None
    sources: list[SourceHealth]
    units: dict[str, list[str]]  # coverage state, or "unknown" -> codes of the kinds asked for
    instability: dict[str, Instability | None]  # of the areas among them; None: not scored yet
    alerts: dict[str, dict[str, int]]  # state -> severity -> number
    rows: dict[str, int]  # table of the store -> number of rows
    progress: dict[str, dict[int, int]]  # topic -> partition -> next offset


class Health(Struct, frozen=True):
    """What `tocsin status --health --json` prints."""

    healthy: bool
    address: str
    reason: str


def register(app: typer.Typer) -> None:
    """Add `tocsin status`."""
    app.command(
        "status",
        epilog=base.epilog(
            "tocsin status",
            "tocsin status --kind border --kind dyad",
            "tocsin status --json | jq .stream_time",
            "tocsin status --health  (a container's health check)",
        ),
    )(status)


@base.plain_errors
def status(
    ctx: typer.Context,
    health: Annotated[
        bool, typer.Option("--health", help="Ask the running worker only: exit 0 or 1.")
    ] = False,
    kind: Annotated[
        list[str] | None,
        typer.Option(help=f"One of {', '.join(get_args(Kind))}; else provinces and countries."),
    ] = None,
    json: base.Json = False,
) -> None:
    """Show how far the monitor has come, what it can see, and what it has raised.

    It reads the store, which a worker keeps up to date; with --health it asks the worker's
    /healthz instead, at worker.metrics_host and worker.metrics_port.
    """
    kinds = base.kinds_named(kind, AREA_KINDS)
    settings = base.open_settings(ctx)
    if health:
        _tell_health(_health(settings), json=json)
        return
    with base.open_store(settings) as store:
        found = _read(store, settings.kafka.prefix, kinds)
    if json:
        base.print_json(found)
    else:
        _print(found)
    if found.stream_time is None:
        base.nothing("the store is empty: has tocsin run read a report yet?")


def _read(store: Store, prefix: str, kinds: Sequence[Kind]) -> Status:
    from detectors.signals.coverage_integrity import CoverageIntegrity
    from streams.commands.instability import instabilities, is_area
    from streams.topics import TOPICS, full_name

    units: dict[str, list[str]] = {state: [] for state in (*get_args(Coverage), "unknown")}
    scores = store.scores()
    seen = {s.unit: s.coverage for s in scores if s.signal == CoverageIntegrity.name}
    index = instabilities(scores)
    for unit in of_kind(*kinds):
        units[seen.get(unit.code, "unknown")].append(unit.code)
    counted = Counter((alert.state, alert.severity) for alert in store.alerts())
    alerts = {
        state: {severity: counted[state, severity] for severity in get_args(Severity)}
        for state in get_args(AlertState)
    }
    progress = {
        full_name(prefix, topic): store.progress(full_name(prefix, topic)) for topic in TOPICS
    }
    return Status(
        stream_time=base.stream_time(store),
        sources=store.source_health(),
        units=units,
        instability={u.code: index.get(u.code) for u in of_kind(*kinds) if is_area(u.code)},
        alerts=alerts,
        rows=store.counts(),
        progress={topic: offsets for topic, offsets in progress.items() if offsets},
    )


def _print(found: Status) -> None:
    base.say(f"Stream time: {base.when(found.stream_time)}")
    base.heading("Sources")
    base.print_table(
        ("source", "state", "share", "seen", "expected", "up to", "reason"),
        [
            (
                each.source,
                each.state,
                percent(each.share),
                str(each.seen),
                number(each.expected),
                base.when(each.at),
                each.reason,
            )
            for each in found.sources
        ],
    )
    base.heading("Units by coverage")
    for state, units in found.units.items():
        named = "" if state == "ok" else ", ".join(name_of(unit) for unit in units)
        base.say(f"{state:8}{len(units):3}  {named}".rstrip(), style=base.STYLES.get(state, ""))
    _print_instability(found)
    base.heading("Alerts by state")
    severities = get_args(Severity)
    base.print_table(
        ("state", *severities),
        [(state, *(str(by[each]) for each in severities)) for state, by in found.alerts.items()],
    )
    base.heading("The store holds")
    base.print_table(("table", "rows"), [(table, str(rows)) for table, rows in found.rows.items()])
    base.heading("The store has read")
    base.print_table(
        ("topic", "records", "next offset by partition"),
        [
            (topic, str(sum(by.values())), ", ".join(f"{p}: {o}" for p, o in sorted(by.items())))
            for topic, by in found.progress.items()
        ],
    )


def _print_instability(found: Status) -> None:
    from streams.commands.instability import brief, lead, models

    if not found.instability:
        return
    base.heading("Instability of 100, with a 90 % interval")
    coverage = {code: state for state, units in found.units.items() for code in units}
    base.print_table(
        ("unit", "name", "coverage", "instability", "most from"),
        [
            (code, name_of(code), coverage[code], brief(each), lead(each))
            for code, each in found.instability.items()
        ],
    )
    for text in models(each for each in found.instability.values() if each is not None):
        base.say(text)


def _health(settings: Settings) -> Health:
    worker = settings.worker
    if worker.metrics_port == 0:
        raise base.Problem(
            "worker.metrics_port is 0, a free port that only the worker knows: set a fixed one"
        )
    host = _EVERYWHERE.get(worker.metrics_host, worker.metrics_host)
    address = f"http://{f'[{host}]' if ':' in host else host}:{worker.metrics_port}/healthz"
    # Not urllib: it would ask a proxy of the environment.
    connection = http.client.HTTPConnection(host, worker.metrics_port, timeout=_HEALTH_SECONDS)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        said = answer.read(1_000).decode("utf-8", "replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return Health(False, address, f"no worker answers: {error}")
    finally:
        connection.close()
    return Health(answer.status == http.HTTPStatus.OK, address, said or f"HTTP {answer.status}")


def _tell_health(found: Health, *, json: bool) -> None:
    if json:
        base.print_json(found)
    else:
        word = "healthy" if found.healthy else "unhealthy"
        base.say(f"{word}: {found.address} says {found.reason}")
    if not found.healthy:
        raise typer.Exit(base.NOTHING)
