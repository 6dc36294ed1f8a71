"""In which language a text is written: Pashto, Persian, Urdu, Arabic, English, or none of these.

Letters and function words settle most texts in a few microseconds. What they leave doubtful goes to
py3langid's model and is weighed together with them. A text typed on a keyboard that gives Arabic
yeh and kaf (ي ك) goes there twice, as it stands and with the Persian letters, since Persian so
typed looks like Arabic to the model. Dari and Farsi are both `fa`: a text seldom tells them apart,
its source does.

What a source declares is evidence, not proof: it settles what the text leaves open. Urdu in Latin
letters is known as such and not coded.
"""

from __future__ import annotations

import codecs
import io
import lzma
import math
from array import array
from copy import copy
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final, cast

import msgspec
import numpy as np

from detectors.coding.script import Folded, fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

#: Characters that tell the language; the rest is not read.
ENOUGH: Final = 400

#: What a source may declare (ISO 639-1, 639-2, 639-3; a region is cut off), as it is called here.
_DECLARED: Final = {
    **dict.fromkeys(("ps", "pus", "pbt", "pbu", "pst"), "ps"),
    **dict.fromkeys(("fa", "fas", "per", "prs", "pes"), "fa"),
    **dict.fromkeys(("ur", "urd"), "ur"),
    **dict.fromkeys(("ar", "ara", "arb"), "ar"),
    **dict.fromkeys(("en", "eng"), "en"),
    **dict.fromkeys(("", "und", "mul", "mis", "zxx"), ""),
}
_ARABIC_SCRIPT: Final = ("ps", "fa", "ur", "ar")
#: Languages of Latin letters that the model is asked to tell from English.
_LATIN: Final = (
    *("en", "de", "fr", "es", "it", "pt", "nl", "tr", "az", "uz", "tk", "id", "ms", "sw", "so"),
    *("pl", "ro", "cs", "hu", "sv", "da", "no", "fi", "sq", "hr", "vi"),
)

#: Letters by what they tell; each class is counted under the byte that stands for it.
_CLASSES: Final = {
    b"p": "ټډړږښڼځڅېۍګ",  # Pashto alone
    b"u": "ٹڈڑںہھۂۃ",  # Urdu alone; ے is typed in Peshawar's Pashto too
    b"f": "پچژگےۓ",  # any but Arabic
    b"r": "ةأإ",  # Arabic, seldom in the others
    b"s": "ٻڀٿٽٺڄڃڇڌڏڊڍڦڱڻڳ۾ێۆڕڵۇۈۋڭ",  # Sindhi, Kurdish, Uyghur
    b"e": "ە",  # Kurdish and Uyghur, where their other letters are
    b"y": "یک",  # the Persian keyboard
    b"k": "يك",  # the Arabic keyboard
    b"a": "ءآابتثجحخدذرزسشصضطظعغفقلمنهوىئؤۀٱ",
    b"l": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZáéíóúüöäçāīūñ",
}
_LETTERS: Final = "".join(_CLASSES.values())
_PAGE: Final = codecs.charmap_build("\0" + _LETTERS)
_KINDS: Final = (
    b" " + b"".join(kind * len(chars) for kind, chars in _CLASSES.items())
).ljust(256)  # fmt: skip

#: Words of one language that the others have not, or seldom: function words, and what news is never
#: without. In any spelling; they are folded.
_WORDS: Final = {
    "ps": """
        د په چې له ته څخه شوي شوی سره دا ده وو شي شی هغه لپاره توګه خو دوی شو شول شوه شوې کوي
        کړي کړی کړ کړه وکړ وکړل وکړه وویل ويلي څو یوه لري کېږي خپل خپلو داسې وروسته باندې پورې
        لاندې موږ دی يې نه ووژل مړه مهال امله ځکه لکه یوې مخکې هېواد خلکو کسانو کال کله بیا کلن
        شمېر
    """,
    "fa": """
        در به از را است با این برای می های شد شده شدن بود کرد گفت کرده کردند شدند کند شود دارد
        داشت اند نیز توسط اینکه اما ها خود خواهد دیگر گفته هستند یک و نمی کشته آنها پس بر اظهار
        اعلام گزارش نفر چهار بدون کشور همه داد داده کردن باشد پیش روز جمهور سخنگوی مورد باعث
        هزار تن بودند
    """,
    "ur": """
        کے میں نے ہے کو سے اور کا ہیں کر کیا لیے ہو ساتھ کہا نہیں گیا یہ وہ تھا تھی تھے بھی ہوئے
        ہونے رہا رہے رہی اپنے جو جب تک گئے گئی والے والی ایک اس بتایا کرنے دیا انہوں جس لیکن
        جبکہ گا گی گے بارے کچھ مطابق دوران جانب افراد وزیر کم
    """,
    "ar": """
        في إلى التي الذي هذا هذه عن مع قد ذلك حيث كان كانت وقال قال الذين لم خلال منذ وقد وفي
        وهو أنه تم كما نحو حول يوم عاما عبر لدى سوف دون بسبب هناك لها ولكن فيها فيه وكان وكانت
        مقتل إصابة عند عندما يبلغ فريق وأن وتم ومن
    """,
}
#: Words that one language has often and another now and then: heard only where there is doubt.
_LESS: Final = {
    "ps": "او هم کې",
    "fa": "که تا آن",
    "ur": "کہ کی پر ان",
    "ar": "من على أن إن لا ما بعد بين ضد هو كل",
}


def _folded(lists: Mapping[str, str]) -> dict[str, frozenset[str]]:
    return {code: frozenset(fold(words).plain.split()) for code, words in lists.items()}


_OF: Final = _folded(_WORDS)
_LESS_OF: Final = _folded(_LESS)
_TELLING: Final = frozenset[str]().union(*_OF.values())
#: The languages of each of the words.
_WHOSE: Final = {
    word: tuple(code for code in _ARABIC_SCRIPT if word in _OF[code]) for word in _TELLING
}
_ENGLISH_WORDS: Final = """
    the of and in by were after with from that which have been are his their its at near amid into
    against during between who not will would as said says to for on over killed kills attack
    attacks killing dead wounded injured bomb blast militants soldiers officials people forces
"""
#: Words of Urdu in Latin letters; one of the first alone tells, two of the others do.
_ROMAN_URDU_SURE: Final = """
    hai hain mein aur nahi nahin nahein bhi kya gaya gayi gaye raha rahi rahe liye kiya hoga karne
    unhon thay huay
"""
_ROMAN_URDU_WORDS: Final = """
    ke ki ko ne se tha thi ka kar yeh woh jo ek baad sath saath hua hui hue wala wale wali apne jab
    tak kay kha kaha
"""
_OTHER_WORDS: Final = """
    les des und der das los las que para con por una el la le et est dans pour sur avec von mit ist
    nicht ein eine den dem im zu auf il di della che per gli het een van niet ve bir icin ile bu
    yang dan dengan untuk dari va bilan uchun dos uma em nao
"""
_ENGLISH: Final = frozenset(_ENGLISH_WORDS.split())
_SURE_ROMAN: Final = frozenset(_ROMAN_URDU_SURE.split())
_ROMAN_URDU: Final = frozenset(_ROMAN_URDU_WORDS.split())
_OTHER: Final = frozenset(_OTHER_WORDS.split())
#: Of the model's probabilities; keeps its logarithm finite.
_FLOOR: Final = 1e-4
#: Undeclared Latin text is English unless the model finds English below the one and another
#: language above the other.
_UNLIKELY: Final = math.log(0.1)
_LIKELY: Final = math.log(0.5)
#: What one word or letter of a language is worth beside the model's log-probability, and what the
#: declaration of the source is. Chosen, as the two numbers below, on the first half of NTREX-128.
_POINT: Final = 2.0
#: Arabic against the others on the Arabic keyboard: how much the text as it stands counts beside
#: the text with Persian letters, and the head start.
_AS_TYPED: Final = 2 / 3
_HEAD_START: Final = 1.0
_TO_PERSIAN: Final = str.maketrans("يكى", "یکی")


class Language(msgspec.Struct, frozen=True, gc=False):
    """In which language a text is.

    Attributes:
        code: `ps`, `fa`, `ur`, `ar`, `en`, or `und` for any other and for none.
        confidence: From 0 to 1. Of `und`: how sure it is that the text is none of the five.
        reason: What told: `words` (with letters), `model`, `declared` (nothing speaks against it),
            `script` (no sign of another language); of `und`: `no-letters`, `other-script`,
            `other-language`, `roman-urdu`.
    """

    code: str
    confidence: float
    reason: str


#: On NTREX-128's first half, Arabic script, eight words: two words or letters of one language, and
#: thrice as many as of any other, were right in 2,222 of 2,222 texts; one in a text of at least so
#: many letters in 173 of 173 (at five words in 198 of 200).
_SURE: Final = 0.999
_LESS_SURE: Final = 0.98
_LONG: Final = 25
_NO_LETTERS: Final = Language("und", 1.0, "no-letters")
_OTHER_SCRIPT: Final = Language("und", 1.0, "other-script")
_OTHER_LANGUAGE: Final = Language("und", 0.9, "other-language")
_ROMAN: Final = Language("und", 0.95, "roman-urdu")
_BY_WORDS: Final = {code: Language(code, _SURE, "words") for code in (*_ARABIC_SCRIPT, "en")}
_BY_ONE_WORD: Final = {code: Language(code, _LESS_SURE, "words") for code in _ARABIC_SCRIPT}
_DECLARED_ENGLISH: Final = Language("en", 0.95, "declared")
_LATIN_LETTERS: Final = Language("en", 0.7, "script")


def identify(text: str, declared: str | None = None, folded: Folded | None = None) -> Language:
    """Return the language of `text`.

    Args:
        text: The original text: folding takes away letters that tell.
        declared: What the source says of it, as a language tag.
        folded: `fold(text)`, where the caller has it.

    >>> identify("در انفجاری در شهر کابل دوازده تن کشته شدند").code
    'fa'
    >>> identify("Kabul mein dhamaka, 12 afraad halak ho gaye").reason
    'roman-urdu'
    """
    head = text[:ENOUGH]
    kinds = codecs.charmap_encode(head, "ignore", _PAGE)[0].translate(_KINDS, b"\0")
    latin = kinds.count(b"l")
    if 2 * len(kinds) <= len(head) and (lacking := _lacking(head, kinds)):
        return lacking
    plain = (folded or fold(head)).plain[:ENOUGH]
    said = _declared(declared)
    arabic = len(kinds) - latin
    if latin > 3 * arabic or (latin > arabic and len(_ENGLISH.intersection(plain.split())) > 1):
        return _latin(plain, head, said)
    return _arabic(plain, head, kinds, said)


def _declared(tag: str | None) -> str:
    """Return the declared language as it is called here, `""` for none, else the tag itself."""
    if not tag:
        return ""
    primary = tag.replace("_", "-").split("-", 1)[0].strip().lower()
    return _DECLARED.get(primary, primary)


def _lacking(head: str, kinds: bytes) -> Language | None:
    """Return why a text with few known letters has no language here, if it has none."""
    known = len(kinds)
    unknown = sum(map(str.isalpha, head)) - known
    if unknown > known:
        return _OTHER_SCRIPT
    return None if known else _NO_LETTERS


def _latin(plain: str, head: str, said: str) -> Language:
    """Return the language of a text in Latin letters: English or none of ours."""
    words = set(plain.split())
    english, other = len(words & _ENGLISH), len(words & _OTHER)
    roman = len(words & _ROMAN_URDU) + 2 * len(words & _SURE_ROMAN)
    if roman > 1 and roman > english:
        return _ROMAN
    if other > 1 and other > english:
        return _OTHER_LANGUAGE
    if english > 1 or (english > other and _english_by_one(head, said)):
        return _BY_WORDS["en"]
    if said:
        return _DECLARED_ENGLISH if said == "en" else _OTHER_LANGUAGE
    # Hardly a word that tells: "12 Tote in Kabul", "Gunmen storm Kunduz prison".
    odds = _odds(head, _LATIN)
    foreign = odds["en"] < _UNLIKELY and max(odds.values()) > _LIKELY
    return _OTHER_LANGUAGE if foreign else _LATIN_LETTERS


def _english_by_one(head: str, said: str) -> bool:
    """Return whether one English word suffices: "in" and "at" stand in German as well."""
    return said in (*_ARABIC_SCRIPT, "en") or (not said and head.isascii())


def _arabic(plain: str, head: str, kinds: bytes, said: str) -> Language:
    """Return the language of a text in Arabic letters."""
    words = set(plain.split())
    points = dict.fromkeys(_ARABIC_SCRIPT, 0)
    for word in words & _TELLING:
        for code in _WHOSE[word]:
            points[code] += 1
    pashto, urdu = kinds.count(b"p"), kinds.count(b"u")
    points["ps"] += pashto
    points["ur"] += urdu
    if not (pashto or urdu or b"f" in kinds):
        points["ar"] += kinds.count(b"r") + plain.count(" ال") + plain.startswith("ال")
    *_, second, first = sorted(points.values())
    strange = kinds.count(b"s")
    if strange or kinds.count(b"e") > 2:
        strange += kinds.count(b"e")
    if strange > 1 and 3 * strange > first:
        return _OTHER_LANGUAGE
    if first > 1 and first >= 3 * second:
        return _BY_WORDS[max(points, key=lambda code: points[code])]
    if first > second == 0 and len(kinds) >= _LONG:
        return _BY_ONE_WORD[max(points, key=lambda code: points[code])]
    if said and said not in _ARABIC_SCRIPT and said != "en":
        return _OTHER_LANGUAGE
    for code, seldom in _LESS_OF.items():
        points[code] += len(words & seldom)
    return _weigh(head, kinds, points, said)


def _weigh(head: str, kinds: bytes, points: Mapping[str, int], said: str) -> Language:
    """Return the language by the model, the points and what the source declares, together."""
    odds = _odds(head, _ARABIC_SCRIPT)
    if b"k" in kinds and b"y" not in kinds:
        typed = odds["ar"]
        odds = _odds(head.translate(_TO_PERSIAN), _ARABIC_SCRIPT)
        odds["ar"] = _AS_TYPED * typed + (1 - _AS_TYPED) * odds["ar"] + _HEAD_START
    for code in odds:
        odds[code] += _POINT * (points[code] + (code == said))
    best = max(odds, key=lambda code: odds[code])
    share = 1 / sum(math.exp(value - odds[best]) for value in odds.values())
    return Language(best, share, "model")


def _odds(text: str, codes: tuple[str, ...]) -> dict[str, float]:
    """Return the model's log-probabilities of `text` among the languages `codes`."""
    return {code: math.log(share + _FLOOR) for code, share in _model(codes).rank(text)}


class _Model:
    """What is used of py3langid, which has no types."""

    def rank(self, text: str) -> list[tuple[str, float]]:
        """Return the languages with their probabilities."""
        raise NotImplementedError

    def set_languages(self, langs: list[str]) -> None:
        """Choose among these languages alone."""
        raise NotImplementedError


@cache
def _packaged() -> _Model:
    """Return the packaged model: 70 MB, read in some 0.8 s, so it waits for the first doubt.

    The package's own reader unpacks 68 MB to a temporary file, for which a container may have
    neither leave nor room.
    """
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    packed = resources.files("py3langid").joinpath(MODEL_FILE).read_bytes()
    with np.load(io.BytesIO(lzma.decompress(packed)), allow_pickle=False) as table:
        labels = table["classes"].tolist()
        kept = [i for i, label in enumerate(labels) if label in (*_ARABIC_SCRIPT, *_LATIN)]
        model = LanguageIdentifier(
            table["ptc"][:, kept].astype(np.float32),
            table["pc"][kept],
            [labels[i] for i in kept],
            _plain_array(table["nextmove"]),
            table["out_feat"].tolist(),
            norm_probs=True,
            tk_row=_plain_array(table["nextmove_row"]),
        )
    return cast(_Model, model)


def _plain_array(numbers: NDArray[np.unsignedinteger]) -> array[int]:
    """Return the numbers as an array that is fast to index one by one."""
    return array({2: "H", 4: "I"}[numbers.itemsize], numbers.tobytes())


@cache
def _model(codes: tuple[str, ...]) -> _Model:
    """Return the model for these languages; the large tables are shared."""
    model = copy(_packaged())
    model.set_languages(list(codes))
    return model
