"""What happened in a scenario: one line for each incident, as data.

`facts.csv` is derived from the UCDP Georeferenced Event Dataset (`derive_facts.py`), and
`invented_pakistan.csv` is invented to monthly totals (`invent_pakistan.py`). Both have the
columns `COLUMNS`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from io import StringIO
from typing import Final, Literal

from msgspec import Struct, convert

#: The columns of a table of facts, in their order.
COLUMNS: Final = (
    "incident", "day_start", "day_end", "admin1", "place", "place_kind", "side_a", "side_b",
    "violence", "low", "best", "high", "civilians", "sources", "delay_days", "invented",
)  # fmt: skip


class Fact(Struct, frozen=True):
    """One incident: when, where, who, how many died, and how soon it became known.

    Side codes: GOV the state, TB Taliban, HC a Taliban splinter council, IS Islamic State, CIV
    civilians, TTP Pakistani Taliban, BLA Baloch armed groups. Kinds of violence are UCDP's:
    1 state-based, 3 one-sided. Deaths satisfy low <= best <= high.
    """

    incident: int
    day_start: date
    day_end: date
    admin1: str | None  # ISO 3166-2; None when the country is all that is known
    place: str | None  # a district or town by its usual English name
    place_kind: Literal["district", "town"] | None
    side_a: str
    side_b: str
    violence: Literal[1, 3]
    low: int
    best: int
    high: int
    civilians: int
    sources: int  # independent sources that reported it
    delay_days: int | None  # from day_start to the first source; None when it was not measured
    invented: bool

    @property
    def country(self) -> str:
        """The ISO 3166-1 alpha-3 code of the country the incident happened in."""
        return "PAK" if (self.admin1 or "").startswith("PK-") else "AFG"


def folder(name: str) -> Traversable:
    """Return the folder of the scenario's data, packaged beside this module."""
    return resources.files(__package__).joinpath(name)


@cache
def rows(name: str, table: str) -> tuple[dict[str, str], ...]:
    """Read a packaged CSV table of a scenario, one dictionary for each line."""
    text = folder(name).joinpath(table).read_text(encoding="utf-8")
    return tuple(csv.DictReader(StringIO(text)))


@cache
def read(name: str, table: str) -> tuple[Fact, ...]:
    """Read a packaged table of facts in the order of its incident numbers."""
    return tuple(
        convert(
            {k: (v or None) for k, v in row.items()} | {"invented": row["invented"] == "yes"},
            Fact,
            strict=False,
        )
        for row in rows(name, table)
    )


def to_csv(facts: Iterable[Fact]) -> str:
    """Return the facts as CSV text with a heading; a missing value is an empty field."""
    out = StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for fact in facts:
        values = {c: getattr(fact, c) for c in COLUMNS}
        values["invented"] = "yes" if fact.invented else "no"
        table.writerow("" if values[c] is None else values[c] for c in COLUMNS)
    return out.getvalue()
