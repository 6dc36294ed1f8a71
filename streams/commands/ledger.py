"""`tocsin ledger`: how good the warnings were, each figure with its number and interval."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, Optional

import typer

from detectors.calibration import LEAST_CLAIMS
from detectors.world.units import name_of
from streams.commands import base
from streams.wording import number, percent

if TYPE_CHECKING:
    from detectors.answers import Answers
    from detectors.calibration import Calibration
    from detectors.ledger import Skill
    from detectors.tally import Contested, Row
    from detectors.warned import Call, Leads
    from streams.commands.record import Ledger, Sight

#: A gate of the design: the calibration error that is hoped for.
_GATE: Final = 0.05
_UNKNOWN: Final = "not known"


def register(app: typer.Typer) -> None:
    """Add `tocsin ledger`."""
    app.command(
        "ledger",
        epilog=base.epilog(
            "tocsin ledger",
            "tocsin ledger --by signal --misses",
            "tocsin ledger --by month --plot calibration.png",
            "tocsin ledger --json | jq .rows[0].skill",
        ),
    )(ledger)


@base.plain_errors
def ledger(
    ctx: typer.Context,
    *,
    by: Annotated[
        Optional[Literal["signal", "unit", "horizon", "month"]],  # noqa: UP045 - typer reads it
        typer.Option(help="Also a table by this; a month is that of the opening."),
    ] = None,
    misses: Annotated[
        bool, typer.Option("--misses", help="Also the onsets that nobody warned of.")
    ] = False,
    plot: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it
        typer.Option(metavar="FILE", help="Draw the calibration curve, to a .png or .svg file."),
    ] = None,
    json: base.Json = False,
) -> None:
    """Show the record of warnings: what was claimed, what came true, how far to trust it.

    Every alert is a claim with a probability, registered when it opens and settled once, by what
    happened. Claims of one surge in several places do not fail alone: intervals are rather too
    narrow. A miss is an onset of violence that no claim was open for.
    """
    from streams.commands.record import ledger as gather

    with base.open_store(base.open_settings(ctx)) as store:
        found = gather(store, by, misses=misses)
    if plot is not None:
        _plot(found, plot)
    if json:
        base.print_json(found)
    elif found.rows[0].skill.claims or misses:
        _print(found)
    if not found.rows[0].skill.claims and not misses:
        base.nothing("no alert was raised yet: there is no record to show")


def _plot(found: Ledger, path: Path) -> None:
    from streams.plots import FORMATS
    from streams.plots_ledger import calibration_plot

    if path.suffix.lower() not in FORMATS:
        raise base.Problem(f"--plot {path}: name a file that ends in {' or '.join(FORMATS)}")
    known = found.rows[0].calibration
    if known is None:
        raise base.Problem(
            f"--plot: fewer than {LEAST_CLAIMS} claims are settled: there is no curve to draw",
            base.NOTHING,
        )
    calibration_plot(known, path)
    base.note(f"plot written to {path}")


def _print(found: Ledger) -> None:
    whole = found.rows[0]
    base.say(f"The record of warnings up to {base.when(found.as_of)}", style="bold")
    for line in (*_claims(whole.skill), *_voids(found), *_false_alarms(whole)):
        base.say(f"- {line}")
    base.heading("Can the probabilities be trusted?")
    for line in _trust(whole):
        base.say(f"- {line}")
    if whole.calibration is not None:
        base.print_table(
            ("claims given", "on average", "came true", "of", "by chance if reliable (90%)"),
            list(_curve(whole.calibration)),
        )
    base.heading("Were warnings answered?")
    for line in answer_lines(whole.answers):
        base.say(f"- {line}")
    if found.contested:
        base.heading("Disputed or retracted by analysts")
        base.print_table(
            ("alert", "unit", "state", "given", "outcome", "said"),
            [_contested(each) for each in found.contested],
        )
    if found.by is not None:
        base.heading(f"By {found.by}")
        base.print_table(_COLUMNS, [_cells(row, found.by) for row in found.rows])
        base.print_table(_ANSWER_COLUMNS, [_answer_cells(row, found.by) for row in found.rows])
    if found.sight is not None:
        _print_misses(found, found.sight, whole.leads)
    base.say()
    base.say(found.disclaimer, style="italic")


def _claims(skill: Skill) -> Iterator[str]:
    settled = skill.hits + skill.false
    yield (
        f"{_plural(skill.claims, 'claim')}: {skill.hits} came true, {skill.false} did not, "
        f"{skill.void} void, {skill.open} not due"
    )
    if skill.precision is not None and skill.precision_interval is not None:
        yield f"Came true: {_share(skill.precision, skill.precision_interval)}, n {settled}"
    if skill.brier is None or skill.brier_base is None or skill.log_score is None:
        yield "None is settled: there is nothing to tell of how good they are"
        return
    gain = "" if not skill.brier_base else f", skill {1 - skill.brier / skill.brier_base:+.2f}"
    yield (
        f"Brier score {skill.brier:.3f} (0 is best), {skill.brier_base:.3f} by the base rates"
        f"{gain}; logarithmic score {skill.log_score:.3f} (0 is best); n {settled}"
    )


def _voids(found: Ledger) -> Iterator[str]:
    for reason, count in found.void.items():
        yield f"Void: {count} because {reason}"


def _false_alarms(row: Row) -> Iterator[str]:
    if row.false_per_year is None or row.false_interval is None or row.unit_years is None:
        yield "False alarms per unit-year: not known, no day was judged with full coverage"
        return
    low, high = row.false_interval
    yield (
        f"False alarms per unit-year: {row.false_per_year:.2f} (95% {low:.2f} to {high:.2f}), "
        f"{row.skill.false} in {row.unit_years:.1f} unit-years with full coverage"
    )


def _trust(row: Row) -> Iterator[str]:
    known, settled = row.calibration, row.skill.hits + row.skill.false
    if known is None:
        yield f"Too few to tell: {settled} settled, at least {LEAST_CLAIMS} are needed"
        return
    terms = known.decomposition
    yield (
        f"Brier score {terms.brier:.3f} = reliability {terms.reliability:.3f} - resolution "
        f"{terms.resolution:.3f} + uncertainty {terms.uncertainty:.3f} + within bins "
        f"{terms.within:.3f}; n {known.claims}, {_plural(len(known.curve), 'bin')}"
    )
    yield (
        f"Without the bias of small bins: reliability {terms.reliability_corrected:.3f}, "
        f"resolution {terms.resolution_corrected:.3f}, "
        f"uncertainty {terms.uncertainty_corrected:.3f}"
    )
    low, high = known.error_interval
    yield (
        f"Calibration error {known.error:.3f} (90% {low:.3f} to {high:.3f}); perfectly reliable "
        f"claims would show {known.error_of_chance:.3f} by chance; n {known.claims}"
    )
    if low <= _GATE < max(high, known.error_of_chance):
        yield f"Whether it is below {_GATE:g} cannot be told from {known.claims} claims"


def _curve(known: Calibration) -> Iterator[tuple[str, ...]]:
    for each in known.curve:
        low, high = each.bar
        outside = "" if low <= each.share <= high else ", outside"
        yield (
            f"{percent(each.low)} to {percent(each.high)}",
            percent(each.mean),
            percent(each.share),
            str(each.claims),
            f"{percent(low)} to {percent(high)}{outside}",
        )


_COLUMNS: Final = (
    "group", "claims", "true", "false", "void", "not due", "came true (95%)", "Brier", "base",
    "false per unit-year (95%)", "onsets warned of (95%)",
)  # fmt: skip


def _cells(row: Row, by: str) -> tuple[str, ...]:
    skill, leads = row.skill, row.leads
    precision, recall, rate = _UNKNOWN, "not asked for", _UNKNOWN
    if skill.precision is not None and skill.precision_interval is not None:
        precision = _share(skill.precision, skill.precision_interval)
    if leads is not None:
        recall = "none known"
        if leads.recall is not None and leads.recall_interval is not None:
            recall = f"{leads.ahead} of {leads.onsets}: " + _share(
                leads.recall, leads.recall_interval
            )
    if row.false_per_year is not None and row.false_interval is not None:
        low, high = row.false_interval
        rate = f"{row.false_per_year:.2f} ({low:.2f} to {high:.2f})"
    return (
        name_of(row.key) if by == "unit" else row.key,
        *map(str, (skill.claims, skill.hits, skill.false, skill.void, skill.open)),
        precision,
        _UNKNOWN if skill.brier is None else f"{skill.brier:.3f}",
        _UNKNOWN if skill.brier_base is None else f"{skill.brier_base:.3f}",
        rate,
        recall,
    )


_ANSWER_COLUMNS: Final = (
    "group", "warnings", "answered", "waiting", "ended unanswered", "median", "longest",
)  # fmt: skip


def _answer_cells(row: Row, by: str) -> tuple[str, ...]:
    known = row.answers
    group = name_of(row.key) if by == "unit" else row.key
    if known is None:
        return (group, *(_UNKNOWN,) * 6)
    counts = (known.warnings, known.answered, known.waiting, known.ended)
    return (group, *map(str, counts), _hours(known.median_hours), _hours(known.longest_hours))


def answer_lines(known: Answers | None) -> Iterator[str]:
    """Say how often, and for how long, warnings stood without an answer."""
    if known is None or not known.warnings:
        yield "There were no alerts of severity warning or critical"
        return
    yield (
        f"{_plural(known.warnings, 'alert')} of severity warning or critical: {known.answered} "
        f"answered, {known.waiting} waiting, {known.ended} ended without an answer"
    )
    yield (
        f"Median time to an answer: {_hours(known.median_hours)}; the longest stood for "
        f"{_hours(known.longest_hours)}; n {known.warnings}"
    )


def _hours(hours: float | None) -> str:
    """Write a length of time; that fewer than half were answered is said."""
    if hours is None:
        return "not reached"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.1f} d"


def _contested(each: Contested) -> tuple[str, ...]:
    said = "; ".join(f"{one.by}: {one.text}" for one in each.said)
    verdict = each.verdict or "not due"
    return each.alert, name_of(each.unit), each.state, percent(each.probability), verdict, said


def _print_misses(found: Ledger, sight: Sight, leads: Leads | None) -> None:
    base.heading("Onsets, and who warned of them")
    base.say(
        "An onset: 14 days reach 3 incidents, a count that at most a tenth of the unit's own "
        "fortnights reached, and one that steady violence reaches in one fortnight of a hundred."
    )
    base.say(
        f"- Searched: {sight.days} unit-days of counts at hand in {_plural(sight.units, 'unit')}, "
        f"of which {sight.judged} could be judged (each unit first needs {sight.least_weeks} "
        "weeks without a gap in sight)"
    )
    if leads is None or not leads.onsets:
        known = "none there" if sight.judged else "too little to tell: nothing could be judged"
        base.say(f"- Onsets found: {known}")
        return
    for line in lead_lines(leads):
        base.say(f"- {line}")
    base.print_table(
        ("onset", "unit", "incidents in 14 days", "usual", "called", "lead, days", "alert"),
        [_onset(call) for call in found.calls],
    )


def lead_lines(leads: Leads) -> Iterator[str]:
    """Say what became of onsets, and how long before them they were called."""
    yield (
        f"{_plural(leads.onsets, 'onset')}: {leads.ahead} warned of before their day, "
        f"{leads.late} called in the fortnight from it on, {leads.missed} missed"
    )
    if leads.recall is not None and leads.recall_interval is not None:
        yield f"Warned of: {_share(leads.recall, leads.recall_interval)}, n {leads.onsets}"
    if leads.mean_days is None or leads.mean_interval is None:
        return
    median = leads.median_days
    told = (
        "there is none, fewer than half were called"
        if median is None
        else f"{abs(median):.1f} days {'before' if median > 0 else 'after'} the onset"
    )
    low, high = leads.mean_interval
    yield (
        f"Median lead, misses included: {told}; mean lead within 14 days, 0 where there was no "
        f"warning: {leads.mean_days:.1f} days (95% {low:.1f} to {high:.1f}); n {leads.onsets}"
    )


def _onset(call: Call) -> tuple[str, ...]:
    lead = "" if call.lead_days is None else f"{call.lead_days:+.1f}"
    return (
        str(call.onset.day),
        name_of(call.onset.unit),
        str(call.onset.count),
        number(call.onset.usual),
        call.called,
        lead,
        call.alert or "nobody warned",
    )


def _share(share: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{percent(share)} ({percent(low)} to {percent(high)})"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
