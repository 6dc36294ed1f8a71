"""STIX 2.1 (OASIS, June 2021): a bundle with a Report for each alert and the Locations it is about.

All ids are deterministic. A Report is one object in many versions: `created` is when the alert was
opened, `modified` the time of the revision; one of a retracted alert is revoked.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from detectors.records import Alert
from detectors.world.units import AREAS, UNITS, name_of
from streams.sinks.documents import (
    DocumentInfo,
    DocumentSink,
    Format,
    areas_of,
    latest,
    uuid_of,
)
from streams.sinks.links import page_of
from streams.wording import DISCLAIMER, details, headline

CONTENT_TYPE: Final = "application/stix+json;version=2.1"
#: When the Identity and the Locations came to be described as they are below; to be moved on when
#: that changes, for a reader takes what has the same time as the same.
DESCRIBED_AT: Final = datetime(2026, 11, 25, tzinfo=UTC)
#: ISO 3166-1 alpha-2, which STIX wants, of the states that units lie in or concern.
_ALPHA_2: Final = {"AFG": "AF", "PAK": "PK", "IND": "IN", "IRN": "IR", "USA": "US"}


def render(alerts: Iterable[Alert], info: DocumentInfo) -> bytes:
    """Write alerts as a STIX bundle, the ones changed last first.

    Everything is marked TLP:WHITE: whoever can reach the document may read it.
    """
    import stix2  # type: ignore[import-untyped]  # here, for it takes 0.3 s that others need not wait

    shown = latest(alerts)
    white = stix2.TLP_WHITE
    common = {"object_marking_refs": [white.id], "lang": "en"}
    us = stix2.Identity(**_identity(info), **common)
    common["created_by_ref"] = us.id
    about = {alert.unit: _subjects(alert.unit, info) for alert in shown}
    subjects = {each["id"]: each for found in about.values() for each in found}
    kinds = {"location": stix2.Location, "identity": stix2.Identity}
    objects = [kinds[each["type"]](**each, **common) for _, each in sorted(subjects.items())]
    for alert in shown:
        refs = [each["id"] for each in about[alert.unit]] or [us.id]
        objects.append(stix2.Report(**_report(alert, info), object_refs=refs, **common))
    bundle = stix2.Bundle(
        white, us, *objects, id=f"bundle--{uuid_of(info, 'stix/bundle', info.name)}"
    )
    text: str = bundle.serialize(indent=1, sort_keys=True, ensure_ascii=False)
    return text.encode()


def _identity(info: DocumentInfo) -> dict[str, Any]:
    return {
        "id": f"identity--{uuid_of(info, 'stix/identity', 'tocsin')}",
        "created": DESCRIBED_AT,
        "modified": DESCRIBED_AT,
        "name": "Tocsin",
        "description": DISCLAIMER,
        "identity_class": "system",
    }


def _subjects(unit: str, info: DocumentInfo) -> list[dict[str, Any]]:
    """Return what alerts of a unit are about: places, a group, or nothing where it is unknown."""
    known = UNITS.get(unit)
    if known and known.kind == "actor":
        return [
            _described("identity", unit, info) | {"name": known.name, "identity_class": "group"}
        ]
    return [_described("location", code, info) | _place(code) for code in areas_of(unit)]


def _described(kind: str, code: str, info: DocumentInfo) -> dict[str, Any]:
    id = f"{kind}--{uuid_of(info, f'stix/{kind}', code)}"
    return {"type": kind, "id": id, "created": DESCRIBED_AT, "modified": DESCRIBED_AT}


def _place(code: str) -> dict[str, Any]:
    area = AREAS.get(code)
    place = {"country": _ALPHA_2[area.country if area else code]}
    if area:
        place["name"] = name_of(code)
    if area and not area.is_country:
        place["administrative_area"] = code
    return place


def _report(alert: Alert, info: DocumentInfo) -> dict[str, Any]:
    origin = {"source_name": "tocsin", "external_id": alert.id}
    if page := page_of(alert.id, info.console_url):
        origin["url"] = page
    return {
        "id": f"report--{uuid_of(info, 'stix/report', alert.id)}",
        "created": alert.opened_at,
        "modified": max(alert.at, alert.opened_at),
        "name": headline(alert),
        "description": details(alert),
        "report_types": ["threat-report"],
        "published": alert.opened_at,
        "labels": [alert.signal, alert.direction, alert.severity, alert.state],
        "external_references": [origin],
        "revoked": alert.state == "retracted",
    }


class StixSink(DocumentSink):
    """Keeps a STIX bundle for each subscription."""

    name: ClassVar[str] = "stix"
    form: ClassVar[Format] = Format(extension="stix.json", content_type=CONTENT_TYPE, render=render)
