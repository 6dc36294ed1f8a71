"""The packaged tables: the only files that the core reads."""

from __future__ import annotations

import csv
from datetime import date
from importlib import resources


def rows(package: str, table: str) -> list[dict[str, str]]:
    """Return the rows of a packaged CSV file as they stand."""
    text = resources.files(package).joinpath(table).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def day_in(cell: str) -> date | None:
    """Return the day of a cell; None where it is empty, which leaves the day open.

    Raises:
        ValueError: It is no ISO 8601 date.
    """
    return date.fromisoformat(cell) if cell else None
