"""Whom a sentence in Dari, Pashto, Urdu or Arabic counts among the killed.

The noun follows its number. In Dari and Arabic what it belongs to comes after it ("three members of
the police"), in Pashto and Urdu before it, or before the number ("of the police three members").
Where no number of killed is told, only a noun right beside the word of harm counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Final, NamedTuple

from detectors.coding import script
from detectors.coding.victims import KINDS, Lexicon, Victim, Word, lexicon

if TYPE_CHECKING:
    from detectors.coding.tolls import Token

_LONGEST: Final = 7  # tokens of a noun phrase
_CLAUSE: Final = 30  # tokens from the beginning of a clause to its verb
_AUXILIARIES: Final = 3  # tokens after a verb's own
_NO_NOUNS: Final = ("owner", "object", "death", "passive", "where", "some")
_BEFORE: Final = 4  # tokens of whom the counted belong to, before their number
_SHORTEST: Final = 4  # letters of a word in Arabic that may begin with the article
_ARTICLES: Final = ("ال", "لل")
_AND: Final = "و"
#: Endings of those who do something in Pashto, where their victim may be left out.
_AGENT: Final = "و"
_HARM: Final = frozenset(("kill", "injure"))
_HEAD_FIRST: Final = ("fa", "ar")
_NEIGHBOURS: Final = {"fa": ("ps", "ur"), "ps": ("fa", "ur"), "ur": ("ps", "fa"), "ar": ()}


class Names(NamedTuple):
    """The words of a language that tell who is counted, and how it orders them."""

    code: str
    words: Lexicon
    head_first: bool  # the noun comes before what it belongs to

    def kind(self, texts: Sequence[str]) -> str:
        """Return what the word that begins some words says of whom it names."""
        return self.words.at(texts, 0)[0].kind


@cache
def names(code: str) -> Names:
    """Return the words of a language that tell who is counted."""
    words = lexicon(code, partial(_keys, code=code), _NEIGHBOURS[code])
    return Names(code, words, code in _HEAD_FIRST)


def _keys(text: str, code: str) -> set[str]:
    phrase = script.key(text)
    if code != "ar":
        return {phrase}
    bare = _bare(phrase)
    indefinite = set() if " " in bare else {bare + "ا"}  # the ending of a counted noun
    return {bare, *indefinite}


def _bare(phrase: str) -> str:
    """Return a phrase in Arabic without articles."""
    return " ".join(
        word[2:] if word.startswith(_ARTICLES) and len(word) > _SHORTEST else word
        for word in phrase.split()
    )


def victims(
    tokens: Sequence[Token],
    killed: Iterable[tuple[int, int]],
    known: Names,
    *,
    whole: bool,
) -> tuple[Victim, ...]:
    """Return whom a sentence counts among the killed.

    Args:
        tokens: The words of the sentence.
        killed: Where the numbers of killed stand, and the nouns that count one by themselves.
        known: The language's words.
        whole: Whether one of them counts all the killed; if not, words of harm without a number
            count.
    """
    texts = _texts(tokens, known)
    found = [_counted(tokens, texts, start, end, known) for start, end in killed]
    if not whole:
        found += _uncounted(tokens, texts, known)
    return tuple(filter(None, found))


def _texts(tokens: Sequence[Token], known: Names) -> list[str]:
    texts = [token.text for token in tokens]
    return [_bare(text) for text in texts] if known.code == "ar" else texts


def _at(
    tokens: Sequence[Token], texts: Sequence[str], at: int, end: int, known: Names
) -> tuple[Word, int]:
    """Return what the word at a token says, and the token after it; nothing gives `at`."""
    word, after = known.words.at(texts, at, end)
    if after == at and known.code == "ar" and texts[at].startswith(_AND):
        alone = _bare(texts[at][1:]), *texts[at + 1 : end]
        word, length = known.words.at(alone, 0) if alone[0] else (word, 0)
        after = at + length
    classes = tokens[at].classes
    if after == at and ("civilian" in classes or "person" in classes):
        after = at + 1
        while after < end and not tokens[after].starts:
            after += 1
        word = Word("civilians" if "civilian" in classes else "member")
    return word, after


def _read(
    tokens: Sequence[Token], texts: Sequence[str], start: int, end: int, known: Names
) -> list[Word]:
    """Return the nouns of the phrase that begins at a token, in order."""
    return _spanned(tokens, texts, start, end, known)[0]


def _spanned(
    tokens: Sequence[Token], texts: Sequence[str], start: int, end: int, known: Names
) -> tuple[list[Word], int]:
    """Return the nouns of the phrase that begins at a token, and the token after it."""
    found: list[Word] = []
    at, last = start, min(start + _LONGEST, end)
    while at < last:
        token = tokens[at]
        if token.clause != tokens[start].clause or _is_harm(token):
            break
        word, after = _at(tokens, texts, at, last, known)
        if after == at or word.kind in _NO_NOUNS:
            break
        if word.kind != "link":
            found.append(word)
        elif any(one.kind in KINDS for one in found) and known.code == "ar":
            break  # "soldiers in an attack by gunmen"
        at = after
    return found, at


def _is_harm(token: Token) -> bool:
    """Return whether a token tells of harm alone: "six civilians' life took" is one term."""
    return not token.classes.isdisjoint(_HARM) and "civilian" not in token.classes


def _counted(
    tokens: Sequence[Token], texts: Sequence[str], start: int, end: int, known: Names
) -> Victim | None:
    """Return whom the number, or the noun without one, at some tokens counts."""
    itself = _read(tokens, texts, start, end, known)  # "two policemen" in one word, or a noun
    if itself and not known.head_first:  # "polio personnel"
        longer = (known.words.at(texts, at, end) for at in range(max(0, start - _BEFORE), start))
        itself = next(([word] for word, stop in longer if stop == end), itself)
    after = _after(tokens, end)
    following = _read(tokens, texts, after, len(tokens), known) if after is not None else []
    # What follows a noun that ends its phrase is the verb's.
    found = itself if itself and not known.head_first else [*itself, *following]
    victim = _meant(found, known)
    if known.head_first or any(word.kind in ("other", "former") for word in found):
        return victim
    if victim is None or (victim.kind == "militants" and not victim.name):
        owners = _owners(tokens, texts, start, known, joined=bool(itself))
        return _meant([*owners, *found], known) or victim
    return victim


def _after(tokens: Sequence[Token], end: int) -> int | None:
    """Return where the noun of a number that ends before a token begins."""
    if end >= len(tokens) or tokens[end].clause != tokens[end - 1].clause:
        return None
    return end


def _owners(
    tokens: Sequence[Token], texts: Sequence[str], number: int, known: Names, *, joined: bool
) -> list[Word]:
    """Return whom the counted belong to, where that stands right before their number.

    In Pashto "of" comes before it ("د داعش ۱۱ جنګیالي"), in Urdu behind it ("داعش کے 11 جنگجو").
    A noun without a number may follow it at once (`joined`): "طالبان کمانڈر".
    """
    end = number
    if known.code == "ur" and end and known.words.at(texts, end - 1)[0].kind == "owner":
        end -= 1
    elif known.code == "ur" and not joined:
        return []
    for start in range(max(0, end - _BEFORE), end):
        if tokens[start].clause != tokens[number - 1].clause:
            continue
        word, after = known.words.at(texts, start, end)
        owned = start > 0 and known.words.at(texts, start - 1)[0].kind == "owner"
        if after == end and word.kind not in ("owner", "link", "member"):
            return [word] if known.code == "ur" or owned or joined else []
    return []


def _meant(found: Sequence[Word], known: Names) -> Victim | None:
    """Return whom the nouns of a phrase name together."""
    if any(word.kind == "former" for word in found):
        return None
    told = [word for word in found if word.kind != "member"]
    if not told:
        return None
    head = told[0] if known.head_first else told[-1]
    if head.kind == "militants":  # the organisation that they are of says more
        return Victim(head.kind, next((word.name for word in told if word.name), None))
    return Victim(*head) if head.name or head.kind in KINDS else None


def _uncounted(
    tokens: Sequence[Token], texts: Sequence[str], known: Names
) -> Iterator[Victim | None]:
    """Yield whom the words of killing without a number are beside."""
    for at, token in enumerate(tokens):
        if "kill" not in token.classes or not token.starts:
            continue
        end = at + 1
        while end < len(tokens) and not tokens[end].starts:
            end += 1
        if known.head_first and _is_death(texts, at, end, known):
            start = _after(tokens, end)
            if start is not None:
                yield _meant(_read(tokens, texts, start, len(tokens), known), known)
        elif known.code != "ar":
            yield _beside(tokens, texts, at, end, known)


def _is_death(texts: Sequence[str], at: int, end: int, known: Names) -> bool:
    """Return whether a term is a noun of killing, so that its victim follows."""
    word, after = known.words.at(texts, at)
    return word.kind == "death" and after >= end


def _beside(
    tokens: Sequence[Token], texts: Sequence[str], at: int, verb: int, known: Names
) -> Victim | None:
    """Return whom a term of killing, from a token to that after its last, is done to.

    Who is marked as its object; or stands right before it; or begins the clause, followed by where
    it was, where the verb is in the passive voice.
    """
    first = at
    while first and tokens[first - 1].clause == tokens[at].clause:
        if at - first == _CLAUSE:
            return None
        first -= 1
    roles = [known.words.at(texts, i)[0].kind for i in range(first, at)]
    if "object" in roles:
        return _before(tokens, texts, first, first + roles.index("object"), known)
    victim = _before(tokens, texts, first, at, known)
    if victim is not None or known.code == "ur":
        return victim
    auxiliaries = range(at, min(len(texts), verb + _AUXILIARIES))
    passive = any(known.words.at(texts, i)[0].kind == "passive" for i in auxiliaries)
    if not passive or "where" not in roles:
        return None
    where = first + roles.index("where")
    words, end = _spanned(tokens, texts, first, where, known)
    agent = known.code == "ps" and texts[end - 1].endswith(_AGENT)
    return _meant(words, known) if end == where > first and not agent else None


def _before(
    tokens: Sequence[Token], texts: Sequence[str], first: int, end: int, known: Names
) -> Victim | None:
    """Return whom the noun phrase names that ends before a token, in the clause from `first` on."""
    for start in range(max(first, end - _BEFORE), end):
        words, after = _spanned(tokens, texts, start, end, known)
        told = [word for word in words if word.kind != "member"]
        # Of two nouns in Dari the first is somebody else: "rebels the soldiers killed".
        two = known.head_first and any(word.kind in KINDS for word in told[1:])
        victim = _meant(words, known) if after == end and not two else None
        if victim is None:
            continue
        role = known.words.at(texts, start - 1)[0].kind if start > first else ""
        if role == "link" and start - 1 > first:  # "some of the soldiers"
            role = known.words.at(texts, start - 2)[0].kind
        marked = end < len(texts) and known.words.at(texts, end)[0].kind == "object"
        if known.code == "fa" and not (marked or start == first or role == "some"):
            return None  # "in an attack of the Taliban killed"
        agent = known.code == "ps" and texts[end - 1].endswith(_AGENT)
        return None if agent or (known.code == "ps" and role == "owner") else victim
    return None
