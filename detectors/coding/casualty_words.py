"""The English words that tell how many were killed and injured, for `casualties.py`."""

from __future__ import annotations

import re
from typing import Final


def words_of(words: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(words.split())


ONES: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
TENS: Final = (
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip
WORDS: Final[dict[str, int]] = (
    {word: n for n, word in enumerate(ONES) if n}
    | {word: 10 * n for n, word in enumerate(TENS, 2)}
    | {
        f"{ten}-{one}": 10 * n + m
        for n, ten in enumerate(TENS, 2)
        for m, one in enumerate(ONES[:10])
        if m
    }
    | {"dozen": 12}
)
NUMBER_WORD: Final = "|".join(sorted(WORDS, key=len, reverse=True))
#: Vague numbers: at least, and at most, what they say.
VAGUE: Final = {"dozens": (24, 99), "scores": (40, 99), "hundreds": (200, 999)}

TOKEN: Final = re.compile(
    r"\d{1,3}(?:,\d{3})+|\d+(?:-(?=\d)|(?:st|nd|rd|th)\b)?|[a-z]+(?:['-][a-z]+)*|[,;:]"
)
KILL: Final = words_of(
    "killed kill kills killing dead died die dies slain martyred slay slays eliminated eliminate "
    "eliminates eliminating neutralised neutralized murdered executed beheaded deaths fatalities "
    "lives perished perish perishes claiming assassinated"
)
INJURE: Final = words_of(
    "wounded wound wounds wounding injured injure injures injuring hurt injuries maimed"
)
#: Verbs whose number always stands before them.
AFTER_NUMBER: Final = words_of(
    "dead died die dies slain deaths fatalities lives injuries perished perish perishes hurt"
)
BE: Final = words_of("was were been be is are being have has had also reportedly got")
#: Before a verb of harm: its subject suffers it.
PASSIVE: Final = words_of("was were been be is are being got gets")
LESS: Final = words_of("at least up to over more than about around some nearly almost")
PERSON: Final = words_of(
    "person man woman boy girl child civilian soldier policeman policewoman officer constable "
    "commander militant insurgent terrorist fighter attacker gunman bomber guard driver journalist "
    "reporter teacher doctor student worker leader official chief governor judge cleric elder "
    "villager passerby passer-by labourer trader levy levyman cop member bystander prisoner cop "
    "resident shopkeeper lawyer prosecutor councillor candidate vaccinator trooper "
    "sepoy minister mayor senator lawmaker professor nurse farmer shepherd tribesman "
    "captain major colonel rebel suspect assailant bodyguard aide activist imam scholar engineer "
    "interpreter translator employee driver pilot infiltrator preacher prosecutor nazim"
)
#: After a word for a person: "terrorist group" is not one person.
COLLECTIVE: Final = words_of(
    "group groups team teams unit network cell cells faction wing force forces squad gang attack "
    "attacks hideout hideouts base convoy vehicle post family families leaders members training "
    "operation operations house home body bodies"
)
#: Words that may count people.
COUNTED: Final = frozenset(WORDS) | frozenset(VAGUE) | PERSON | {"many"}
CIVILIAN: Final = words_of(
    "civilian civilians women woman children child worshippers worshipers students student "
    "villagers passengers pilgrims labourers laborers miners tribesmen boy girl boys girls "
    "bystanders residents schoolchildren teachers teacher"
)
NOT_PEOPLE: Final = words_of(
    "year years year-old day days hour hours minute minutes week weeks month months km kilometres "
    "kilometers miles mile metres meters percent per rupees dollars vehicle vehicles motorcycle "
    "motorcycles weapons rifles kg kilograms provinces province districts district attack attacks "
    "operation operations houses house checkpoints checkpoint outposts posts explosions blasts "
    "bombs rounds mines strikes airstrikes raids clashes incidents incident villages village am pm "
    "o'clock buildings shops schools separate different places locations times hideouts tanks "
    "accidents crossings homes camps bases cars trucks buses "
    "january february march april june july august september october november december jan feb "
    "mar apr jun jul aug sept sep oct nov dec gmt"
)
#: Of these, what several people may belong to: "5 district police".
OF_ONE: Final = words_of(
    "province district attack operation checkpoint village vehicle incident motorcycle"
)
MONTHS: Final = words_of(
    "january february march april june july august september october november december jan feb mar "
    "apr jun jul aug sept sep oct nov dec"
)
STOP: Final = words_of(
    "in by after when while who that which said says but before during during from near since "
    "with where as on into against across captured arrested detained destroyed held seized "
    "rescued kidnapped abducted surrendered freed capture captures arrest arrests detain detains "
    "destroy destroys hold seize seizes rescue rescues kidnap kidnaps abduct abducts free frees "
    "caught nabbed apprehended released"
)
SPEAKS: Final = words_of("said says told tells confirmed confirms reported added announced stated")
INSIDE: Final = words_of("including among whom")
HARM: Final = KILL | INJURE
HARM_OR_STOP: Final = HARM | STOP
SUFFERED: Final = words_of("killed dead slain martyred wounded injured hurt assassinated beheaded")
BREAKS: Final = STOP | {",", ";", ":", "and"}
#: Who is hurt beside the one that is named: "a commander with four colleagues".
FELLOWS: Final = words_of(
    "colleagues men others fighters bodyguards aides guards companions associates comrades friends "
    "accomplices members people soldiers policemen militants insurgents supporters relatives "
    "colleague bodyguard guard aide companion"
)
ENDS_NOUN: Final = HARM_OR_STOP | INSIDE | {",", "and"}
BEFORE_NUMBER: Final = LESS | {"as", "many", "a", "total", "of"}
NO_ONE: Final = (
    r"(?:no one|nobody)(?: else)? (?:was|were|is|has been) (?:killed|hurt|injured|harmed)"
)
NONE_HURT: Final = re.compile(
    rf"\b(?:no (?:loss of life|casualties|casualty|injuries or deaths|deaths or injuries)|{NO_ONE}"
    r"|without (?:any )?casualties|caused no casualties)\b"
)
#: "No one was killed, 5 Taliban were": what the others were is said once.
ELLIPSIS: Final = re.compile(
    r"\b(?:no one|nobody) (?:was|were) (killed|hurt|injured)\b([^.;]{0,60}?)"
    r"\b(was|were)\b(?=\s*(?:[.,;]|$))"
)
NO_WORD_YET: Final = re.compile(r"\bno (?:immediate )?(?:reports?|word|information|details)\b")
#: Phrases that say the same as one word of the lists above, each with a part to look for first.
SAME: Final = (
    *(
        (f" {word} ", re.compile(rf"\b{word} (?=killed|dead|slain|wounded|injured)"), "")
        for word in ("said", "reported", "feared", "believed")
    ),
    (
        "death",
        re.compile(
            rf"\bdeaths? of (?=(?:at least |about |around |over )?(?:\d|an? |{NUMBER_WORD}\b))"
        ),
        "killed ",
    ),
    # A wire's "UPDATE 1-Seven killed" counts nobody.
    ("update", re.compile(r"^\W*(?:update|wrapup|refile|corrected|recast) ?\d+-"), ""),
    (" dead", re.compile(r"\bsho(?:t|ots?) dead\b"), "killed"),
    ("shot and", re.compile(r"\bshot and killed\b"), "killed"),
    ("gun", re.compile(r"\b(?:gunned|guns?) down\b"), "killed"),
    ("lives of", re.compile(r"\b(?:took|taken|claim(?:s|ed|ing)?) the lives of\b"), "killed"),
    ("lost ", re.compile(r"\blost (?:their|his|her) li(?:ves|fe)\b"), "died"),
    ("martyrdom", re.compile(r"\bembraced martyrdom\b"), "died"),
    (" injuries", re.compile(r"\b(?:sustained|suffered|received) (?:\w+ )?injuries\b"), "hurt"),
    # "12 killed and wounded": how many of each is not said.
    (
        "kill",
        re.compile(
            r"\bkill(?:ed)?(?:,| and| or) (?:wounded|injured)"
            r"(?= (?:in|on|by|when|as|during|after)\b|\W*$)"
        ),
        "harmed",
    ),
)
TOLL: Final = re.compile(
    r"\b(?:toll|number of (?:the )?dead|number of (?:deaths|people killed)|put the dead)\b"
    r"[^;]{0,160}?"
    r"\b(?:to|at|of|is|now|reaches|reached|hits) (?:now )?"
    rf"(?:at least |no fewer than |around |about )?(\d+|{NUMBER_WORD})\b"
)
RISEN: Final = re.compile(
    r"\b(?:toll|number of (?:the )?dead|number of (?:deaths|people killed))\b[^;]{0,80}?"
    r"\b(?:ris(?:es|en|ing)|rose|climb(?:s|ed)|increase[sd]|jump(?:s|ed))\b"
    r"|^\W*update:|\bnow (?:dead|known to have)\b|\b(?:updated|revised) (?:death )?toll\b"
)
