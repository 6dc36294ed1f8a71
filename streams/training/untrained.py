"""How `detectors/model_untrained.json` is made: the index for where no model was trained.

Worlds are simulated (`streams/simulator`) that differ in how much incidents come in bursts, how
rates drift, how long bursts last and whether there are surges and new fronts. The live code reads
their reports; a logistic regression learns from its features which fortnights reached the bar. Each
world is held out once. The interval is the spread of the worlds: in which of them we live is not
known.

    python -m streams.training.untrained detectors/model_untrained.json
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors import index
from detectors.model import UNTRAINED, Card, Curve, Model, encode
from detectors.timegrid import Grid
from streams.replay import timed
from streams.simulator import Spec, World
from streams.simulator.spec import WATCHED
from streams.training.collect import Rows, collect, named
from streams.training.fit import calibrate, centred, linear, log_odds
from streams.training.skill import skill

Floats = NDArray[np.float64]

#: What it rests on: counts, and the evidence of all signals together, whichever these are.
FEATURES: Final = ("pace", "week", "fortnight", *index.TOGETHER)
#: Dispersion, daily drift, echo from day to day, and surges and new fronts, of each world.
WORLDS: Final = (
    (0.05, 0.005, 0.0, 0),
    (0.05, 0.010, 0.3, 30),
    (0.15, 0.005, 0.3, 0),
    (0.15, 0.020, 0.3, 30),
    (0.40, 0.005, 0.0, 30),
    (0.40, 0.010, 0.6, 0),
)
_DAYS: Final = 200
_EVERY: Final = 2  # units: every second one has incidents
_RATE: Final = (0.02, 4.0)  # incidents a day
_NEWS: Final = 4.0  # other news a day
_FAILURES: Final = (
    "It was learned from simulated worlds; how well they resemble the unit's is not known.",
    "Simulated reports tell of violence only: what the other signals add was not learned from "
    "them, but taken from the worlds' evidence nat for nat.",
    "Simulated surges begin without forerunners: it tells what goes on, not what is to come.",
)


def world(number: int, days: int = _DAYS) -> Spec:
    """Return what one of `WORLDS` is asked to be."""
    dispersion, drift, echo, episodes = WORLDS[number]
    return Spec(
        seed=100 + number,
        first_day=date(2023, 1 + number, 1),
        days=days,
        units=WATCHED[number % _EVERY :: _EVERY],
        rate=_RATE,
        dispersion=dispersion,
        drift=drift,
        echo=echo,
        episodes=episodes,
        news=_NEWS,
    )


def gather(spec: Spec) -> Rows:
    """Return the rows of a world's own units whose following fortnight is known."""
    grid = Grid()
    rows = collect(timed(World(spec).reports(), grid), grid)
    mine = {number for number, unit in enumerate(rows.walked.units) if unit in spec.names}
    inside = np.array([unit in mine for unit in rows.unit.tolist()], dtype=bool)
    return rows.take(inside & ~np.isnan(rows.y))


def build(worlds: Sequence[Rows]) -> Model:
    """Return the model that some worlds teach."""
    x = [named(rows, FEATURES) for rows in worlds]
    y = [rows.y for rows in worlds]
    told, given = [], []
    for out in range(len(worlds)):
        rest = [i for i in range(len(worlds)) if i != out]
        others, hit = np.concatenate([x[i] for i in rest]), np.concatenate([y[i] for i in rest])
        form = linear(others, hit, FEATURES)
        told.append(log_odds(form, x[out]))
        given.append(np.interp(told[-1], *centred(log_odds(form, others), hit)))
    form = linear(np.concatenate(x), np.concatenate(y), FEATURES)
    curve = _spread(told, worlds)
    hits = np.concatenate(y)
    judged = skill(UNTRAINED, np.concatenate(given), hits, _apart(worlds))
    return Model(
        id=UNTRAINED,
        version=index.VERSION,
        signals={},
        features=FEATURES,
        form=form,
        curve=curve,
        card=Card(
            data=f"{len(worlds)} simulated worlds (streams/training/untrained.py)",
            first_day="",
            last_day="",
            units=len({unit for rows in worlds for unit in rows.unit.tolist()}),
            unit_days=len(hits),
            positives=int(hits.sum()),
            chosen="logistic regression: nothing finer is worth learning from a simulation",
            judged="the same half days, each world by what the others teach",
            judged_unit_days=len(hits),
            judged_positives=int(hits.sum()),
            skill=(judged,),
            failures=_FAILURES,
        ),
    )


def _apart(worlds: Sequence[Rows]) -> NDArray[np.intp]:
    """Return the days of all rows, those of each world after those of the last."""
    starts = np.cumsum([0, *(rows.walked.days for rows in worlds[:-1])])
    return np.concatenate([rows.row + start for rows, start in zip(worlds, starts, strict=True)])


def _spread(told: Sequence[Floats], worlds: Sequence[Rows]) -> Curve:
    """Return the curve of all worlds, with the lowest and highest of any world as its interval."""
    hits = [rows.y for rows in worlds]
    curve = calibrate(np.concatenate(told), np.concatenate(hits), _apart(worlds))
    each = [np.interp(curve.at, *centred(odds, hit)) for odds, hit in zip(told, hits, strict=True)]
    low = np.minimum(np.min(each, axis=0), curve.low)
    high = np.maximum(np.max(each, axis=0), curve.high)
    return Curve(curve.at, curve.level, tuple(low.round(4).tolist()), tuple(high.round(4).tolist()))


def make(say: Callable[[str], None]) -> Model:
    """Simulate the worlds, and return the model."""
    worlds = []
    for number in range(len(WORLDS)):
        worlds.append(gather(world(number)))
        say(f"world {number + 1} of {len(WORLDS)}: {len(worlds[-1].y)} half days of units")
    return build(worlds)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(encode(make(lambda text: print(text, file=sys.stderr))))
