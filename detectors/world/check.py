"""What is wrong with the registries of the world: nothing, or the release is not fit to ship.

A registry joins with one line in `CHECKS`: a function that reads its tables as they stand and
returns their problems.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from detectors.world import check_places
from detectors.world.actors import check as actors
from detectors.world.commitments import check as commitments
from detectors.world.families import check as families
from detectors.world.problem import Problem

#: Every registry's check, by its name.
CHECKS: Final[dict[str, Callable[[], list[Problem]]]] = {
    "actors": actors.problems,
    "commitments": commitments.problems,
    "families": families.problems,
    "places": check_places.problems,
}


def problems() -> list[Problem]:
    """Return what is wrong with any registry, in the order of `CHECKS`."""
    return [problem for check in CHECKS.values() for problem in check()]
