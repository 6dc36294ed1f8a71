"""Worlds with known truth: counts, and the reports that tell of them, as functions of a seed."""

from streams.simulator.arrivals import Arrivals, Tellings
from streams.simulator.spec import Episode, Kind, Outage, Spec, unit_names
from streams.simulator.world import About, Truth, UnitTruth, World

__all__ = [
    "About",
    "Arrivals",
    "Episode",
    "Kind",
    "Outage",
    "Spec",
    "Tellings",
    "Truth",
    "UnitTruth",
    "World",
    "unit_names",
]
