"""The values that travel: one frozen struct for each record of each topic.

Every struct is tagged `name.vN` on the wire (`"type": "report.v1"`), refuses unknown fields, and
exports its JSON Schema (`streams/codecs.py`). Times are UTC datetimes with a zone; days are
calendar dates as the report meant them. A missing value is `None`, never zero.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

Instant = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Identifier = Annotated[str, Meta(min_length=1, max_length=200)]

Coverage = Literal["ok", "thin", "dark"]
Severity = Literal["watch", "warning", "critical"]
Direction = Literal["rise", "fall"]
AlertState = Literal["open", "acknowledged", "frozen", "resolved", "expired", "retracted"]
#: What an analyst may do.
Action = Literal[
    "acknowledge", "unacknowledge", "assign", "note", "dispute", "silence", "unsilence", "retract",
]  # fmt: skip
Precision = Literal["town", "district", "admin1", "country"]
Auxiliary = Literal["historical", "future", "hypothetical", "negated"]
#: PLOVER event types (Open Event Data Alliance, 2021); the coder answers a subset.
EventType = Literal[
    "AGREE", "CONSULT", "SUPPORT", "COOPERATE", "AID", "CONCEDE", "RETREAT", "REQUEST", "ACCUSE",
    "REJECT", "THREATEN", "PROTEST", "SANCTION", "MOBILIZE", "COERCE", "ASSAULT",
]  # fmt: skip
#: What a report says of an event that somebody else told: it is claimed as one's own, answered with
#: another account, confirmed, denied, or taken back by who told it.
Statement = Literal["claim", "counter-claim", "confirmation", "denial", "retraction"]
#: On which side who speaks stands; "independent" is everybody who is on none.
Voice = Literal[
    "afg-authorities", "pak-authorities", "foreign-authorities", "militant", "un", "independent",
]  # fmt: skip
#: Whom a report counts among the killed.
Victims = Literal["civilians", "security-forces", "militants"]

UNPLACED = "unplaced"


class Record(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="type"):
    """What every record on a topic has in common: a tag with its version, and no surprises."""


class Value(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a record."""


class Casualties(Value, frozen=True):
    """A number of people, as a range: what was said at least, best, and at most."""

    low: Count
    best: Count
    high: Count


class Interval(Value, frozen=True):
    """The days, first and last included, within which something occurred."""

    start: date
    end: date


class Place(Value, frozen=True):
    """Where an event was located, and how precisely. Never finer than a town."""

    name: str
    precision: Precision
    country: str  # ISO 3166-1 alpha-3
    admin1: str | None = None  # ISO 3166-2; None when the country is all that is known


class IncidentRecord(Value, frozen=True):
    """What a structured source (an incident data set) states outright, instead of prose."""

    event: EventType
    occurred: Interval
    country: str | None = None  # ISO 3166-1 alpha-3
    admin1: str | None = None  # ISO 3166-2
    place: str | None = None
    precision: Precision | None = None
    actors: tuple[str, ...] = ()  # the source's own names, coded by the registry
    killed: Casualties | None = None
    injured: Casualties | None = None
    civilians_killed: Casualties | None = None
    mode: str | None = None  # PLOVER mode
    contexts: tuple[str, ...] = ()  # PLOVER contexts, sorted (`detectors/coding/contexts.csv`)
    themes: tuple[str, ...] = ()  # sorted (`detectors/coding/themes.csv`)


class Report(Record, frozen=True, tag="report.v1"):
    """One item from one source. `id` is a function of the source and the item's content."""

    id: Identifier
    source: Identifier
    seen_at: Instant  # when Tocsin first had it: stream time
    title: Annotated[str, Meta(max_length=2_000)]
    text: Annotated[str, Meta(max_length=200_000)] = ""
    publisher: str | None = None  # the outlet, where the source carries several
    url: str | None = None
    published_at: Instant | None = None  # what the outlet claims: evidence, never the clock
    language: str | None = None  # declared by the source, BCP 47
    record: IncidentRecord | None = None


class Heartbeat(Record, frozen=True, tag="heartbeat.v1"):
    """A source was polled: it answered, or failed with `error`. It may have had nothing new."""

    source: Identifier
    seen_at: Instant
    error: str | None = None


class SourceHealth(Record, frozen=True, tag="source-health.v1"):
    """How much of what a source usually carries was seen up to `at` (the end of a coarse step)."""

    source: Identifier
    at: Instant
    state: Coverage
    share: Share  # seen / expected, 1 when the source is as usual
    seen: Count  # reports in the trailing window
    expected: float  # reports expected in the trailing window
    publisher: str | None = None  # the publisher family, where one source carries several
    language: str | None = None  # the language, where one publisher writes in several
    reason: str = ""


class Volume(Value, frozen=True):
    """How many reports of violence in a country one coarse step brought, that ended at `at`."""

    country: str  # ISO 3166-1 alpha-3
    at: Instant
    reports: Count


class Tick(Record, frozen=True, tag="tick.v1"):
    """Stream time has reached `time` in partition `partition` of the `of` partitions upstream.

    A watermark: all records of that partition with an earlier time came before this tick.
    `sources` carries the health of that partition's sources at each coarse step that has ended,
    `volumes` how much its sources told of each country.
    """

    partition: Count
    of: Annotated[int, Meta(ge=1)]
    time: Instant
    sources: tuple[SourceHealth, ...] = ()
    volumes: tuple[Volume, ...] = ()


class Event(Record, frozen=True, tag="event.v1"):
    """What one report says happened, for one unit that it counts for."""

    id: Identifier  # report id, "/", number within the report: the same for every unit
    unit: str  # the unit this copy is for; UNPLACED when nothing could be said
    report: Identifier
    source: Identifier
    publisher: str  # publisher family: the witness
    seen_at: Instant
    event: EventType
    occurred: Interval | None  # None: there is no day that can be relied on
    place: Place | None
    mode: str | None = None  # PLOVER mode
    actors: tuple[str, ...] = ()  # registry ids, sorted
    killed: Casualties | None = None
    injured: Casualties | None = None
    civilians_killed: Casualties | None = None
    auxiliary: tuple[Auxiliary, ...] = ()
    language: str | None = None
    title: str = ""
    url: str | None = None
    quote: str = ""  # a short quotation, for the evidence
    risen: bool = False  # the report says that `killed` replaces an earlier, lower number
    dated_by: Literal["text", "publication"] = "text"  # by what `occurred` is known
    victims: tuple[Victims, ...] = ()  # who the killed were, sorted; empty where it is not told
    killed_also: tuple[Count, ...] = ()  # other numbers told: an earlier one, another side's
    statement: Statement | None = None
    voices: tuple[Voice, ...] = ()  # who is cited as saying so, sorted
    contexts: tuple[str, ...] = ()  # PLOVER contexts, sorted (`detectors/coding/contexts.csv`)
    wire: str | None = None  # the publisher family that the text credits: this is its reprint
    sketch: str = ""  # of the text, to know a reprint by (`detectors/coding/sketch.py`)
    themes: tuple[str, ...] = ()  # what is watched for beyond PLOVER, sorted (`themes.csv`)
    countries: tuple[str, ...] = ()  # states named beside it, ISO 3166-1 alpha-3, sorted


class IncidentRef(Value, frozen=True):
    """An incident as evidence: what was known of it when the score was made."""

    id: str
    day: date
    place: str
    killed: Casualties | None
    publishers: tuple[str, ...]  # independent witnesses, sorted
    events: tuple[str, ...]  # event ids, sorted; of very many reports some
    reports: Count = 0  # how many there are; 0 where it was not counted
    voices: tuple[Voice, ...] = ()  # the sides cited, sorted
    statements: tuple[Statement, ...] = ()  # claims, denials and the like, sorted
    absorbed: tuple[str, ...] = ()  # incidents that turned out to be this one
    parted: tuple[str, ...] = ()  # incidents with which it exchanged reports
    event: EventType = "ASSAULT"
    themes: tuple[str, ...] = ()  # sorted


class Resolver(Value, frozen=True):
    """How a claim is settled: sum an indicator of `unit` over the days, at `settle_at`."""

    indicator: Identifier  # what a signal counts by days: `violent_incidents` and others
    unit: str
    first_day: date
    last_day: date
    comparison: Literal["at_least", "at_most"]
    count: Count
    settle_at: Instant  # after the usual reporting delay


class Claim(Value, frozen=True):
    """What an alert says will prove true, with its probability, before the outcome is known."""

    statement: str
    probability: Share
    base_rate: Share  # the same claim's probability without the signal
    horizon_days: Count
    resolver: Resolver


class Part(Value, frozen=True):
    """What one signal adds to the evidence on a unit."""

    signal: str
    strength: float  # nats
    observed: Count | None
    expected: float | None
    reason: str


class Factor(Value, frozen=True):
    """What one input adds to an index, in log odds."""

    name: str
    value: float
    log_odds: float


class Index(Value, frozen=True):
    """How likely a unit is to see an escalation in the next days, against its own history."""

    probability: Share
    low: Share  # of a 90 % interval
    high: Share
    horizon_days: Count
    model: str  # the trained model's id, or "untrained"
    factors: tuple[Factor, ...]  # the largest first


class Score(Record, frozen=True, tag="score.v1"):
    """A signal's output for one unit at one step. `p` is None while unknown or learning.

    The score of `S0` sums up a unit: its `parts` are the signals that add to it.
    """

    id: Identifier  # signal/direction/unit/time
    signal: str
    version: int
    unit: str
    direction: Direction
    at: Instant
    state: Literal["scored", "learning", "unknown"]
    coverage: Coverage
    coverage_share: Share
    p: Share | None = None  # chance of a window at least this unusual were all as before
    observed: Count | None = None
    expected: float | None = None
    window_days: Count | None = None
    reason: str = ""
    claim: Claim | None = None
    evidence: tuple[IncidentRef, ...] = ()
    daily: tuple[Count, ...] = ()  # incidents by day, known at `at`
    series_end: date | None = None  # the local day of the last of `daily`
    dark_days: tuple[date, ...] = ()  # days of `daily` on which coverage was not ok
    strength: float | None = None  # of the evidence for a change, nats: a log likelihood ratio
    usual: float | None = None  # what is usual, by day
    bursty: bool = False  # whether weeks vary much more than chance would have it
    parts: tuple[Part, ...] = ()  # S0: what it is made of, the strongest first
    stratum: str = ""  # S0: the units among which its strength is ranked
    indicators: dict[str, tuple[Count, ...]] = {}  # S0: as `daily`, of each indicator not all zero
    index: Index | None = None  # S0: the instability index


class Outcome(Value, frozen=True):
    """How the claim turned out."""

    verdict: Literal["HIT", "FALSE", "VOID"]
    at: Instant
    observed: Count | None
    reason: str


class Remark(Value, frozen=True):
    """What an analyst said of an alert: a note, or dissent from it."""

    by: str
    at: Instant
    kind: Literal["note", "dispute"]
    text: str


class Silence(Value, frozen=True):
    """Why subscribers are not told of an alert for now."""

    by: str
    until: Instant
    reason: str


class Alert(Record, frozen=True, tag="alert.v1"):
    """One revision of an alert. All revisions are kept; the last is its state."""

    id: Identifier
    revision: Count
    signal: str
    direction: Direction
    unit: str
    state: AlertState
    severity: Severity
    at: Instant  # stream time of this revision
    opened_at: Instant
    changed: str  # what changed in this revision, and why
    claim: Claim  # as registered at opening; never rewritten
    p: Share | None
    observed: Count | None
    expected: float | None
    window_days: Count | None
    coverage: Coverage
    coverage_share: Share
    reason: str
    evidence: tuple[IncidentRef, ...] = ()
    daily: tuple[Count, ...] = ()
    series_end: date | None = None
    acknowledged_by: str | None = None
    note: str | None = None
    outcome: Outcome | None = None
    strength: float | None = None  # of the evidence, nats
    parts: tuple[Part, ...] = ()  # the signals that it rests on, the strongest first
    per_year: float | None = None  # how often a unit like this one has such evidence
    stratum: str = ""  # the units that are like this one
    acknowledged_at: Instant | None = None  # when it was first acknowledged; kept if taken back
    assigned_to: str | None = None
    remarks: tuple[Remark, ...] = ()  # in the order in which they were made
    silence: Silence | None = None
    story: str = ""  # the first alert of those that tell one story, here and in units beside


class Scope(Value, frozen=True):
    """Which alerts an act is about: all that match; empty filters let all pass."""

    units: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    directions: tuple[Direction, ...] = ()


class Command(Record, frozen=True, tag="command.v1"):
    """An analyst's act on an alert, or on all of a scope. `at` is when it was made."""

    id: Identifier
    alert: Identifier  # for a silence its own name
    action: Action
    at: Instant
    by: Annotated[str, Meta(min_length=1, max_length=200)]
    note: str | None = None  # the reason; needed to dispute, silence, retract
    to: str | None = None  # to whom it is assigned
    scope: Scope | None = None  # what is silenced
    until: Instant | None = None  # when the silence ends
