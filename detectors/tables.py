"""The packaged tables: the only files that the core reads."""

from __future__ import annotations

import csv
from importlib import resources


def rows(package: str, table: str) -> list[dict[str, str]]:
    """Return the rows of a packaged CSV file as they stand."""
    text = resources.files(package).joinpath(table).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
