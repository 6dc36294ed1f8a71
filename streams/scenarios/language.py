"""The wording of one language: sentence templates and the words that fill them, as data.

The files are `templates/<language>.toml` (incidents) and `templates/world_<language>.toml` (other
news). They were written for this project.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final

from msgspec import Struct, convert

#: The languages of the bundled reports (BCP 47); Dari is told apart from Farsi by its country only.
LANGUAGES: Final = ("en", "fa", "ps", "ur")

Pairs = dict[str, list[tuple[str, str]]]  # code -> forms of a noun: for one, for several
Lists = dict[str, list[str]]


class Words(Struct, frozen=True):
    """Words that sentences are filled with."""

    numbers: list[str]  # from zero to twelve
    weekdays: list[str]  # from Monday
    months: list[str]  # from January
    were: tuple[str, str]  # the verb for one, and for several
    gave: tuple[str, str]
    dozen: str
    digits: str  # the ten digits in the language's script
    and_: str


class Wording(Struct, frozen=True):
    """Templates for one kind of report, or for one mode of violence."""

    deeds: list[str] = []
    titles: list[str] = []
    leads: list[str] = []


class Language(Struct, frozen=True):
    """Everything needed to tell an incident in one language."""

    words: Words
    count: Lists
    day: Lists
    place: Lists
    spot: Lists
    country: dict[str, str]
    side: Lists
    victim: Pairs
    title_victim: Pairs
    office: Lists
    mode: dict[str, Wording]
    unknown: Wording
    second: Wording
    revision: Wording
    counter: Wording
    claim: Wording
    denial: Wording
    attribution: Lists
    follow: Lists
    first: Wording = Wording()


class World(Struct, frozen=True):
    """News that is no incident: "title | text" templates by kind, and the words for their slots."""

    slots: Lists
    items: Lists
    dated: dict[str, list[str]] = {}  # ISO day -> items of that day


def _load(name: str) -> dict[str, Any]:
    text = resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def language(code: str) -> Language:
    """Read the incident wording of a language.

    Raises:
        FileNotFoundError: The language is none of `LANGUAGES`.
    """
    data = _load(f"{code}.toml")
    data["words"]["and_"] = data["words"].pop("and")
    return convert(data, Language)


@cache
def world(code: str) -> World:
    """Read the other news of a language.

    Raises:
        FileNotFoundError: The language is none of `LANGUAGES`.
    """
    return convert(_load(f"world_{code}.toml"), World)
