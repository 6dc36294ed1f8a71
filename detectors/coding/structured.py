"""Structured incident records: mapped to an event as they stand, with no reading of prose."""

from __future__ import annotations

from typing import Final

from detectors.coding.actors import coded
from detectors.coding.markup import quotable
from detectors.coding.places import COUNTRIES
from detectors.records import IncidentRecord, Place
from detectors.world.units import AREAS

_LONGEST_NAME: Final = 200  # characters


def place_of(record: IncidentRecord) -> Place | None:
    """Return the record's place where it lies in a monitored country, else None.

    An admin1 code that is not in the table of units is dropped, and the country kept: codes go out
    of use (PK-TA), and an event must never be counted in a unit that is not watched.
    """
    name = quotable(record.place or "", _LONGEST_NAME)
    unit = AREAS.get(record.admin1 or "")
    country = unit.country if unit else record.country
    if country not in COUNTRIES:
        return None
    if unit is None or unit.is_country:
        return Place(name or COUNTRIES[country], "country", country)
    return Place(name or unit.name, record.precision or "admin1", country, unit.code)


def actors_of(record: IncidentRecord) -> tuple[str, ...]:
    """Return the registry ids of the record's actors on the record's last day."""
    return coded(record.actors, record.country, record.occurred.end)
