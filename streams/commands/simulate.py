"""`tocsin simulate`: a world with known truth, as reports to replay and the truth to judge by."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Optional

import msgspec
import typer
from msgspec import Struct

from streams.commands.base import (
    USAGE,
    Json,
    Problem,
    epilog,
    errors,
    heading,
    near,
    plain_errors,
    print_json,
    print_table,
    say,
)

if TYPE_CHECKING:
    from streams.simulator import Episode, Outage, Truth, World

_ENCODER: Final = msgspec.json.Encoder()
_EPISODES: Final = 4
_ROOM: Final = 150  # days of a unit that one episode takes, with what has to be quiet about it


class Simulated(Struct, frozen=True):
    """What a simulation came to."""

    reports: int | None  # None where none were asked for
    seconds: float
    incidents: int
    reported: int
    unit_years: float
    episodes: tuple[Episode, ...]
    outages: tuple[Outage, ...]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "simulate",
        epilog=epilog(
            "tocsin simulate --days 200 --units AF-NAN,PK-KP --rate 1 --episodes 2 "
            "--out reports.jsonl --truth truth.json",
            "tocsin replay reports.jsonl --inline",
            "tocsin simulate --null --days 365 --seed 7 --out calm.jsonl",
            "tocsin simulate --outage PAK:2024-05-01:5 --outage ur:150:10 --out gaps.jsonl",
            "tocsin simulate --rename 2024-08-01 --anniversary 2024-06-01 --out traps.jsonl",
            "An outage is KIND:FROM:DAYS. KIND is all, AFG, PAK, a language, a unit or a source; "
            "FROM a date or the number of a day, from 0.",
            "The same options give the same bytes. With --null nothing changes but what the "
            "background does by itself: every alert is a false one.",
        ),
    )(simulate)


@plain_errors
def simulate(  # noqa: PLR0913, PLR0917 - one for each option
    days: Annotated[int, typer.Option(help="How long the world lasts.")] = 365,
    units: Annotated[
        str, typer.Option(help="So many watched units, or their codes with commas; empty: all.")
    ] = "",
    rate: Annotated[
        str, typer.Option(help="Incidents a day in a unit: one number, or LOW-HIGH to draw from.")
    ] = "0.02-1",
    seed: Annotated[int, typer.Option(help="Another seed, another world.")] = 1,
    first_day: Annotated[
        str, typer.Option("--from", metavar="DATE", help="The world's first day.")
    ] = "2024-01-01",
    episodes: Annotated[
        Optional[int],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            min=0, help="Surges, new fronts and lulls to put in: 4, in a small world fewer."
        ),
    ] = None,
    delay: Annotated[
        float,
        typer.Option(help="Reporting delay: 1 as measured (median 1 day), 0 none, 2 twice."),
    ] = 1.0,
    duplicates: Annotated[
        float, typer.Option(help="Share of reports that others reprint, up to 40 times each.")
    ] = 0.1,
    prose: Annotated[
        float, typer.Option(help="Share of incidents told in prose, not as records.")
    ] = 0.0,
    news: Annotated[float, typer.Option(help="Other, non-violent news a day.")] = 24.0,
    echo: Annotated[
        float, typer.Option(help="How much a day's incidents bring on the next day's, below 1.")
    ] = 0.0,
    outage: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads it at run time
        typer.Option(metavar="KIND:FROM:DAYS", help="Reports that are lost; may be repeated."),
    ] = None,
    rename: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="DATE", help="From then on reports call the TTP by another name."),
    ] = None,
    anniversary: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="DATE", help="Many recall an attack a year ago; may be repeated."),
    ] = None,
    null: Annotated[bool, typer.Option("--null", help="No episodes at all.")] = False,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Write the reports here, a JSON record a line, for tocsin replay."),
    ] = None,
    truth: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Write what truly happened here: episodes, daily counts, outages."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files.")] = False,
    json: Json = False,
) -> None:
    """Invent a world of known truth, to see how Tocsin behaves in it.

    Incidents happen at a rate that has weekdays, seasons, holidays and a drift; outlets report
    them late, reprint each other and fall silent. Episodes are put in on top.
    """
    from streams.simulator import Spec, World

    for path in (out, truth):
        if path is not None and path.exists() and not force:
            raise Problem(f"{path} exists: choose another name, or take --force")
    begins = _date(first_day, "--from")
    try:
        spec = Spec(
            seed=seed,
            first_day=begins,
            days=days,
            units=_units(units),
            rate=_rate(rate),
            echo=echo,
            episodes=0 if null else _usual(units, days) if episodes is None else episodes,
            delay_factor=delay,
            delay=Spec().delay if delay > 0 else (),
            duplicates=duplicates,
            prose=prose,
            news=news,
            outages=tuple(_outage(text, begins) for text in outage or ()),
            rename=_date(rename, "--rename") if rename else None,
            anniversaries=tuple(_date(text, "--anniversary") for text in anniversary or ()),
        )
        world = World(spec)
        true = world.truth
    except ValueError as error:
        raise Problem(str(error)) from error
    started = time.monotonic()
    written = _write(world, out) if out is not None else None
    elapsed = time.monotonic() - started
    if truth is not None:
        truth.write_bytes(msgspec.json.format(_ENCODER.encode(true), indent=1) + b"\n")
    found = Simulated(
        reports=written,
        seconds=round(elapsed, 2),
        incidents=true.incidents,
        reported=true.reported,
        unit_years=round(len(true.units) * days / 365.25, 2),
        episodes=true.episodes,
        outages=true.outages,
    )
    if json:
        print_json(found)
    else:
        _show(found, true, out, truth)


# What was asked for


def _date(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Problem(f"{option} {text}: give a date like 2024-06-01", USAGE) from error


def _units(text: str) -> tuple[str, ...]:
    from streams.simulator.spec import WATCHED

    if not text:
        return ()
    if text.isdecimal():
        if not 1 <= int(text) <= len(WATCHED):
            raise Problem(f"--units {text}: there are 1 to {len(WATCHED)}")
        return WATCHED[: int(text)]
    codes = tuple(code.strip() for code in text.split(","))
    for code in codes:
        if code not in WATCHED:
            mend = near(code, WATCHED) or f"; there are {', '.join(WATCHED)}"
            raise Problem(f"--units: no watched unit has the code {code!r}{mend}")
    return codes


def _usual(units: str, days: int) -> int:
    """Return how many episodes a world has that is not asked for any: as many as have room."""
    from streams.simulator.spec import WATCHED

    return min(_EPISODES, len(_units(units) or WATCHED) * max(1, days // _ROOM))


def _rate(text: str) -> tuple[float, float]:
    low, _, high = text.partition("-")
    try:
        return float(low), float(high or low)
    except ValueError as error:
        raise Problem(f"--rate {text}: give a number like 0.5, or two like 0.02-1") from error


def _outage(text: str, begins: date) -> Outage:
    from streams.simulator import Outage

    try:
        what, start, days = text.split(":")
        first = begins + timedelta(int(start)) if start.isdecimal() else date.fromisoformat(start)
        return Outage(what, first, int(days))
    except ValueError as error:
        raise Problem(
            f"--outage {text}: give KIND:FROM:DAYS, like PAK:2024-05-01:5 or ur:150:10"
        ) from error


# What it comes to


def _write(world: World, path: Path) -> int:
    """Write the reports as they come; return how many there are."""
    from rich.progress import track

    count = 0
    console = errors()
    by_day = track(
        _batches(world),
        description="simulating",
        total=world.spec.days,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with path.open("wb") as file:
        for lines in by_day:
            file.writelines(lines)
            count += len(lines)
    return count


def _batches(world: World) -> Iterable[list[bytes]]:
    """Yield the lines of each day's reports."""
    for day in range(world.spec.days):
        yield [_ENCODER.encode(report) + b"\n" for report, _ in world.told_on(day)]


def _show(found: Simulated, true: Truth, out: Path | None, truth: Path | None) -> None:
    print_table(
        ("unit", "usual, a day", "incidents", "reported", "busiest week"),
        [
            (
                u.unit,
                f"{u.rate:.2f}",
                f"{sum(u.counts):,}",
                f"{sum(u.reported):,}",
                _busiest(u.counts),
            )
            for u in true.units
        ],
    )
    if true.episodes:
        heading("Episodes")
        print_table(
            ("unit", "what", "first day", "last day", "how strong", "incidents", "before"),
            [_episode(episode, true) for episode in true.episodes],
        )
    for outage in true.outages:
        say(f"Outage of {outage.what} from {outage.first} to {outage.last}")
    lost = found.incidents - found.reported
    say(
        f"{found.incidents:,} incidents in {found.unit_years:g} unit-years; {lost:,} were not "
        "reported before the end, or never"
    )
    if found.reports is not None:
        pace = found.reports / max(found.seconds, 0.01)
        say(f"{found.reports:,} reports written to {out} in {found.seconds:.1f} s ({pace:,.0f}/s)")
    else:
        say("No reports written: name a file with --out, then tocsin replay FILE --inline")
    if truth is not None:
        say(f"what truly happened is in {truth}")


def _busiest(counts: tuple[int, ...]) -> str:
    return f"{max(sum(counts[n : n + 7]) for n in range(max(1, len(counts) - 6))):,}"


def _episode(episode: Episode, true: Truth) -> tuple[str, ...]:
    (counts,) = (u.counts for u in true.units if u.unit == episode.unit)
    start = (episode.first - true.first_day).days
    before = counts[max(0, start - episode.days) : start]
    strong = f"+{episode.added:g} a day" if episode.added else f"x{episode.factor:g}"
    return (
        episode.unit,
        episode.kind.replace("_", " "),
        str(episode.first),
        str(episode.last),
        strong,
        f"{sum(counts[start : start + episode.days]):,}",
        f"{sum(before):,}",
    )
