"""How many people were killed and injured, as ranges, from the words around the numbers.

Numbers belong to the verb they stand with: before it ("two policemen and five insurgents were
killed", "12 killed") or after it ("killed 12 and wounded 4"). A vague number is a range from the
least it can mean; a number that is not said is None; only an explicit "no casualties" is zero.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from msgspec import Struct

from detectors.records import Casualties


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


_ONES: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS: Final = (
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip
_WORDS: Final[dict[str, int]] = (
    {word: n for n, word in enumerate(_ONES) if n}
    | {word: 10 * n for n, word in enumerate(_TENS, 2)}
    | {
        f"{ten}-{one}": 10 * n + m
        for n, ten in enumerate(_TENS, 2)
        for m, one in enumerate(_ONES[:10])
        if m
    }
    | {"dozen": 12}
)
#: Vague numbers: at least, and at most, what they say.
_VAGUE: Final = {"dozens": (24, 99), "scores": (40, 99), "hundreds": (200, 999)}

_TOKEN: Final = re.compile(
    r"\d{1,3}(?:,\d{3})+|\d+(?:-(?=\d)|(?:st|nd|rd|th)\b)?|[a-z]+(?:['-][a-z]+)*|[,;:]"
)
_KILL: Final = _words(
    "killed kill kills killing dead died die dies slain martyred slay slays eliminated eliminate "
    "eliminates eliminating neutralised neutralized murdered executed beheaded deaths fatalities "
    "lives perished claiming assassinated"
)
_INJURE: Final = _words(
    "wounded wound wounds wounding injured injure injures injuring hurt injuries maimed"
)
#: Verbs whose number always stands before them.
_AFTER_NUMBER: Final = _words(
    "dead died die dies slain deaths fatalities lives injuries perished hurt"
)
_BE: Final = _words("was were been be is are being have has had also reportedly got")
_LESS: Final = _words("at least up to over more than about around some nearly almost")
_PERSON: Final = _words(
    "person man woman boy girl child civilian soldier policeman policewoman officer constable "
    "commander militant insurgent terrorist fighter attacker gunman bomber guard driver journalist "
    "reporter teacher doctor student worker leader official chief governor judge cleric elder "
    "villager passerby passer-by labourer trader levy levyman cop member bystander prisoner cop "
    "resident shopkeeper lawyer prosecutor councillor candidate vaccinator trooper "
    "sepoy minister mayor senator lawmaker professor nurse farmer shepherd tribesman "
    "captain major colonel"
)
#: Words that may count people.
_COUNTED: Final = frozenset(_WORDS) | frozenset(_VAGUE) | _PERSON
_CIVILIAN: Final = _words(
    "civilian civilians women woman children child worshippers worshipers students student "
    "villagers passengers pilgrims labourers laborers miners tribesmen boy girl boys girls "
    "bystanders residents schoolchildren teachers teacher"
)
_NOT_PEOPLE: Final = _words(
    "year years year-old day days hour hours minute minutes week weeks month months km kilometres "
    "kilometers miles mile metres meters percent per rupees dollars vehicle vehicles motorcycle "
    "motorcycles weapons rifles kg kilograms provinces province districts district attack attacks "
    "operation operations houses house checkpoints checkpoint outposts posts explosions blasts "
    "bombs rounds mines strikes airstrikes raids clashes incidents incident villages village am pm "
    "o'clock buildings shops schools separate different places locations times hideouts tanks "
    "january february march april june july august september october november december jan feb "
    "mar apr jun jul aug sept sep oct nov dec gmt local"
)
_MONTHS: Final = _words(
    "january february march april june july august september october november december jan feb mar "
    "apr jun jul aug sept sep oct nov dec"
)
_STOP: Final = _words(
    "in by after when while who that which said says but before during during from near since "
    "with where as on into against across captured arrested detained destroyed held seized "
    "rescued kidnapped abducted surrendered freed"
)
_INSIDE: Final = _words("including among whom")
_HARM: Final = _KILL | _INJURE
_HARM_OR_STOP: Final = _HARM | _STOP
_SUFFERED: Final = _words("killed dead slain martyred wounded injured hurt assassinated beheaded")
_BREAKS: Final = _STOP | {",", ";", "and"}
_ENDS_NOUN: Final = _HARM_OR_STOP | _INSIDE | {",", "and"}
_BEFORE_NUMBER: Final = _LESS | {"as", "many", "a", "total", "of"}
_NONE_HURT: Final = re.compile(
    r"\b(?:no (?:loss of life|casualties|injuries or deaths|deaths or injuries"
    r"|one was (?:killed|hurt|injured|harmed))|nobody was (?:killed|hurt|injured|harmed)"
    r"|without (?:any )?casualties"
    r"|caused no casualties|no casualty)\b"
)
_NO_WORD_YET: Final = re.compile(r"\bno (?:immediate )?(?:reports?|word|information|details)\b")
#: Phrases that say the same as one word of the lists above, each with a part to look for first.
_SAME: Final = (
    (" dead", re.compile(r"\bsho(?:t|ots?) dead\b"), "killed"),
    ("shot and", re.compile(r"\bshot and killed\b"), "killed"),
    ("gun", re.compile(r"\b(?:gunned|guns?) down\b"), "killed"),
    ("lives of", re.compile(r"\b(?:took|taken|claim(?:s|ed|ing)?) the lives of\b"), "killed"),
    ("lost ", re.compile(r"\blost (?:their|his|her) li(?:ves|fe)\b"), "died"),
    ("martyrdom", re.compile(r"\bembraced martyrdom\b"), "died"),
    (" injuries", re.compile(r"\b(?:sustained|suffered|received) (?:\w+ )?injuries\b"), "hurt"),
    # "12 killed and wounded": how many of each is not said.
    (
        "killed",
        re.compile(
            r"\bkilled(?:,| and| or) (?:wounded|injured)"
            r"(?= (?:in|on|by|when|as|during|after)\b|\W*$)"
        ),
        "harmed",
    ),
)
_TOLL: Final = re.compile(
    r"\b(?:toll|number of (?:the )?dead|number of deaths|put the dead)\b[^;]{0,160}?"
    r"\b(?:to|at|of|is|reaches|reached|hits) (?:at least |around |about )?"
    rf"(\d+|{'|'.join(sorted(_WORDS, key=len, reverse=True))})\b"
)
_RISEN: Final = re.compile(
    r"\b(?:toll|number of (?:the )?dead|number of deaths)\b[^;]{0,80}?"
    r"\b(?:ris(?:es|en|ing)|rose|climb(?:s|ed)|increase[sd]|jump(?:s|ed))\b"
    r"|^\W*update:|\bnow (?:dead|known to have)\b|\b(?:updated|revised) (?:death )?toll\b"
)
ZERO: Final = Casualties(0, 0, 0)


class Harm(Struct, frozen=True):
    """The casualties that a sentence states."""

    killed: Casualties | None = None
    injured: Casualties | None = None
    civilians_killed: Casualties | None = None
    risen: bool = False  # the number of killed is said to replace an earlier, lower one


class _Quantity(NamedTuple):
    start: int  # first token of the number with its modifiers
    end: int  # token after the number
    low: int
    best: int
    high: int
    inside: bool  # "including two children": a part of another number
    civilian: bool


def _value(token: str) -> int | None:
    if token[0].isdigit():
        digits = token.replace(",", "")
        return int(digits) if digits.isdigit() and len(digits) <= 5 else None
    return _WORDS.get(token)


def _noun_is_people(tokens: list[str], at: int) -> bool:
    following = tokens[at : at + 2]
    return not (following and following[0] in _NOT_PEOPLE) and not (
        len(following) == 2 and following[1] in _NOT_PEOPLE and following[0] not in _HARM
    )


def _is_civilian(tokens: list[str], at: int) -> bool:
    for token in tokens[at : at + 4]:
        if token in _CIVILIAN:
            return True
        if token in _ENDS_NOUN:
            return False
    return False


def _range(tokens: list[str], at: int) -> tuple[int, int, int, int] | None:
    """Return low, best, high, and the token after the number that stands at `at`."""
    token = tokens[at]
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    if token in _VAGUE:
        low, high = _VAGUE[token]
        return low, low, high, at + 1
    if token.endswith("-") and token[:-1].isdigit() and (last := _value(following)):
        first = int(token[:-1])
        return (first, (first + last) // 2, last, at + 2) if first <= last else None
    value = _value(token)
    if value is None:
        return None
    if following == "dozen" and value < 12:
        return 12 * value, 12 * value, 12 * value, at + 2
    if following in ("to", "and", "or") and at + 2 < len(tokens):
        last = _value(tokens[at + 2])
        between = at and tokens[at - 1] in ("between", "from")
        if last and last > value and (following in ("to", "or") or between):
            return value, (value + last) // 2, last, at + 3
    return value, value, value, at + 1


def _with_modifiers(tokens: list[str], at: int, low: int, best: int, high: int) -> _Quantity | None:
    before = tokens[max(0, at - 4) : at]
    words = " ".join(before)
    if words.endswith(("more than", "over")):
        low, best, high = low + 1, best + 1, high + 1
    elif words.endswith(("up to", "as many as")):
        low = 1
    start = at
    while start and tokens[start - 1] in _BEFORE_NUMBER:
        start -= 1
    inside = _is_inside(tokens, start)
    if start and tokens[start - 1] in _MONTHS:
        return None
    if tokens[at - 1 : at + 2 : 2] == [",", ","] and best < 100:  # "a girl, 12, was killed"
        return None
    return _Quantity(start, at + 1, low, best, high, inside, False)


def _quantities(tokens: list[str]) -> list[_Quantity]:
    found: list[_Quantity] = []
    read_to = 0
    for at in [i for i, t in enumerate(tokens) if t in _COUNTED or t[0].isdigit()]:
        if at < read_to:
            continue
        number = None if tokens[at] in _PERSON else _range(tokens, at)
        if number is None:
            person = _one_person(tokens, at) if tokens[at] in _PERSON else None
            if person:
                found.append(_nested(tokens, person, found))
            continue
        low, best, high, read_to = number
        quantity = _with_modifiers(tokens, at, low, best, high)
        if quantity and _noun_is_people(tokens, read_to):
            civilian = _is_civilian(tokens, read_to)
            quantity = quantity._replace(end=read_to, civilian=civilian)
            found.append(_nested(tokens, quantity, found))
    return found


def _is_inside(tokens: list[str], start: int) -> bool:
    before = tokens[max(0, start - 2) : start]
    return before[-1:] == ["including"] or before in (["among", "them"], ["of", "whom"])


def _nested(tokens: list[str], q: _Quantity, found: list[_Quantity]) -> _Quantity:
    """Mark a number that is part of another: "two of them", "3 children among 10 killed"."""
    following = tokens[q.end : q.end + 6]
    part = following[:2] in (["of", "them"], ["of", "whom"])
    among = following.index("among") if "among" in following else 6
    if any(_value(token) for token in following[among + 1 : among + 4]) and not {
        "them", "whom",
    } & set(following):  # fmt: skip
        part = True
    if found and _continues(tokens, found[-1], q):
        part = True
    return q._replace(inside=q.inside or part)


def _continues(tokens: list[str], last: _Quantity, this: _Quantity) -> bool:
    """Return whether a number goes on with a list inside "including ..."."""
    between = tokens[last.end : this.start]
    return last.inside and "and" in between and _HARM.isdisjoint(between)


def _one_person(tokens: list[str], at: int) -> _Quantity | None:
    """Read "a policeman" and a headline's bare "Policeman" as one person."""
    if at + 1 < len(tokens) and tokens[at + 1] in _PERSON:
        return None
    start = at
    while start and at - start < 4 and tokens[start - 1] not in _BREAKS:
        if tokens[start - 1] in _HARM:
            break
        if _range(tokens, start - 1) and tokens[start] != "year-old":
            return None
        start -= 1
        if tokens[start] in ("a", "an"):
            break
    has_article = tokens[start] in ("a", "an")
    bare = start == 0 and _is_object(tokens, at + 1)
    if not has_article and not bare:
        return None
    inside = _is_inside(tokens, start)
    return _Quantity(start, at + 1, 1, 1, 1, inside, tokens[at] in _CIVILIAN)


def _is_object(tokens: list[str], at: int) -> bool:
    """Return whether a headline's bare subject suffers: "Policeman guarding team killed"."""
    for i in range(at, min(at + 6, len(tokens))):
        if tokens[i] in _SUFFERED:
            return tokens[i + 1 : i + 2] not in (["his"], ["her"], ["their"])
        if tokens[i] in _STOP or tokens[i] in _HARM:
            return False
    return False


def _verb_after(tokens: list[str], at: int) -> int | None:
    """Return the verb of harm that ends the noun phrase beginning at `at`, if one does."""
    for i in range(at, min(at + 9, len(tokens))):
        token = tokens[i]
        if token in _HARM:
            return i
        if token in ("shot", "gunned") or token in _BE:
            continue
        if token in _STOP or token in (";", ":"):
            return None
    return None


def _verb_before(tokens: list[str], at: int) -> int | None:
    """Return the verb of harm whose object begins at `at`, if one stands just before."""
    for i in range(at - 1, max(-1, at - 7), -1):
        token = tokens[i]
        if token in _HARM:
            return None if token in _AFTER_NUMBER else i
        if token in _STOP or token in (",", ";", ":") or token in _BE:
            return None
    return None


def _is_list(tokens: list[str], last: _Quantity, this: _Quantity) -> bool:
    between = tokens[last.end : this.start]
    joined = "and" in between or "," in between
    return joined and len(between) <= 7 and _HARM_OR_STOP.isdisjoint(between)


def _assign(tokens: list[str], quantities: list[_Quantity]) -> list[int | None]:
    """Return for each number the verb of harm that it belongs to."""
    if not quantities:
        return []
    verbs: list[int | None] = []
    for q in quantities:
        before, after = _verb_before(tokens, q.start), _verb_after(tokens, q.end)
        passive = before is not None and before and tokens[before - 1] in _BE
        if before is not None and not passive and not _ends_own_clause(tokens, q, after):
            verbs.append(before)
        else:
            verbs.append(after)
    # A list takes the verb of its last member ("two policemen and five rebels were killed"), or of
    # its first ("killed two policemen and five rebels").
    active = {v for q, v in zip(quantities, verbs, strict=True) if v is not None and v < q.start}
    subjects = {
        i
        for i, q in enumerate(quantities)
        if verbs[i] is not None and verbs[i] in active and (verbs[i] or 0) >= q.end
    }
    verbs = [None if i in subjects else verb for i, verb in enumerate(verbs)]
    for i in range(len(quantities) - 1, 0, -1):
        if verbs[i - 1] is None and _is_list(tokens, quantities[i - 1], quantities[i]):
            verbs[i - 1] = verbs[i]
    for i in range(1, len(quantities)):
        if verbs[i] is None and _is_list(tokens, quantities[i - 1], quantities[i]):
            verbs[i] = verbs[i - 1]
    return verbs


def _ends_own_clause(tokens: list[str], q: _Quantity, after: int | None) -> bool:
    """Return whether the verb after a number takes it away from the verb before: "4 wounded"."""
    if after is None:
        return False
    between = tokens[q.end : after]
    return "and" not in between and "," not in between


def _total(chosen: list[_Quantity]) -> Casualties | None:
    whole = [q for q in chosen if not q.inside] or chosen
    if not whole:
        return None
    first, *others = whole
    low, best, high = first.low, first.best, first.high
    for q in others:
        low, best, high = low + q.low, best + q.best, high + q.high
    return Casualties(low, best, high)


def harm(sentence: str) -> Harm:
    """Return the casualties that a lower-case sentence states.

    >>> harm("a blast killed at least 12 people and wounded four others").injured
    Casualties(low=4, best=4, high=4)
    """
    if "no" in sentence and _NONE_HURT.search(sentence) and not _NO_WORD_YET.search(sentence):
        return Harm(ZERO, ZERO)
    for part, pattern, word in _SAME:
        if part in sentence:
            sentence = pattern.sub(word, sentence)
    tokens = _TOKEN.findall(sentence)
    quantities = [] if _HARM.isdisjoint(tokens) else _quantities(tokens)
    killed: list[_Quantity] = []
    injured: list[_Quantity] = []
    for quantity, verb in zip(quantities, _assign(tokens, quantities), strict=True):
        if verb is not None:
            (killed if tokens[verb] in _KILL else injured).append(quantity)
    dead = _total(killed)
    toll = _TOLL.search(sentence) if "toll" in tokens or "dead" in tokens else None
    if toll and (count := _value(toll[1])):
        dead = Casualties(count, count, count)
    civilians = _total([q._replace(inside=False) for q in killed if q.civilian])
    if civilians and dead and civilians.best > dead.best:
        civilians = dead
    told_again = toll is not None or not {"update", "updated", "revised", "now"}.isdisjoint(tokens)
    risen = told_again and dead is not None and _RISEN.search(sentence) is not None
    return Harm(dead, _total(injured), civilians, risen)
