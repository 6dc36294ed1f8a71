"""Tell one incident as a news report: fill the templates of a language.

Slots of the templates: {N} the dead as a subject or object ("at least six soldiers"), {T} and {t}
the same for a title, {were} and {gave} verbs that agree with {N}, {place} and {day} adverbial
phrases, {spot} a place for a title, {P} the province, {deed} what happened as a phrase, {reb} and
{gov} the sides, {office} who said so, {W} and {w} the wounded, {r} a risen toll, {e} an earlier
one, {n} and {x} two tolls that differ, {gone} and {xgone} their verbs, {said} the publication's
weekday, {wire} and {CITY} for bylines.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache
from random import Random
from typing import Final, Literal

from msgspec import Struct

from streams.scenarios.choice import between, pick
from streams.scenarios.facts import Fact, rows
from streams.scenarios.language import Language, Wording, language

Kind = Literal[
    "first", "second", "translation", "reprint", "revision", "counter", "claim", "denial"
]
#: Modes in which the state attacks, so nobody is asked who claims the deed.
STATE_MODES: Final = frozenset({"clash", "crossfire", "airstrike", "raid", "statefire"})
_NO_MORE: Final = frozenset({"counter", "claim", "denial", "revision"})
#: Commas that close a phrase are one too many before another mark.
_COMMAS: Final = re.compile(r",(?=\s*[,.;:])")
_JOINED: Final = re.compile(r"\s+(?=[,.;])")


class Deed(Struct, frozen=True):
    """How an incident is said to have come about; invented, since the facts do not say."""

    mode: str  # a key of the language's modes
    victim: str  # a key of its victims, or "mixed" for both sides


class Task(Struct, frozen=True):
    """One report to be written."""

    scenario: str
    fact: Fact
    deed: Deed
    kind: Kind
    language: str
    published: datetime
    told: int  # the number of dead it gives
    earlier: int  # the number an earlier report gave
    rival: int  # the number the other side gives
    wire: str | None = None  # the agency's name, where the report opens with a dateline


class Prose(Struct, frozen=True):
    """A report's words; the text is in sentences so that a reprint may drop the last."""

    title: str
    sentences: tuple[str, ...]


class Phrase(Struct, frozen=True):
    """A phrase about a number of people, and whether its verb is for several."""

    text: str
    several: bool


def compose(task: Task, rng: Random) -> Prose:
    """Write the report; the same task and generator state give the same words.

    Raises:
        KeyError: The language has no words for the incident's mode or sides.
    """
    tongue = language(task.language)
    wording = _wording(task, tongue)
    slots = _slots(task, tongue, rng)
    title = _fill(pick(wording.titles, rng), slots)
    lead = pick(wording.leads, rng)
    if lead.endswith("."):
        pass  # names its own sources
    elif task.kind in ("first", "second") and "{office}" not in lead:
        lead = _attribution(task, tongue, rng).replace("{lead}", lead)
    else:
        lead = tongue.attribution["first"][0].replace("{lead}", lead)
    first = _fill(lead, slots)
    if task.wire is not None:
        first = pick(tongue.follow["dateline"], rng).format_map(slots) + first
    more = (_fill(s, slots) for s in _follow(task, tongue, rng))
    return Prose(title, (first, *more))


def reprint(original: Prose, wire: str, code: str, rng: Random) -> tuple[str, str]:
    """Return title and text of a near-identical reprint that names the agency."""
    kept = original.sentences
    if len(kept) > 1 and rng.random() < 0.35:
        kept = kept[:-1]
    text = " ".join(kept)
    if wire not in text:  # a dateline names the agency already
        text = pick(language(code).follow["byline"], rng).format(text=text, wire=wire)
    title = original.title if rng.random() < 0.7 else f"{original.title} - {wire}"
    return title, text


def digits(number: int, tongue: Language) -> str:
    """Write a number in the digits of the language's script.

    >>> digits(12, language("fa"))
    '۱۲'
    """
    return "".join(tongue.words.digits[int(d)] for d in str(number))


def number(value: int, tongue: Language, rng: Random) -> str:
    """Write a number as agencies do: words for small ones, digits for large ones, not always."""
    likely = 0.85 if value < 10 else 0.3
    if value < len(tongue.words.numbers) and rng.random() < likely:
        return tongue.words.numbers[value]
    return str(value) if rng.random() < 0.2 else digits(value, tongue)


def day_phrase(days: tuple[date, date], published: datetime, tongue: Language, rng: Random) -> str:
    """Say when something happened, as one would on the day of publication."""
    start, end = days
    back = (published.date() - start).days
    if (end - start).days > 2:
        key = "span"
    elif back == 0:
        key = "same_late" if published.hour >= 8 and rng.random() < 0.3 else "same"
    else:
        key = "yesterday" if back == 1 else "week" if back < 7 else "older"
    words = tongue.words
    return pick(tongue.day[key], rng).format(
        weekday=words.weekdays[start.weekday()],
        d=digits(start.day, tongue), month=words.months[start.month - 1],
        d2=digits(end.day, tongue), month2=words.months[end.month - 1],
    )  # fmt: skip


def finish(text: str) -> str:
    """Mend the seams of a filled template: spaces, doubled commas, the capital at its start.

    >>> finish("on Tuesday, 3 March,, police said .")
    'On Tuesday, 3 March, police said.'
    """
    text = _JOINED.sub("", _COMMAS.sub("", " ".join(text.split())))
    return text[:1].upper() + text[1:]


def _fill(template: str, slots: dict[str, str]) -> str:
    return finish(template.format_map(slots))


def _wording(task: Task, tongue: Language) -> Wording:
    """Return titles and leads for the kind of report; a language may have none for the mode."""
    if task.fact.best == 0:
        return tongue.unknown
    own = {
        "second": tongue.second,
        "translation": tongue.second,
        "revision": tongue.revision,
        "counter": tongue.counter,
        "claim": tongue.claim,
        "denial": tongue.denial,
    }
    if task.kind in own:
        return own[task.kind]
    mode = tongue.mode[task.deed.mode]
    return mode if mode.leads else tongue.first


def _attribution(task: Task, tongue: Language, rng: Random) -> str:
    back = (task.published.date() - task.fact.day_start).days
    if task.fact.best and 1 <= back < 6 and rng.random() < 0.12:
        return pick(tongue.attribution["later"], rng)
    if task.fact.best == 0:
        return tongue.attribution["first"][0]
    return pick(tongue.attribution["first"], rng)


def _follow(task: Task, tongue: Language, rng: Random) -> list[str]:
    """Choose the sentences after the first: the wounded, reactions, what is known of the area."""
    found: list[str] = []
    follow, country = tongue.follow, task.fact.country
    if task.fact.best and task.kind not in ("counter", "claim", "denial") and rng.random() < 0.35:
        found.append(pick(follow["wounded"], rng))
    if task.fact.best == 0 and task.fact.high and task.language == "en":
        found.append("Unconfirmed reports spoke of up to {high} dead.")
    draw = rng.random()
    if task.kind not in _NO_MORE:
        if draw < 0.2 and task.deed.mode not in STATE_MODES:
            found.append(pick(follow["unclaimed"], rng))
        elif draw < 0.5:
            found.append(pick(follow.get(f"reaction_{country}", follow["reaction"]), rng))
    if rng.random() < 0.25 and task.fact.admin1 is not None:
        found.append(pick(follow.get(f"background_{country}", follow["background"]), rng))
    return found


def _slots(task: Task, tongue: Language, rng: Random) -> dict[str, str]:
    fact, words = task.fact, tongue.words
    dead = _dead(task, tongue, rng)
    title = _counted(task.told, task.deed.victim, tongue.title_victim, tongue, fact, rng)
    wounded = max(2, int(task.told * between(0.4, 2.2, rng)))
    hurt = number(wounded, tongue, rng)
    where = _where(task, tongue, rng)
    n, x = (number(v, tongue, rng) for v in (task.told, task.rival))
    offices = tongue.office[fact.country]
    weekday = task.published.date().weekday()
    deeds = tongue.unknown.deeds if fact.best == 0 else tongue.mode[task.deed.mode].deeds
    return where | {
        "N": dead.text, "were": words.were[dead.several], "gave": words.gave[dead.several],
        "T": title.text, "t": title.text, "W": hurt, "w": hurt, "n": n, "x": x,
        "gone": words.were[task.told != 1], "xgone": words.were[task.rival != 1],
        "r": number(task.told, tongue, rng), "e": number(task.earlier, tongue, rng),
        "high": number(fact.high, tongue, rng), "said": words.weekdays[weekday],
        "day": day_phrase((fact.day_start, fact.day_end), task.published, tongue, rng),
        "deed": pick(deeds or [""], rng), "office": pick(offices, rng),
        "reb": pick(tongue.side[rebels(fact)], rng),
        "gov": pick(tongue.side[f"GOV-{fact.country}"], rng), "wire": task.wire or "",
        "CITY": "ISLAMABAD" if fact.country == "PAK" else "KABUL",
    }  # fmt: skip


def rebels(fact: Fact) -> str:
    """Return the code of the armed group in the incident; the Taliban where only the state is."""
    side = fact.side_b if fact.side_a == "GOV" else fact.side_a
    return "TB" if side == "CIV" else side


def _noun(victim: str, count: int, nouns: dict[str, list[tuple[str, str]]], rng: Random) -> str:
    return pick(nouns[victim], rng)[count != 1]


def _one(noun: str, tongue: Language, rng: Random) -> str:
    """Put "one" or an article before a noun; English says "an" before a vowel."""
    word = pick(tongue.count["one"], rng)
    return f"an {noun}" if word == "a" and noun[0] in "AEIOUaeiou" else f"{word} {noun}"


def _counted(
    count: int,
    victim: str,
    nouns: dict[str, list[tuple[str, str]]],
    tongue: Language,
    fact: Fact,
    rng: Random,
) -> Phrase:
    code = "people" if victim == "mixed" else victim
    if code == "GOV":
        code = f"GOV-{fact.country}"
    noun = _noun(code, count, nouns, rng)
    if count == 1:
        return Phrase(_one(noun, tongue, rng), several=False)
    return Phrase(f"{number(count, tongue, rng)} {noun}", several=True)


def _dead(task: Task, tongue: Language, rng: Random) -> Phrase:
    """Say who died and how many: plainly, at least, a range, both sides, or with civilians."""
    fact, told, victim = task.fact, task.told, task.deed.victim
    if 0 < fact.civilians < told == fact.best:
        return _including(fact.civilians, told, tongue, rng)
    draw = rng.random()
    if victim == "mixed" and told >= 3 and draw < 0.7:
        rebel = max(1, int(told * between(0.3, 0.9, rng)))
        if rebel < told:
            one = _counted(told - rebel, "GOV", tongue.victim, tongue, fact, rng)
            two = _counted(rebel, rebels(fact), tongue.victim, tongue, fact, rng)
            return Phrase(f"{one.text}{tongue.words.and_}{two.text}", several=True)
    plain = _counted(told, victim, tongue.victim, tongue, fact, rng)
    if told == 12 and tongue.words.dozen and draw < 0.4:
        return Phrase(plain.text.replace(plain.text.split()[0], tongue.words.dozen, 1), True)
    if 0 < fact.low < fact.high and 1 < told == fact.best and draw < 0.25:
        short = fact.high < 10
        low, high = (
            tongue.words.numbers[v] if short else digits(v, tongue) for v in (fact.low, fact.high)
        )
        span = pick(tongue.count["range"], rng).format(low=low, high=high)
        return Phrase(f"{span} {_after_number(plain.text)}", several=True)
    if draw < 0.45 and told > 1:
        return Phrase(pick(tongue.count["least"], rng).format(n=plain.text), several=True)
    return plain


def _after_number(phrase: str) -> str:
    return phrase.split(" ", 1)[1]


def _including(civilians: int, told: int, tongue: Language, rng: Random) -> Phrase:
    templates = tongue.count["including"]
    if civilians == 1:
        some = _one(pick(tongue.victim["civilians"], rng)[0], tongue, rng)
        text = templates[0].replace("{m} {civilians}", some)
    else:
        text = pick(templates, rng)
    people, victims = (tongue.victim[c][0] for c in ("people", "civilians"))
    filled = text.format(
        n=number(told, tongue, rng),
        m=number(civilians, tongue, rng),
        people=people[1],
        civilians=victims[1],
    )
    return Phrase(filled, several=True)


@cache
def _provinces(scenario: str) -> dict[str, dict[str, str]]:
    return {r["admin1"]: r for r in rows(scenario, "provinces.csv")}


@cache
def _places(scenario: str) -> dict[tuple[str, str], dict[str, str]]:
    return {(r["admin1"], r["place"]): r for r in rows(scenario, "places.csv")}


def _where(task: Task, tongue: Language, rng: Random) -> dict[str, str]:
    """Say where: {place} and {spot} as phrases, {P} the province's name."""
    fact, code = task.fact, task.language
    country = tongue.country[fact.country]
    if fact.admin1 is None:
        there = pick(tongue.place["country"], rng).format(country=country)
        return {
            "place": there,
            "spot": tongue.spot["country"][0].format(country=country),
            "P": country,
        }
    province = _provinces(task.scenario)[fact.admin1]
    names = province["names"].split("|") if code == "en" else [province[code]]
    name, kind = pick(names, rng), "province"
    slots = {"P": name, "region": province["region"], "country": country, "place": ""}
    if fact.place is not None:
        kind = fact.place_kind or "district"
        if kind == "town" and fact.place == province["capital"]:
            kind = "capital"
        slots["place"] = _place_name(task, province, rng)
    return {
        "place": pick(tongue.place[kind], rng).format_map(slots),
        "spot": pick(tongue.spot[kind], rng).format_map(slots),
        "P": name,
    }


def _place_name(task: Task, province: dict[str, str], rng: Random) -> str:
    place = _places(task.scenario)[province["admin1"], task.fact.place or ""]
    if task.language != "en":
        # Capitals that share the name of their province share its spelling in each language.
        return province[task.language] if place["fa"] == province["fa"] else place["fa"]
    also = [name for name in place["also"].split("|") if name]
    return pick(also, rng) if also and rng.random() < 0.3 else place["place"]
