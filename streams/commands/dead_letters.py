"""`tocsin dead-letters`: what could not be read, why, and the way back."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict, deque
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer
from msgspec import Struct

from streams.codecs import REASONS
from streams.commands import base

if TYPE_CHECKING:
    from streams.commands.letters import Letter
    from streams.settings import Settings

_PLACE: Final = re.compile(r"(\d{1,6}):(\d{1,18})")
_LONGEST_EXCERPT: Final = 2_000
_ORIGIN: Final = ("reason", "stage", "topic", "partition", "offset")

Reason = Annotated[
    str | None, typer.Option("--reason", help=f"Only of this reason: {', '.join(REASONS)}.")
]


class Summary(Struct, frozen=True):
    """One letter as `tocsin dead-letters list --json` prints it."""

    place: str  # PARTITION:OFFSET in the dead-letters topic
    at: datetime
    key: str | None
    bytes: int
    headers: dict[str, str]


class Listing(Struct, frozen=True):
    """What `tocsin dead-letters list --json` prints."""

    total: int
    reasons: dict[str, int]
    letters: list[Summary]  # the newest, oldest first


class Full(Struct, frozen=True):
    """What `tocsin dead-letters show --json` prints; `value` is Base64."""

    place: str
    at: datetime
    key: str | None
    headers: dict[str, str]
    mend: str
    value: bytes


def register(app: typer.Typer) -> None:
    """Add `tocsin dead-letters`."""
    group = typer.Typer(
        help="Records that could not be read: list, show, replay.", no_args_is_help=True
    )
    group.command(
        "list",
        epilog=base.epilog(
            "tocsin dead-letters list",
            "tocsin dead-letters list --reason broken_json --limit 10 --json",
        ),
    )(list_)
    group.command(
        "show",
        epilog=base.epilog(
            "tocsin dead-letters show 0:17", "tocsin dead-letters show 0:17 --raw > record.json"
        ),
    )(show)
    group.command(
        "replay",
        epilog=base.epilog(
            "tocsin dead-letters replay 0:17 2:4",
            "tocsin dead-letters replay --reason unknown_schema --yes  (after an upgrade)",
            "A letter stays in its topic. Sent back twice it changes nothing: records are known "
            "by their ids. What still cannot be read becomes a new dead letter.",
        ),
    )(replay)
    app.add_typer(group, name="dead-letters")


@base.plain_errors
def list_(
    ctx: typer.Context,
    reason: Reason = None,
    limit: Annotated[int, typer.Option(min=1, help="Show so many, the newest.")] = 50,
    json: base.Json = False,
) -> None:
    """List the newest dead letters, and count all of them by reason."""
    _check_reason(reason)
    found = asyncio.run(_list(base.open_settings(ctx), reason, limit))
    if json:
        base.print_json(found)
    elif found.total:
        base.print_table(
            ("place", "written", "reason", "stage", "from", "bytes", "detail"),
            [_row(each) for each in found.letters],
        )
        counts = ", ".join(f"{name} {count}" for name, count in found.reasons.items())
        shown = f"{len(found.letters)} of {found.total} shown"
        base.note(f"{shown}; by reason: {counts}")
    if not found.total:
        base.nothing("no dead letters" if reason is None else f"no dead letters of {reason}")


async def _list(settings: Settings, reason: str | None, limit: int) -> Listing:
    from streams.commands import letters

    newest: defaultdict[int, deque[Letter]] = defaultdict(lambda: deque(maxlen=limit))
    reasons: Counter[str] = Counter()
    wanted = letters.of_reason(reason)
    async with aclosing(letters.scan(settings)) as found:
        async for letter in found:
            if wanted(letter):
                reasons[letter.header("reason")] += 1
                newest[letter.partition].append(letter)
    kept = [letter for each in newest.values() for letter in each]
    kept.sort(key=lambda each: (each.at, each.partition, each.offset))
    return Listing(
        total=reasons.total(),
        reasons=dict(sorted(reasons.items())),
        letters=[
            Summary(each.place, each.at, _text(each.key), len(each.value), each.headers)
            for each in kept[-limit:]
        ],
    )


def _row(letter: Summary) -> tuple[str, ...]:
    reason, stage, topic, partition, offset = (letter.headers.get(n, "unknown") for n in _ORIGIN)
    origin = f"{topic} {partition}:{offset}"
    detail = letter.headers.get("detail", "")
    return letter.place, base.when(letter.at), reason, stage, origin, str(letter.bytes), detail


def _text(key: bytes | None) -> str | None:
    return None if key is None else key.decode("utf-8", "replace")


def _check_reason(reason: str | None) -> None:
    if reason is not None and reason not in REASONS:
        mend = base.near(reason, REASONS) or f"; there are {', '.join(REASONS)}"
        raise base.Problem(f"no dead letter has the reason {reason!r}{mend}")


def _place(given: str) -> tuple[int, int]:
    found = _PLACE.fullmatch(given)
    if found is None:
        raise base.Problem(f"{given!r} is no place: write PARTITION:OFFSET, for example 0:17")
    return int(found[1]), int(found[2])


async def _one(settings: Settings, place: str) -> Letter:
    from streams.commands import letters

    partition, offset = _place(place)
    found = await letters.one(settings, partition, offset)
    if found is None:
        text = f"there is no dead letter at {place}: see tocsin dead-letters list"
        raise base.Problem(text, base.NOTHING)
    return found


@base.plain_errors
def show(
    ctx: typer.Context,
    place: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="Which one.")],
    raw: Annotated[
        bool, typer.Option("--raw", help="Only the original bytes, as they are.")
    ] = False,
    json: base.Json = False,
) -> None:
    """Show one dead letter: its headers, what they mean, and the original bytes."""
    if raw and json:
        raise base.Problem("--raw and --json exclude each other: --json has the bytes as Base64")
    letter = asyncio.run(_one(base.open_settings(ctx), place))
    mend = REASONS.get(letter.header("reason"), "unknown")
    if raw:
        typer.echo(letter.value, nl=False)
    elif json:
        key = _text(letter.key)
        base.print_json(Full(letter.place, letter.at, key, letter.headers, mend, letter.value))
    else:
        base.say(f"Dead letter {letter.place}, written {base.when(letter.at)}")
        base.say(f"key: {_text(letter.key)}")
        for name, value in letter.headers.items():
            base.say(f"{name}: {value}")
        base.say(f"meaning: {mend}")
        base.heading(f"The original {len(letter.value)} bytes")
        base.say(excerpt(letter.value))


def excerpt(value: bytes) -> str:
    r"""Return the beginning of bytes as text, or in hexadecimal where they are not UTF-8.

    >>> excerpt(b'{"a": 1}'), excerpt(b"\xff\x00A")
    ('{"a": 1}', 'ff 00 41')
    """
    start = value[:_LONGEST_EXCERPT]
    more = f"\n... {len(value) - len(start)} bytes more: --raw" if len(value) > len(start) else ""
    try:
        # A character may be cut at the end of the excerpt, which is no fault of the bytes.
        return start.decode("utf-8", "strict" if len(start) == len(value) else "ignore") + more
    except UnicodeDecodeError:
        return start.hex(" ") + more


@base.plain_errors
def replay(
    ctx: typer.Context,
    places: Annotated[
        list[str] | None, typer.Argument(metavar="PARTITION:OFFSET...", help="Which ones.")
    ] = None,
    reason: Reason = None,
    every: Annotated[bool, typer.Option("--all", help="Every dead letter there is.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: base.Json = False,
) -> None:
    """Send dead letters back, byte for byte, to the topic and partition they came from."""
    if (bool(places) + (reason is not None) + every) != 1:
        raise base.Problem("say which: places such as 0:17, or --reason, or --all")
    _check_reason(reason)
    settings = base.open_settings(ctx)
    if places:
        ends: dict[int, int] = {}
        count = len({_place(place) for place in places})
    else:
        count, ends = asyncio.run(_count(settings, reason))
    if not count:
        base.nothing("no dead letters to send back")
    if not yes:
        typer.confirm(f"Send {count} dead letter(s) back?", abort=True, err=True)
    sent = asyncio.run(
        _send_places(settings, places) if places else _send_all(settings, reason, ends)
    )
    if json:
        base.print_json({"sent": sent})
    else:
        base.say(f"{sent} dead letter(s) sent back")


async def _count(settings: Settings, reason: str | None) -> tuple[int, dict[int, int]]:
    """Count what is to be sent, and note where it ends: what fails again comes after."""
    from streams.commands import letters

    count = 0
    ends: dict[int, int] = {}
    wanted = letters.of_reason(reason)
    async with aclosing(letters.scan(settings)) as found:
        async for letter in found:
            ends[letter.partition] = letter.offset + 1
            count += wanted(letter)
    return count, ends


async def _send_places(settings: Settings, places: list[str]) -> int:
    from streams.commands import letters

    chosen = [await _one(settings, place) for place in dict.fromkeys(places)]
    async with letters.Sender(settings) as sender:
        for letter in chosen:
            sender.target(letter)  # all of them are checked before the first is sent
        for letter in chosen:
            await sender.send(letter)
    return sender.sent


async def _send_all(settings: Settings, reason: str | None, ends: dict[int, int]) -> int:
    from streams.commands import letters

    wanted = letters.of_reason(reason)
    async with letters.Sender(settings) as sender, aclosing(letters.scan(settings, ends)) as found:
        async for letter in found:
            if wanted(letter):
                await sender.send(letter)
    return sender.sent
