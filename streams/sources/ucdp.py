"""UCDP GED and UCDP Candidate files: one report, with a structured record, for each event.

Georeferenced Event Dataset and Candidate Events Dataset, CC BY 4.0: Sundberg & Melander 2013,
"Introducing the UCDP Georeferenced Event Dataset", Journal of Peace Research 50(4); Davies,
Pettersson & Öberg 2023, "Organized violence 1989-2022", Journal of Peace Research 60(4).

Headlines, notes and descriptions are not carried, since they may name persons; a title is made
of the fields instead. Places finer than a town are given by their district.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from detectors.records import Casualties, IncidentRecord, Interval, Precision, Report
from detectors.world.units import name_of
from streams.sources.base import (
    Reject,
    RowError,
    SourceError,
    clip,
    stable_id,
    validated,
)
from streams.sources.config import Runtime, SourceConfig
from streams.sources.fetch import Validators
from streams.sources.files import lines
from streams.sources.mapping import casualties, count_of, day_of, identity, interval, known_at
from streams.sources.polling import Found, PollingSource, Position
from streams.sources.tables import TableRow, table_rows
from streams.sources.ucdp_places import COUNTRIES, admin1_of

#: The published order of the columns, for files that come without a header.
COLUMNS: Final = (
    "id", "relid", "year", "active_year", "code_status", "type_of_violence",
    "conflict_dset_id", "conflict_new_id", "conflict_name", "dyad_dset_id", "dyad_new_id",
    "dyad_name", "side_a_dset_id", "side_a_new_id", "side_a", "side_b_dset_id",
    "side_b_new_id", "side_b", "number_of_sources", "source_article", "source_office",
    "source_date", "source_headline", "source_original", "where_prec", "where_coordinates",
    "where_description", "adm_1", "adm_2", "latitude", "longitude", "geom_wkt", "priogrid_gid",
    "country", "country_id", "region", "event_clarity", "date_prec", "date_start", "date_end",
    "deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown", "best", "high", "low",
    "gwnoa", "gwnob",
)  # fmt: skip
_NEEDED: Final = frozenset({
    "id", "type_of_violence", "country", "where_prec", "date_start", "date_end", "best", "high",
    "low", "side_a", "side_b",
})  # fmt: skip
_PUBLISHER: Final = "UCDP"
#: GED codebook, `where_prec`: 1 exact, 2 within 25 km, 3 second and 4 first order division,
#: 5 a line or an area without borders, 6 the country, 7 international waters or airspace.
_PRECISION: Final[Mapping[str, Precision]] = {
    "1": "town", "2": "town", "3": "district", "4": "admin1", "5": "admin1", "6": "country",
    "7": "country",
}  # fmt: skip
_VIOLENCE: Final = {
    "1": "State-based conflict",
    "2": "Non-state conflict",
    "3": "One-sided violence",
}
_FINER_THAN_TOWN: Final = re.compile(
    r"\b(airbase|airport|area|base|bazaar|bridge|camp|checkpoint|crossing|dam|highway|hill|hospital"
    r"|locality|madrassa|market|mosque|mountain|neighbou?rhood|outpost|pass|prison|ridge|road"
    r"|school|stream|suburb|university)\b",
    re.IGNORECASE,
)
_ACCOUNT: Final = re.compile(r"@|twitter|facebook|telegram|youtube|\(x\)", re.IGNORECASE)
#: UCDP tells some factions apart by who led them; Tocsin names organisations only.
_LEADER: Final = re.compile(r"\s*\((?:forces|faction) of [^)]*\)|^forces of .*$", re.IGNORECASE)


class UcdpSource(PollingSource):
    """A GED or Candidate file, on disk or on the web, that is replaced by newer releases.

    Attributes:
        counts: Since the start: rows of `other_country`, reports with `unknown_admin1`, and
            reports whose range was mended (`mended_range`).
    """

    def __init__(self, config: SourceConfig, runtime: Runtime) -> None:
        """Check that the configuration names a file or an address.

        Raises:
            SourceConfigError: Neither or both are given, or a key means nothing to UCDP.
        """
        config.require("url|path", allowed=("vintage",))
        super().__init__(config, runtime)
        self.counts: Counter[str] = Counter()
        self._is_well = True

    def read(self, path: Path) -> Iterator[Report | Reject]:
        """Yield what a file holds, in its order; rows of other countries are counted only.

        `seen_at` is the release day where `vintage` is set. Else it follows the first listed
        source's day (see `streams.sources.mapping.known_at`): the news is replayed, not the
        data set.

        Raises:
            SourceError: The file cannot be read, or is no UCDP file (`not_ucdp`).
        """
        try:
            with path.open("rb") as handle:
                yield from self._items(handle, None)
        except OSError as error:
            raise SourceError("file_unreadable", detail=str(error)) from error

    async def _find(self, position: Position) -> Found:
        known = dict(position) if self._is_well else {}
        self._is_well = False
        if self._config.url is not None:
            found = await self._fetch(self._config.url, known)
        else:
            path = self._config.path or Path()
            found = await asyncio.to_thread(self._open, path, known)
        self._is_well = True
        return found

    async def _fetch(self, url: str, known: Position) -> Found:
        validators = Validators.from_position(known, url)
        fetched = await self._runtime.fetcher.get(url, validators)
        if fetched.status == "unchanged":
            return Found((), known, is_unchanged=True)
        now = self._runtime.clock()
        items = await asyncio.to_thread(lambda: [*self._items(io.BytesIO(fetched.body), now)])
        return Found(items, fetched.validators.to_position(url))

    def _open(self, path: Path, known: Position) -> Found:
        try:
            state = path.stat()
            position: Position = {"size": state.st_size, "modified": state.st_mtime_ns}
            if position == known:
                return Found((), known, is_unchanged=True)
            with path.open("rb") as handle:
                return Found([*self._items(handle, self._runtime.clock())], position)
        except OSError as error:
            raise SourceError("file_unreadable", detail=str(error)) from error

    def _items(self, handle: BinaryIO, now: datetime | None) -> Iterator[Report | Reject]:
        rows = table_rows(lines(handle, 1, is_final=True))
        first = next(rows, None)
        if first is None:
            raise SourceError("not_ucdp", detail="the file is empty")
        columns = _columns(first)
        if columns is None:
            columns = COLUMNS
            yield from self._item(first, columns, now)
        for row in rows:
            yield from self._item(row, columns, now)

    def _item(
        self, row: TableRow, columns: tuple[str, ...], now: datetime | None
    ) -> Iterator[Report | Reject]:
        if row.fault is not None:
            yield row.fault
            return
        if len(row.cells) != len(columns):
            yield row.refuse("wrong_columns", f"{len(row.cells)} cells, {len(columns)} columns")
            return
        cells = {name: cell.strip() for name, cell in zip(columns, row.cells, strict=True)}
        country = COUNTRIES.get(cells["country"].lower())
        if country is None:
            self.counts["other_country"] += 1
            return
        try:
            yield self._report(cells, country, now)
        except RowError as error:
            yield row.refuse(error.reason, error.detail)

    def _report(self, cells: Mapping[str, str], country: str, now: datetime | None) -> Report:
        if cells["type_of_violence"] not in _VIOLENCE:
            raise RowError("bad_value", f"type_of_violence: {cells['type_of_violence']!r}")
        record = self._record(cells, country)
        title = _title(cells["type_of_violence"], record)
        return validated(
            Report(
                id=stable_id(self.name, cells["id"], identity(record)),
                source=self.name,
                seen_at=now or self._replayed(cells, record.occurred),
                title=clip(title, "title"),
                publisher=_office(cells) or self._config.publisher or _PUBLISHER,
                language="en",
                record=record,
            )
        )

    def _record(self, cells: Mapping[str, str], country: str) -> IncidentRecord:
        stated = _PRECISION.get(cells["where_prec"])
        if stated is None:
            raise RowError("bad_value", f"where_prec: {cells['where_prec']!r}")
        admin1 = None if stated == "country" else self._admin1(cells, country)
        place, precision = _place(cells, stated, admin1)
        best, low, high = (count_of(cells[name], name) for name in ("best", "low", "high"))
        self.counts["mended_range"] += not low <= best <= high
        civilians = cells.get("deaths_civilians")
        of_civilians = count_of(civilians, "deaths_civilians") if civilians else None
        sides = (_LEADER.sub("", cells[side]).strip() for side in ("side_a", "side_b"))
        return IncidentRecord(
            event="ASSAULT",
            occurred=interval(day_of(cells["date_start"]), day_of(cells["date_end"])),
            country=country,
            admin1=admin1,
            place=place,
            precision=precision,
            actors=tuple(side for side in sides if side and side.lower() != "civilians"),
            killed=casualties(low, best, high),
            civilians_killed=_exactly(of_civilians),
        )

    def _admin1(self, cells: Mapping[str, str], country: str) -> str | None:
        name = cells.get("adm_1", "")
        code = admin1_of(name, country)
        self.counts["unknown_admin1"] += bool(name) and code is None
        return code

    def _replayed(self, cells: Mapping[str, str], occurred: Interval) -> datetime:
        if self._config.vintage is not None:
            return known_at(self._config.vintage, occurred)
        days = [part.strip() for part in cells.get("source_date", "").split(";") if part.strip()]
        if not days:
            raise RowError("missing_time", "no source_date says when the event was first reported")
        return known_at(min(map(day_of, days)), occurred)


def _columns(first: TableRow) -> tuple[str, ...] | None:
    """Return the columns a header names, or None where the first row is already an event."""
    if first.fault is not None:
        raise SourceError("not_ucdp", detail=first.fault.detail)
    names = tuple(cell.strip().lower() for cell in first.cells)
    if {"date_start", "type_of_violence"} <= set(names):
        if missing := _NEEDED - set(names):
            raise SourceError("not_ucdp", detail=f"no column {', '.join(sorted(missing))}")
        return names
    if len(first.cells) != len(COLUMNS):
        raise SourceError("not_ucdp", detail=f"{len(first.cells)} columns and no header")
    cells = dict(zip(COLUMNS, names, strict=True))
    try:
        count_of(cells["id"], "id")
        count_of(cells["best"], "best")
        day_of(cells["date_start"])
        day_of(cells["date_end"])
    except RowError as error:
        raise SourceError("not_ucdp", detail=f"no header, and {error}") from error
    return None


def _place(
    cells: Mapping[str, str], stated: Precision, admin1: str | None
) -> tuple[str | None, Precision]:
    """Return the place's name, never finer than a town, and how precise it is."""
    named, district = cells.get("where_coordinates", ""), cells.get("adm_2", "")
    if stated == "town" and named and not _FINER_THAN_TOWN.search(named):
        return named, "town"
    if stated in {"town", "district"} and (district or stated == "district"):
        name = district if stated == "town" else named or district
        return name or None, "district"
    return None, "admin1" if admin1 is not None and stated != "country" else "country"


def _title(violence: str, record: IncidentRecord) -> str:
    joint = " by " if violence == "3" else " between "
    sides = joint + " and ".join(record.actors) if record.actors else ""
    areas = (record.place, record.admin1 and name_of(record.admin1), record.country)
    where = ", ".join(name_of(area) if area == record.country else area for area in areas if area)
    days = record.occurred
    when = f"{days.start}" if days.start == days.end else f"{days.start} to {days.end}"
    killed = record.killed
    toll = f"{killed.best} killed (at least {killed.low}, at most {killed.high})" if killed else ""
    return f"{_VIOLENCE[violence]}{sides} in {where}, {when}: {toll}"


def _office(cells: Mapping[str, str]) -> str | None:
    """Return the first listed outlet; accounts on social media are persons as often as not."""
    for office in cells.get("source_office", "").split(";"):
        name = clip(office, "title")[:200]
        if name and not _ACCOUNT.search(name):
            return name
    return None


def _exactly(number: int | None) -> Casualties | None:
    return None if number is None else Casualties(number, number, number)
