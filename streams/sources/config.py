"""How a source is configured, and what it is given to work with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from streams.sources.base import Clock
from streams.sources.fetch import Fetcher
from streams.sources.mapping import FieldMapping

#: BCP 47, the parts that feeds use: language, script, region.
_LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?$"


class SourceConfigError(ValueError):
    """A source is configured in a way that cannot work."""


class SourceConfig(BaseModel):
    """One source as the operator states it. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    """A key of `SOURCES`."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    """The source id: in every report, heartbeat, metric and cursor file."""
    url: str | None = None
    """Where the feed is fetched (http or https)."""
    path: Path | None = None
    """Where the file lies, for file sources."""
    interval: Annotated[float, Field(gt=0)] = 300.0
    """Seconds between two polls."""
    mapping: FieldMapping | None = None
    """How foreign rows become reports (`jsonl`, `csv`)."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    """What stands between the cells (`csv`)."""
    publisher: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """The outlet, where items do not name one."""
    language: Annotated[str, Field(pattern=_LANGUAGE)] | None = None
    """BCP 47; overrides what the feed declares, which is often a software's default."""
    vintage: date | None = None
    """The day on which the data set was released (`ucdp`): replays then know it only from then."""

    def require(self, *needed: str, allowed: tuple[str, ...] = ()) -> None:
        """Check which of the optional keys are set.

        Args:
            *needed: Keys that the kind cannot do without; `a|b` needs exactly one of the two.
            allowed: Keys that it may have besides.

        Raises:
            SourceConfigError: A key is missing, or is set and means nothing to this kind.
        """
        given = {key for key in self.model_fields_set if getattr(self, key) is not None}
        known = set(allowed)
        for choice in needed:
            keys = choice.split("|")
            known.update(keys)
            if sum(key in given for key in keys) != 1:
                words = f"exactly one of {' and '.join(keys)}" if len(keys) > 1 else choice
                raise SourceConfigError(f"source {self.name!r}: {self.kind} needs {words}")
        general = {"kind", "name", "interval", "publisher", "language"}
        if useless := given - general - known:
            named = ", ".join(sorted(useless))
            raise SourceConfigError(f"source {self.name!r}: {self.kind} takes no {named}")


@dataclass(frozen=True, slots=True)
class Runtime:
    """What every source is given: the clock, the HTTP client, and a folder for its cursor."""

    clock: Clock
    fetcher: Fetcher
    state: Path
