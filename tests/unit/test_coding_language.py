"""Which language a text is in: headlines as they come, and all that is not one of ours."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.coding.language import identify
from detectors.coding.script import fold

CODES = {"ps", "fa", "ur", "ar", "en", "und"}
ARABIC_KEYBOARD = str.maketrans("یک", "يك")

HEADLINES = [
    ("ps", "په کندهار کې د یوې چاودنې له امله دوه کسان ووژل شول"),
    ("ps", "د پېښور په ښار کښے په پولیسو برید شوے دے"),  # as typed in Peshawar
    ("ps", "په هلمند کی درې ملکیان ټپیان شوي دي"),
    ("ps", "ننګرهار: پولیس وايي بند لار پرانیستل شوه"),
    ("fa", "انفجار در شهر هرات سه کشته بر جا گذاشت"),
    ("fa", "طالبان از کشته شدن دو تن در بدخشان خبر می‌دهند"),
    ("fa", "والی خیبر پښتونخوا به اسلام آباد رفت و با رئیس جمهور دیدار کرد"),
    ("ur", "کوئٹہ میں دھماکے سے تین افراد جاں بحق، دس زخمی"),
    ("ur", "وزیرستان: فورسز کی کارروائی میں چھ دہشت گرد ہلاک"),
    ("ar", "مقتل ثلاثة أشخاص في انفجار قرب مسجد في كابول"),
    ("ar", "الأمم المتحدة تحذر من نقص الغذاء في أفغانستان"),
    ("ar", "باكستان: هجوم على نقطة تفتيش قرب الحدود"),
    ("en", "Three killed in a blast near a mosque in Kabul"),
    ("en", "Gunmen storm Kunduz prison"),
    ("en", "TTP claims Peshawar raid"),
]


@pytest.mark.parametrize(("code", "text"), HEADLINES)
def test_headlines(code: str, text: str) -> None:
    assert identify(text).code == code


@pytest.mark.parametrize(("code", "text"), HEADLINES)
def test_headlines_from_an_arabic_keyboard(code: str, text: str) -> None:
    assert identify(text.translate(ARABIC_KEYBOARD)).code == code


@pytest.mark.parametrize(("code", "text"), HEADLINES)
@pytest.mark.parametrize("declared", ["ps", "fa-AF", "ur_PK", "ar", "en-GB"])
def test_a_declaration_that_the_text_contradicts_is_not_believed(
    code: str, text: str, declared: str
) -> None:
    found = identify(text, declared)
    if found.reason == "model":  # the text leaves it open
        assert found.code in (code, declared[:2])
    elif text != "Gunmen storm Kunduz prison" and code != "en":
        assert found.code == code


@pytest.mark.parametrize(
    ("text", "declared", "code"),
    [
        ("بازسازی پل", "prs", "fa"),
        ("پشاور", "ps", "ps"),
        ("کراچی", "urd", "ur"),
        ("Khost: Zadran, Sabari", "en", "en"),
        ("Khost: Zadran, Sabari", "ps", "und"),
        ("Drei Tote bei Anschlag in Kabul", "de", "und"),
        ("Kabul: trois morts dans une explosion", "en", "en"),
    ],
)
def test_a_declaration_settles_what_the_text_leaves_open(
    text: str, declared: str, code: str
) -> None:
    assert identify(text, declared).code == code


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no-letters"),
        (" \n\t", "no-letters"),
        ("12 … 34 !!! ۱۲ %", "no-letters"),
        ("😀😀😀", "no-letters"),
        ("\ud800\udfff\0", "no-letters"),
        ("Взрыв в Кабуле, 12 погибших", "other-script"),
        ("喀布尔爆炸", "other-script"),
        ("काबुल में धमाका", "other-script"),
        ("Kabul mein dhamaka, 12 afraad halak", "roman-urdu"),
        ("Peshawar ke bazaar se 3 log giraftar", "roman-urdu"),
        ("Wazir-e-Azam ne kaha hai ke halaat theek hain", "roman-urdu"),
        ("Police ka operation, do dehshatgard halak ho gaye", "roman-urdu"),
        ("Explosion à Kaboul, 12 morts", "other-language"),
        ("Zwölf Tote bei einem Anschlag in der Stadt Kabul", "other-language"),
        ("Kabil'de patlama: 12 ölü", "other-language"),
        ("سنڌ ۾ ڌماڪو، 12 ماڻهو مارجي ويا", "other-language"),  # Sindhi
        ("لە تەقینەوەیەک لە کابول ١٢ کەس کوژران", "other-language"),  # Kurdish
    ],
)
def test_what_is_none_of_the_five_languages(text: str, reason: str) -> None:
    found = identify(text)
    assert (found.code, found.reason) == ("und", reason)


@pytest.mark.parametrize("declared", ["en", "ur", None])
def test_urdu_in_latin_letters_is_never_english(declared: str | None) -> None:
    found = identify("Karachi mein barish, shehri pareshan", declared)
    assert (found.code, found.reason) == ("und", "roman-urdu")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("به گفتهٔ Human Rights Watch در کابل", "fa"),
        ("The word طالبان was painted on walls of the city", "en"),
        ("ISPR کے مطابق آپریشن میں TTP کے 3 دہشت گرد ہلاک", "ur"),
    ],
)
def test_texts_in_two_scripts(text: str, code: str) -> None:
    assert identify(text).code == code


@given(st.text(), st.none() | st.text(max_size=5))
@settings(deadline=None)
def test_any_text_gives_a_language(text: str, declared: str | None) -> None:
    found = identify(text, declared)
    assert found.code in CODES
    assert 0 <= found.confidence <= 1
    assert found == identify(text, declared, fold(text))


def test_five_megabytes_are_read_at_the_head_alone() -> None:
    text = HEADLINES[0][1] + " "
    assert identify(text * 50_000) == identify(text * 10)


def test_the_model_is_read_once_and_nothing_else_is_touched() -> None:
    """Its package reads through a temporary file, which a container may not have room for."""
    code = (
        "import sys\n"
        "from detectors.coding.language import identify\n"
        "import py3langid.langid, logging, threading\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, args: seen.append(str(args[0]))"
        " if event in ('open', 'socket.connect', 'subprocess.Popen') else None)\n"
        "for text in ('كابول', 'Gunmen storm Kunduz', 'كابول'): identify(text)\n"
        "seen = [name for name in seen if not name.endswith(('.py', '.pyc', '.so'))]\n"
        "assert len(seen) == 1 and seen[0].endswith('model.npz.xz'), seen\n"
        "assert threading.active_count() == 1 and not logging.root.handlers\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
