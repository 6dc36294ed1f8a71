"""UCDP's names of provinces, as they were spelt over the years."""

from __future__ import annotations

import pytest

from detectors.world.units import Unit, of_kind
from streams.sources.ucdp_places import admin1_of


@pytest.mark.parametrize("unit", of_kind("admin1"))
@pytest.mark.parametrize("form", ["{}", "{} province", "{} Province"])
def test_every_unit_is_found_by_its_own_name(unit: Unit, form: str) -> None:
    assert admin1_of(form.format(unit.name), unit.country) == unit.code


@pytest.mark.parametrize(
    ("name", "country", "code"),
    [
        ("Ghōr province", "AFG", "AF-GHO"),
        ("Sari Pul province", "AFG", "AF-SAR"),
        ("Sar-i Pul", "AFG", "AF-SAR"),
        ("Wardak province", "AFG", "AF-WAR"),
        ("Khyber Pakhtunkwa province", "PAK", "PK-KP"),
        ("North-West Frontier Province", "PAK", "PK-KP"),
        ("N.W.F.P.", "PAK", "PK-KP"),
        ("FATA", "PAK", "PK-KP"),
        ("Sind province", "PAK", "PK-SD"),
        ("Punjab", "AFG", None),
        ("province", "AFG", None),
        ("", "PAK", None),
    ],
)
def test_spellings_of_provinces(name: str, country: str, code: str | None) -> None:
    assert admin1_of(name, country) == code
