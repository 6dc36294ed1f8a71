"""What tests of documents share: what a document says of itself, and alerts in all their states."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from detectors.records import Alert, Outcome
from streams.sinks.documents import DocumentInfo
from tests.alert_records import alert
from tests.struct_strategies import records

GOLDEN = Path(__file__).resolve().parent / "golden"
OUTCOME = Outcome("HIT", datetime(2026, 4, 20, tzinfo=UTC), 31, "31 incidents, at least 20 claimed")
#: Alerts in several states, and one in two revisions.
STORY = [
    alert(1, 0),
    alert(1, 1, state="acknowledged", acknowledged_by="desk", note="seen"),
    alert(2, 0, unit="PK-KP", severity="critical"),
    alert(3, 0, state="frozen", coverage="dark", coverage_share=0.0, observed=None, expected=None),
    alert(4, 3, state="resolved", severity="watch", outcome=OUTCOME, evidence=()),
]
#: One alert as it may go on: every state is in it.
LIFE = [
    alert(1, 0),
    alert(1, 1, state="acknowledged", acknowledged_by="desk"),
    alert(1, 2, state="frozen", coverage="dark", coverage_share=0.1, observed=None),
    alert(1, 3, severity="critical", changed="coverage is back"),
    alert(1, 4, state="resolved", changed="as usual for 7 days"),
    alert(1, 5, state="expired", changed="open for too long"),
    alert(1, 6, state="retracted", changed="the reports were of another place"),
]
#: Units of every kind, and what is none.
UNITS = (
    "AF-KAN", "AFG", "AF-NAN~PK-KP", "IND~PAK", "AFG~USA", "AFG~IRN", "ttp", "unplaced", "XX-1",
)  # fmt: skip


def info(**changes: Any) -> DocumentInfo:
    known: dict[str, Any] = {
        "source": "https://tocsin.example/",
        "name": "all",
        "self_url": "https://tocsin.example/feeds/all.atom",
        "console_url": "https://tocsin.example/",
        "empty_since": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return DocumentInfo(**(known | changes))


def any_alerts() -> st.SearchStrategy[list[Alert]]:
    """Return a strategy for alerts with anything in their fields, and units that there are."""
    odd = records(Alert)
    usual = st.builds(alert, st.integers(1, 60), st.integers(0, 9), unit=st.sampled_from(UNITS))
    # A revision is written once: two that differ do not have one number.
    return st.lists(st.one_of(odd, usual), max_size=3, unique_by=lambda a: (a.id, a.revision))


def golden(name: str, document: bytes) -> bytes:
    """Return a golden file; with UPDATE_GOLDEN set it is first replaced by the document."""
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_bytes(document)
    return file.read_bytes()


def last(alerts: Sequence[Alert]) -> dict[str, Alert]:
    """Return the last revision of each alert, by its id, in an independent way."""
    return {each.id: each for each in sorted(alerts, key=lambda each: each.revision)}
