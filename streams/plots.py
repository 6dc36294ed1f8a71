"""Plots of alerts for people: one alert with its claim, and a country's series with all alerts."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from msgspec import Struct

from detectors.life import ENDED
from detectors.records import Alert
from detectors.world.units import UNITS, Kind, name_of
from streams import drawing
from streams.drawing import FORMATS
from streams.wording import number, percent

__all__ = ["FORMATS", "alert_plot", "overview_plot"]

_LABEL: Final = 22  # characters in a line of a unit's name
_MOST_UNITS: Final = 30  # rows of the overview
_SIZES: Final = {"watch": 28.0, "warning": 64.0, "critical": 120.0}
_SHADE: Final = 0.22


class _Life(Struct, frozen=True):
    alert: Alert  # its last revision
    start: float
    end: float


def alert_plot(alert: Alert, path: Path, *, revisions: Sequence[Alert] = ()) -> None:
    """Draw an alert: incidents by day, its window with what was expected, and its claim.

    Args:
        alert: Any revision of it.
        path: Where the picture goes: .png or .svg.
        revisions: All its revisions, the first first. With them the series is longer, the window
            is that of the opening, and the time in which coverage was not ok is hatched.

    Raises:
        ValueError: The file's ending is another.
        OSError: The file cannot be written.
    """
    told = list(revisions) or [alert]
    figure = drawing.figure(8.0, 4.8)
    axes = figure.add_axes((0.075, 0.235, 0.9, 0.535))
    first, counts = told[0], _series(told)
    claimed = alert.claim.resolver
    drawing.draw_bars(axes, counts)
    drawing.draw_bars(axes, _in_window(first), drawing.WINDOW)
    _draw_expected(axes, first)
    _draw_horizon(axes, alert)
    drawing.draw_unseen(axes, _unseen(told))
    axes.axvline(_moment(first.opened_at, first.unit), color=drawing.INK, linewidth=1.0)
    drawing.finish(axes, counts, [claimed.first_day, claimed.last_day])
    handles = _alert_handles()
    if _unseen(told):
        handles.append(drawing.unseen_handle())
    if drawing.draw_unknown(axes, counts):
        handles.append(drawing.unknown_handle())
    axes.set_ylabel("violent incidents a day", fontsize=8.5)
    title, subtitle = _titles(alert, first)
    claim = _claim_text(alert)
    drawing.draw_words(figure, title, f"{subtitle}\n{claim}")
    drawing.draw_legend(figure, handles, 0.055)
    drawing.save(figure, path, title, f"{title}. {subtitle}. {claim}. {_tell(counts)}")


def overview_plot(
    days: Sequence[date],
    counts: Sequence[int],
    alerts: Sequence[Alert],
    dark: Sequence[date],
    path: Path,
    *,
    country: str = "AFG",
) -> None:
    """Draw a country's incidents by day, and below them each unit's alerts.

    Args:
        days: The days, ascending.
        counts: Violent incidents of each day, as many as days.
        alerts: The last revision of each alert, or all revisions: only with all of them is it
            known when an alert ended, as its claim is settled later.
        dark: Days on which coverage was not ok, or a source was silent: they are hatched.
        path: Where the picture goes: .png or .svg.
        country: The unit that the counts are of. The days that its own alerts claim to be a lull
            or a surge are shaded.

    Raises:
        ValueError: The file's ending is another, there are no days, or not as many counts.
        OSError: The file cannot be written.
    """
    if not days or len(days) != len(counts):
        raise ValueError(f"{len(days)} days and {len(counts)} counts: give one for each day")
    lives = _lives(alerts, days[-1])
    units, left_out = _rows(lives)
    height = 4.35 + 0.19 * max(len(units), 3)
    figure = drawing.figure(9.0, height)
    upper = figure.add_axes((0.16, 1 - 3.05 / height, 0.82, 2.2 / height))
    bottom = 1.2 / height
    lower = figure.add_axes((0.16, bottom, 0.82, 1 - 3.25 / height - bottom), sharex=upper)
    series = dict(zip(days, counts, strict=True))
    drawing.draw_bars(upper, series)
    _draw_mean(upper, series)
    drawing.draw_unseen(upper, _runs(dark))
    _shade_claims(upper, [each.alert for each in lives if each.alert.unit == country])
    drawing.finish(upper, series, [])
    drawing.draw_unknown(upper, series)
    upper.set_ylabel("incidents a day", fontsize=8.5)
    upper.tick_params(labelbottom=False)
    _draw_lives(lower, lives, units)
    drawing.draw_unseen(lower, _runs(dark))
    title = f"{name_of(country)}: violent incidents by day, and alerts"
    subtitle = f"{days[0]} to {days[-1]}; {sum(counts)} incidents, {_plural(len(lives), 'alert')}"
    subtitle += f"; {_plural(left_out, 'more unit')} not shown" if left_out else ""
    drawing.draw_words(figure, title, subtitle)
    drawing.draw_legend(figure, _overview_handles(name_of(country), dark=bool(dark)), 0.36 / height)
    drawing.save(
        figure,
        path,
        title,
        f"{title}. {subtitle}. {_tell(series)} {_tell_alerts([each.alert for each in lives])}",
    )


# What is drawn


def _series(revisions: Sequence[Alert]) -> dict[date, int]:
    """Return incidents by day, as last known."""
    counts: dict[date, int] = {}
    for each in revisions:
        if each.series_end is not None:
            first = each.series_end - timedelta(days=len(each.daily) - 1)
            counts |= {first + timedelta(days=i): n for i, n in enumerate(each.daily)}
    return counts


def _in_window(alert: Alert) -> dict[date, int]:
    """Return the counts of the window that a revision judged, as they were known then."""
    known = _series([alert])
    days = sorted(known)[-(alert.window_days or 0) :] if alert.window_days else []
    return {day: known[day] for day in days}


def _moment(at: datetime, unit: str) -> float:
    return drawing.moment_of(at, _country(unit))


def _unseen(revisions: Sequence[Alert]) -> list[tuple[float, float]]:
    """Return when coverage was not ok; a spell that lasts is drawn a day long at least."""
    spells: list[tuple[float, float]] = []
    since: float | None = None
    for each in revisions:
        at = _moment(each.at, each.unit)
        if each.coverage != "ok" and since is None:
            since = at
        elif each.coverage == "ok" and since is not None:
            spells.append((since, at))
            since = None
    if since is not None:
        last = revisions[-1]
        spells.append((since, max(_moment(last.at, last.unit), since + 1)))
    return spells


def _runs(days: Sequence[date]) -> list[tuple[float, float]]:
    """Return consecutive days as stretches of the axis."""
    runs: list[tuple[float, float]] = []
    for day in sorted(set(days)):
        middle = drawing.number_of(day)
        joined = runs and runs[-1][1] >= middle - 0.5
        start = runs.pop()[0] if joined else middle - 0.5
        runs.append((start, middle + 0.5))
    return runs


def _lives(alerts: Sequence[Alert], last: date) -> list[_Life]:
    """Return each alert with when it lived: to its end, or to the last day of the plot."""
    stories: dict[str, list[Alert]] = {}
    for each in sorted(alerts, key=lambda each: (each.opened_at, each.id, each.revision)):
        stories.setdefault(each.id, []).append(each)
    lives = []
    for story in stories.values():
        unit = story[0].unit
        start = _moment(story[0].opened_at, unit)
        ended = next((each.at for each in story if each.state in ENDED), None)
        end = drawing.number_of(last) + 0.5 if ended is None else _moment(ended, unit)
        lives.append(_Life(story[-1], start, max(start, end)))
    return lives


def _rows(lives: Sequence[_Life]) -> tuple[list[str], int]:
    """Return the units to show, by kind and name, and how many are left out."""
    load: dict[str, float] = {}
    for each in lives:
        load[each.alert.unit] = load.get(each.alert.unit, 0.0) + _SIZES[each.alert.severity]
    chosen = sorted(load, key=lambda unit: (-load[unit], unit))[:_MOST_UNITS]
    chosen.sort(key=_place_in_plot)
    return chosen, len(load) - len(chosen)


def _country(unit: str) -> str:
    return UNITS[unit].country if unit in UNITS else ""


#: Kinds of units from the top of the overview.
_ORDER: Final[tuple[Kind, ...]] = ("country", "admin1", "border", "dyad", "actor")


def _place_in_plot(unit: str) -> tuple[int, str, str]:
    known = UNITS.get(unit)
    if known is None:
        return len(_ORDER), "", unit
    return _ORDER.index(known.kind), known.country, known.name


# How it is drawn


def _draw_expected(axes: Any, alert: Alert) -> None:  # noqa: ANN401
    window = _in_window(alert)
    if not window or alert.expected is None:
        return
    ends = drawing.number_of(min(window)) - 0.5, drawing.number_of(max(window)) + 0.5
    level = alert.expected / len(window)
    axes.hlines(level, *ends, color="white", linewidth=4.4, zorder=4)
    axes.hlines(level, *ends, color=drawing.EXPECTED, linewidth=2.4, zorder=5)


def _draw_horizon(axes: Any, alert: Alert) -> None:  # noqa: ANN401
    rule = alert.claim.resolver
    first, last = drawing.number_of(rule.first_day) - 0.5, drawing.number_of(rule.last_day) + 0.5
    axes.axvspan(first, last, color=drawing.HORIZON, zorder=0, linewidth=0)
    for edge in (first, last):
        axes.axvline(edge, color=drawing.FAINT, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)


def _draw_mean(axes: Any, counts: dict[date, int]) -> None:  # noqa: ANN401
    """Draw the mean of each day and the six before it, where all seven are known."""
    days = sorted(counts)
    means = [
        (day, sum(counts[each] for each in days[i - 6 : i + 1]) / 7)
        for i, day in enumerate(days)
        if i >= 6 and (day - days[i - 6]).days == 6
    ]
    axes.plot(
        [drawing.number_of(d) for d, _ in means],
        [m for _, m in means],
        color=drawing.INK,
        linewidth=1.4,
    )


def _shade_claims(axes: Any, alerts: Sequence[Alert]) -> None:  # noqa: ANN401
    for each in alerts:
        rule, rise = each.claim.resolver, each.direction == "rise"
        colour = drawing.RISE if rise else drawing.FALL
        axes.axvspan(
            drawing.number_of(rule.first_day) - 0.5,
            drawing.number_of(rule.last_day) + 0.5,
            facecolor=colour,
            edgecolor=colour,
            alpha=_SHADE,
            hatch=None if rise else "..",
            linewidth=0,
            zorder=1,
        )


def _draw_lives(axes: Any, lives: Sequence[_Life], units: list[str]) -> None:  # noqa: ANN401
    rows = {unit: len(units) - 1 - i for i, unit in enumerate(units)}
    for each in lives:
        row, rise = rows.get(each.alert.unit), each.alert.direction == "rise"
        if row is None:
            continue
        colour = drawing.RISE if rise else drawing.FALL
        axes.hlines(row, each.start, each.end, color=colour, linewidth=1.6, alpha=0.6, zorder=2)
        axes.scatter(
            [each.start],
            [row],
            marker="^" if rise else "v",
            s=_SIZES[each.alert.severity],
            color=colour,
            edgecolor="white",
            linewidth=0.6,
            zorder=3,
        )
    axes.set_ylim(-0.8, max(len(units), 3) - 0.2)
    labels = [textwrap.fill(name_of(unit), _LABEL) for unit in units]
    axes.set_yticks([rows[unit] for unit in units], labels, fontsize=7.5)
    for label in axes.get_yticklabels():
        if "\n" in label.get_text():  # two lines have to fit into one row
            label.set(fontsize=5.2, linespacing=0.9)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=drawing.GRID, linewidth=0.7)
    drawing.draw_dates(axes)


def _alert_handles() -> list[Any]:
    return [
        Patch(color=drawing.BARS, label="incidents of a day, as last known"),
        Patch(color=drawing.WINDOW, label="known when it opened, in its window"),
        Line2D([], [], color=drawing.EXPECTED, linewidth=2.4, label="expected then, a day"),
        Line2D([], [], color=drawing.INK, linewidth=1.0, label="opened"),
        Patch(color=drawing.HORIZON, label="days of the claim"),
    ]


def _overview_handles(country: str, *, dark: bool) -> list[Any]:
    def mark(shape: str, colour: str, label: str) -> Line2D:
        return Line2D([], [], color=colour, marker=shape, linewidth=1.6, markersize=6, label=label)

    lull = f"lull in {country}: days of a fall's claim"
    surge = f"surge in {country}: days of a rise's claim"
    handles: list[Any] = [
        Patch(color=drawing.BARS, label="incidents of a day"),
        Line2D([], [], color=drawing.INK, linewidth=1.4, label="mean of seven days"),
        Patch(
            color=drawing.FALL,
            alpha=_SHADE,
            hatch="..",
            label=lull,
        ),
        Patch(color=drawing.RISE, alpha=_SHADE, label=surge),
        mark("^", drawing.RISE, "rise: opened, and its life"),
        mark("v", drawing.FALL, "fall; larger marks are graver"),
    ]
    return handles + ([drawing.unseen_handle()] if dark else [])


# What it says


def _titles(alert: Alert, first: Alert) -> tuple[str, str]:
    seen = "count unknown" if first.observed is None else f"{first.observed} incidents"
    usual = "" if first.expected is None else f" against {number(first.expected)} expected"
    days = "" if first.window_days is None else f" in {_plural(first.window_days, 'day')}"
    title = f"{alert.severity.capitalize()}: {alert.direction} of violent incidents in "
    state = (
        alert.state if alert.outcome is None else f"{alert.state}, claim {alert.outcome.verdict}"
    )
    subtitle = f"{seen}{usual}{days} when it opened, {first.opened_at:%Y-%m-%d %H:%M} UTC"
    return title + name_of(alert.unit), f"{subtitle}; now {state}"


def _claim_text(alert: Alert) -> str:
    claim = alert.claim
    rule = claim.resolver
    comparison = rule.comparison.replace("_", " ")
    return (
        f"Claim: {comparison} {rule.count} from {rule.first_day} to {rule.last_day}, "
        f"{percent(claim.probability)} likely (usually {percent(claim.base_rate)})"
    )


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _tell(counts: dict[date, int]) -> str:
    if not counts:
        return "No daily counts are known."
    peak = max(counts, key=lambda day: (counts[day], day))
    return (
        f"Bars show {sum(counts.values())} incidents from {min(counts)} to {max(counts)}, "
        f"most on {peak} ({counts[peak]})."
    )


def _tell_alerts(alerts: Sequence[Alert]) -> str:
    said = [
        f"{each.severity} {each.direction} in {name_of(each.unit)} from {each.opened_at:%Y-%m-%d}"
        for each in sorted(alerts, key=lambda each: (each.opened_at, each.id))
    ]
    return f"Alerts: {'; '.join(said)}." if said else "No alerts."
