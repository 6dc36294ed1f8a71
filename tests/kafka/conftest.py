"""What the tests of the whole line share: the scenario, and what it comes to in process."""

from __future__ import annotations

import pytest

from detectors.records import Report
from tests.kafka import line


@pytest.fixture(scope="session")
def reports() -> list[Report]:
    """The reports of the bundled scenario."""
    return line.scenario()


@pytest.fixture(scope="session")
def expected(reports: list[Report]) -> line.Revisions:
    """The alert revisions that they come to in process."""
    found = line.inline(reports)
    assert len(found) > 12
    return found
