"""What the tests of the whole line share: the scenario, and what it comes to in process."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from detectors.records import Report
from tests.kafka import line

UNTIL: Final = datetime(2020, 2, 26, tzinfo=UTC)


@pytest.fixture(scope="session")
def reports() -> list[Report]:
    """The reports of the bundled scenario, until some days into the reduction in violence."""
    return [report for report in line.scenario() if report.seen_at < UNTIL]


@pytest.fixture(scope="session")
def expected(reports: list[Report]) -> line.Revisions:
    """The alert revisions that they come to in process."""
    found = line.inline(reports)
    assert len(found) > 12
    return found
