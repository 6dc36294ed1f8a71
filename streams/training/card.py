"""A model card in Markdown: what the model was made of, how good it is, and where it fails.

Mitchell et al. 2019, "Model cards for model reporting".
"""

from __future__ import annotations

from collections.abc import Iterator

from detectors.model import Figure, Linear, Model, Skill


def render(model: Model) -> str:
    """Return the card of a model."""
    return "\n".join(_lines(model)) + "\n"


def _lines(model: Model) -> Iterator[str]:
    card = model.card
    yield f"# Instability index, model {model.id}"
    yield ""
    yield (
        "It gives the probability that the 14 days after a unit's day reach the top decile of the "
        "unit's own fortnights, by violent incidents (3 at least)."
    )
    yield ""
    yield f"- Data: {card.data}"
    yield f"- Days: {card.first_day} to {card.last_day}, {card.units} units"
    yield f"- Unit-days: {card.unit_days:,}, {card.positives:,} of them before an escalation"
    yield f"- Form: {card.chosen}"
    signals = ", ".join(f"{name} version {version}" for name, version in model.signals.items())
    yield f"- Signals: {signals or 'their sum, of any version'}"
    yield ""
    yield "## Skill"
    yield ""
    yield f"Judged on {card.judged_unit_days:,} unit-days, {card.judged_positives:,} before an "
    yield f"escalation: {card.judged}. In brackets: 95 % intervals, by blocks of two weeks."
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---|---|---|---|---|"
    for each in card.skill:
        yield f"| {' | '.join(cells(each))} |"
    yield ""
    yield "## What it rests on"
    yield ""
    if isinstance(model.form, Linear):
        yield "Log odds by one standard deviation of each feature (`detectors/index.py`):"
        yield ""
        for name, weight in zip(model.features, model.form.weights, strict=True):
            yield f"- {name}: {weight:+.3f}"
    else:
        yield f"{len(model.form.trees)} trees over: {', '.join(model.features)}"
    yield ""
    yield "## Known failures"
    yield ""
    for failure in card.failures:
        yield f"- {failure}"


COLUMNS = ("forecast", "average precision", "Brier", "log loss", "calibration error")


def cells(of: Skill) -> tuple[str, ...]:
    """Return the cells of a forecast's row, as `COLUMNS` names them."""
    figures = (of.average_precision, of.brier, of.log_loss, of.calibration_error)
    return (of.name, *(figure(each) for each in figures))


def figure(of: Figure) -> str:
    """Write a figure with its interval.

    >>> figure(Figure(0.25, 0.2, 0.31)), figure(Figure(0.25))
    ('0.250 (0.200 to 0.310)', '0.250')
    """
    if of.low is None or of.high is None:
        return f"{of.value:.3f}"
    return f"{of.value:.3f} ({of.low:.3f} to {of.high:.3f})"
