"""How often S5 and S6 speak in years in which nothing is out of the ordinary.

Run: `python -m tests.benchmarks.bench_assertions [years]`. S5: a border with stray single reports
of a closure of Torkham that are not followed up, fire and expulsions at a constant rate, four in
ten told by two publishers. S6: assertions and denials about four groups by sides drawn at random,
half of them Pakistani authorities. Onsets by strength; the first 60 days are to learn from.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from random import Random

import msgspec

from detectors.records import Event, Voice
from detectors.signals.border_friction import BorderFriction
from detectors.signals.crossings import CLOSED
from detectors.signals.sanctuary import ALLEGED, DENIED, SanctuaryPressure
from tests.core_records import event, town
from tests.signal_records import Run, onsets, run

LEARN = 60
BARS = (1.0, 2.0, 3.0, 4.0)
UNIT = "AF-NAN~PK-KP"
VOICES: tuple[Voice, ...] = (
    *("pak-authorities",) * 5,
    "un",
    *("independent",) * 2,
    "foreign-authorities",
    "militant",
)


def _by(base: Event, rng: Random) -> Iterator[Event]:
    for publisher in ("wire", "post") if rng.random() < 0.4 else ("wire",):
        id = f"{publisher}-{base.id}"
        yield msgspec.structs.replace(base, id=id, publisher=publisher, source=publisher)


def friction(days: int, rates: dict[str, float], rng: Random) -> Iterator[Event]:
    for on in range(days):
        for theme, rate in rates.items():
            if rng.random() < rate:
                type_ = "ASSAULT" if theme == "border_fire" else "COERCE"
                yield from _by(
                    event(
                        f"{on}-{theme}/0", on, unit=UNIT, event=type_, themes=(theme,),
                        place=town("Torkham", "AF-NAN"),
                    ),
                    rng,
                )  # fmt: skip


def assertions(days: int, rate: float, rng: Random) -> Iterator[Event]:
    for on in range(days):
        if rng.random() < rate:
            theme = ALLEGED if rng.random() < 0.8 else DENIED
            yield from _by(
                event(
                    f"{on}/0", on, unit="AF-KHO", place=town("Khost", "AF-KHO"), themes=(theme,),
                    event="ACCUSE" if theme == ALLEGED else "REJECT", voices=(rng.choice(VOICES),),
                    actors=(rng.choice(("ttp", "iskp", "al-qaida", "bla")),),
                ),
                rng,
            )  # fmt: skip


def told(name: str, found: Run, days: int, began: float) -> None:
    used = (time.process_time() - began) / (2 * days) * 1e6
    years = (days - LEARN) / 365
    series = found.strengths(LEARN, days - 1)
    rates = ", ".join(f"{onsets(series, bar) / years:.2f}" for bar in BARS)
    print(f"{name:58} onsets a year at {BARS} nats: {rates}; {used:.0f} µs a half day, all in all")


def main() -> None:
    years = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    days = LEARN + 365 * years
    for stray, fire, expelled in ((0.0, 0.005, 0.005), (3 / 365, 0.02, 0.05), (0.0, 0.2, 0.2)):
        rates = {CLOSED: stray, "border_fire": fire, "deportation": expelled}
        began = time.process_time()
        found = run(BorderFriction(), friction(days, rates, Random(1)), days, unit=UNIT)
        told(
            f"S5 stray closures {stray:.3f}, fire {fire}, expulsions {expelled} a day",
            found,
            days,
            began,
        )
    for rate in (0.01, 0.05, 0.3):
        began = time.process_time()
        found = run(SanctuaryPressure(), assertions(days, rate, Random(1)), days, unit="AF-KHO")
        told(f"S6 {rate} assertions or denials a day", found, days, began)


if __name__ == "__main__":
    main()
