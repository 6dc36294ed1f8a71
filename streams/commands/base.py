"""What all commands share: settings, the store, output for people and programs, and errors.

Results go to stdout, everything else to stderr; with `--json` stdout is one JSON document. Text
that came from outside is shown without control characters: a headline must not steer a terminal.
"""

from __future__ import annotations

import difflib
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, ParamSpec, TextIO, get_args

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from detectors.records import Alert
from detectors.world.units import UNITS, Kind, inside

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.store import Store

P = ParamSpec("P")

#: What the exit codes mean; 0 is fine.
NOTHING: Final = 1  # nothing found, or something is unhealthy
USAGE: Final = 2  # wrong usage or settings
EXIT_CODES: Final = "Exit codes: 0 fine, 1 nothing found or unhealthy, 2 wrong usage or settings."
#: Columns of output that goes to a file or a pipe, unless COLUMNS says otherwise.
_PIPE_COLUMNS: Final = 200
#: Characters that reorder the text after them.
_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SHOWN_MATCHES: Final = 5
STYLES: Final = {
    "critical": "bold red",
    "warning": "yellow",
    "watch": "cyan",
    "dark": "bold red",
    "thin": "yellow",
    "ok": "green",
}

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


class Problem(Exception):
    """A command cannot do what was asked; the text says why and names the mend."""

    def __init__(self, text: str, code: int = USAGE) -> None:
        """Take the text, and the exit code: `USAGE` or `NOTHING`."""
        super().__init__(text)
        self.code = code


def epilog(*examples: str) -> str:
    """Return the end of a command's help: its examples, and what the exit codes mean."""
    return "\n\n".join(["Examples:", *examples, EXIT_CODES])


# Errors


def plain_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Make a command end with one clear line on stderr where it cannot do what was asked."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except Exception as error:
            problem = _problem(error)
            if problem is None:
                raise
            note(f"Error: {problem}", style="red")
            raise typer.Exit(problem.code) from error

    return run


def _problem(error: Exception) -> Problem | None:
    """Return an expected error in the user's words; None for a fault of ours."""
    if isinstance(error, Problem):
        return error
    client = type(error).__module__.partition(".")[0]
    if client in ("kafka", "aiokafka"):
        text = f"the Kafka broker did not do it ({error}): is it up, and the address right?"
        return Problem(text, NOTHING)
    if client == "sqlalchemy":
        first = str(error).splitlines()[0]
        return Problem(f"the store cannot be read ({first}): see worker.store", NOTHING)
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        return Problem(f"{error.strerror or error}: {error.filename or 'no file named'}")
    return _own_problem(error)


def _own_problem(error: Exception) -> Problem | None:
    from streams.broker import BrokerError
    from streams.settings import SettingsError
    from streams.topics import TopicError

    if isinstance(error, SettingsError):
        return Problem(str(error))
    if isinstance(error, BrokerError | TopicError):
        return Problem(str(error), NOTHING)
    return None


def near(given: str, known: Iterable[str]) -> str:
    """Return "; did you mean ...?" with what is spelt nearly so, or nothing."""
    by_fold = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(given.casefold(), by_fold, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(by_fold[each] for each in close)}?" if close else ""


# Settings and store


def open_settings(ctx: typer.Context) -> Settings:
    """Read the settings from the file that the root context carries as its `obj` (a Path or None).

    Raises:
        SettingsError: The file is missing, or a key or value is wrong.
    """
    from streams import settings

    given = ctx.find_root().obj
    return settings.load(given if isinstance(given, Path) else None)


def open_store(settings: Settings) -> Store:
    """Open the store for reading; close it after use (it is a context manager).

    A store of another version is left as it is: only a worker rebuilds it.

    Raises:
        Problem: There is none yet, or it is of another version.
    """
    from streams.store import SCHEMA_VERSION, Store

    try:
        version = _store_version(settings.store_url())
    except (ValueError, ModuleNotFoundError) as error:
        raise Problem(f"worker.store cannot be used: {error}") from error
    if version is None:
        raise Problem("there is no store yet: run tocsin demo or tocsin run first", NOTHING)
    if version != str(SCHEMA_VERSION):
        raise Problem(
            f"the store is of version {version}, this tocsin reads {SCHEMA_VERSION}: "
            "start tocsin run, which rebuilds it from the topics",
            NOTHING,
        )
    return Store(settings.store_url(), evidence_days=settings.worker.evidence_days)


def _store_version(address: str) -> str | None:
    """Return the version that a store says it has; None where there is no store."""
    from sqlalchemy import inspect, select
    from sqlalchemy.engine import make_url

    from streams.store.engine import open_engine
    from streams.store.schema import META

    try:
        url = make_url(address)
    except Exception as error:
        raise ValueError("it is not a database URL") from error
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return None  # opening it would make it
    engine = open_engine(address)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table(META.name):
                return None
            query = select(META.c.value).where(META.c.name == "schema_version")
            return connection.scalar(query)
    finally:
        engine.dispose()


def stream_time(store: Store) -> datetime | None:
    """Return the newest stream time that the store knows of."""
    known = [each.at for each in store.scores()]
    known += [each.at for each in store.source_health()]
    known += [each.at for each in store.alerts()]
    return max(known, default=None)


def find_alert(store: Store, given: str) -> Alert:
    """Return the alert with an id, or with an id that begins so, if there is only one.

    Raises:
        Problem: There is none, or there are several.
    """
    exact = store.alert(given)
    if exact is not None:
        return exact
    alerts = {each.id: each for each in store.alerts()}
    found = sorted(id for id in alerts if given and id.casefold().startswith(given.casefold()))
    if len(found) == 1:
        return alerts[found[0]]
    if not found:
        mend = near(given, alerts) or "; see tocsin alerts list"
        raise Problem(f"there is no alert {given!r}{mend}", NOTHING)
    shown = ", ".join(found[:_SHOWN_MATCHES])
    more = f" and {len(found) - _SHOWN_MATCHES} more" if len(found) > _SHOWN_MATCHES else ""
    raise Problem(f"{given!r} begins {len(found)} ids: {shown}{more}; give more of it")


def units_named(given: str) -> frozenset[str]:
    """Return the units that a code or English name stands for: a country with all its parts.

    Its provinces, its stretches of border and its relations with other states are parts of it.

    Raises:
        Problem: No watched unit is called so.
    """
    return inside(unit_named(given))


def unit_named(given: str) -> str:
    """Return the code of the unit that a code or English name stands for.

    Raises:
        Problem: No watched unit is called so.
    """
    wanted = given.casefold()
    for unit in UNITS.values():
        if wanted in (unit.code.casefold(), unit.name.casefold()):
            return unit.code
    names = [name for unit in UNITS.values() for name in (unit.code, unit.name)]
    mend = near(given, names) or "; tocsin world units lists them"
    raise Problem(f"no watched unit is called {given!r}{mend}")


def kinds_named(given: Sequence[str] | None, default: Sequence[Kind]) -> tuple[Kind, ...]:
    """Return the kinds of units asked for, in the order of all kinds; with none, the default.

    Raises:
        Problem: There is no such kind.
    """
    every = get_args(Kind)
    for each in given or ():
        if each not in every:
            raise Problem(f"there is no kind of unit {each!r}; there are {', '.join(every)}")
    return tuple(kind for kind in every if kind in (given or default))


def write_plot(alert: Alert, revisions: Sequence[Alert], path: Path) -> None:
    """Draw an alert with all its revisions, and say so on stderr.

    Raises:
        Problem: The file's ending is neither .png nor .svg.
    """
    from streams.plots import FORMATS, alert_plot

    if path.suffix.lower() not in FORMATS:
        raise Problem(f"--plot {path}: name a file that ends in {' or '.join(FORMATS)}")
    alert_plot(alert, path, revisions=revisions)
    note(f"plot written to {path}")


# Output


def _console(stream: TextIO) -> Console:
    wide = None if stream.isatty() or "COLUMNS" in os.environ else _PIPE_COLUMNS
    return Console(file=stream, width=wide, emoji=False, highlight=False)


def results() -> Console:
    """Return the console of results: stdout, coloured only on a terminal.

    It reads markup in what is printed: text from outside goes through `say` or `print_table`.
    """
    return _console(sys.stdout)


def errors() -> Console:
    """Return the console of progress and errors: stderr."""
    return _console(sys.stderr)


def say(text: str | Text = "", style: str = "") -> None:
    """Print a line of the result, wrapped only on a terminal."""
    console = results()
    shown = Text(clean(text), style=style) if isinstance(text, str) else text
    console.print(shown, soft_wrap=not console.is_terminal)


def note(text: str, style: str = "") -> None:
    """Print a line that is no result: on stderr."""
    errors().print(Text(clean(text), style=style), soft_wrap=True)


def heading(text: str) -> None:
    """Print a heading, after an empty line."""
    say()
    say(text, style="bold")


def print_json(value: Any) -> None:  # noqa: ANN401 - whatever msgspec encodes
    """Print one JSON document in UTF-8, whatever the terminal's encoding."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their columns; words such as "critical" or "dark" have their colours."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, column in enumerate(columns):
        # The first column names the row: it is there to be copied whole.
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(clean(cell), style=STYLES.get(cell, "")) for cell in row))
    results().print(table)


def clean(text: str) -> str:
    r"""Return text that cannot steer a terminal: no control or reordering characters.

    >>> clean("a\x1b[31mb\u202ec") == "a\N{REPLACEMENT CHARACTER}[31mbc"
    True
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) == "Cc" and c not in "\n\t" else c
        for c in text
        if c not in _REORDERING
    )


def when(at: datetime | None) -> str:
    """Write an instant to the minute, in UTC.

    >>> when(datetime(2020, 3, 4, 6, 1, 30, tzinfo=UTC)), when(None)
    ('2020-03-04 06:01 UTC', 'unknown')
    """
    return "unknown" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def nothing(text: str) -> NoReturn:
    """Say on stderr that nothing was found, and exit with that code."""
    note(text)
    raise typer.Exit(NOTHING)
