"""What a backtest comes to, as values: the period, each rule's account, the onsets and alerts."""

from __future__ import annotations

from datetime import date
from typing import Final

from msgspec import Struct

from detectors.calibration import Bin, Decomposition
from detectors.onsets import Onset
from detectors.warned import Leads
from streams.backtest.measures import Interval

ALERTS: Final = "tocsin"
BUDGETS: Final = (0.5, 1.0, 2.0, 4.0)  # alarms per unit-year
EQUAL: Final = "equal"  # as many alarms as Tocsin made
PUBLISHED: Final = "published"  # with the threshold that was published


class Period(Struct, frozen=True):
    """What is judged. Days are the first and last, included."""

    start: date
    end: date
    origin: date  # the first fit of probabilities
    units: int
    unit_days: int  # on which coverage was ok and the unit's bar known
    unseen: int  # unit-days on which coverage was not ok
    void: int  # of the unit-days: the fortnight after could not be seen, or is not over
    unit_years: float
    base_rate: float | None  # of the target, over unit-days that can be judged


class Ranked(Struct, frozen=True):
    """How well risks rank unit-days by whether the next fortnight is in the top decile."""

    unit_days: int
    hits: int
    average_precision: float
    interval: Interval | None


class Trusted(Struct, frozen=True):
    """How good the probabilities were."""

    unit_days: int
    hits: int
    brier: float
    interval: Interval | None
    skill: float | None  # 1 - Brier / Brier of climatology
    calibration_error: float
    decomposition: Decomposition
    curve: tuple[Bin, ...]


class At(Struct, frozen=True):
    """A rule's alarms under one budget, judged by both targets."""

    budget: str  # `EQUAL`, `PUBLISHED`, or alarms per unit-year
    allowed: int | None
    threshold: float | None
    alarms: int
    hits: int  # the next fortnight was in the unit's top decile
    false: int
    void: int
    precision: float | None
    precision_interval: Interval | None
    false_per_year: float | None  # per unit
    false_interval: Interval | None
    leads: Leads  # onsets called ahead, late or not at all
    recall_interval: Interval | None  # of the onsets called ahead
    onset_precision: float | None  # alarms that called an onset ahead, of those not void


class Row(Struct, frozen=True):
    """One rule's account."""

    name: str
    title: str
    source: str
    told: float  # share of the unit-days on which it said something
    ranked: Ranked | None  # None: it says too little, or gives no daily risk
    trusted: Trusted | None
    at: tuple[At, ...]


class Warned(Struct, frozen=True):
    """An onset, and what each rule did at equal budget: days of lead, None where it missed it."""

    onset: Onset
    leads: dict[str, float | None]


class Opened(Struct, frozen=True):
    """An alert of Tocsin's, and what came after it."""

    alert: str
    unit: str
    day: date
    probability: float
    came: int  # incidents in the fortnight after
    bar: int | None  # incidents that would have put it into the unit's top decile
    held: bool | None  # None: the fortnight could not be seen, or is not over


class Level(Struct, frozen=True):
    """The account over units of one kind."""

    kind: str
    period: Period
    rows: tuple[Row, ...]
    warned: tuple[Warned, ...]
    opened: tuple[Opened, ...]
    set_aside: (
        int  # Tocsin's alerts of the period that claim something else than a rise of violence
    )
