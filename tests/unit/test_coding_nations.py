"""Whose an office is, and states that speak by their own name: the side of who speaks.

It never depends on the place that the sentence is about, but for bare "officials".
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from detectors.coding import code
from detectors.coding.nations import beside, governments
from detectors.coding.opening import opened
from detectors.coding.tongue import Sentence
from detectors.records import Event, Report

AT = datetime(2025, 10, 14, 9, tzinfo=UTC)  # the Taliban govern Afghanistan
AFG, PAK, ABROAD = "afg-authorities", "pak-authorities", "foreign-authorities"


def coded(title: str, at: datetime = AT) -> Event:
    report = Report(id="r", source="s", seen_at=at, title=title, published_at=at)
    (found,) = code([report])
    assert found.events, "no event"
    return found.events[0]


# fmt: off
#: A country's offices that speak of a place in the other, in forms that the rules were made for.
DESIGNED = [
    # English
    ("Pakistan's foreign office said militants based in Khost attacked its post, "
     "killing three soldiers.", (PAK,)),
    ("Pakistan's foreign office said that strikes in Khost killed ten militants.", (PAK,)),
    ("Pakistan's foreign office spokesman said strikes in Khost killed ten militants.", (PAK,)),
    ("A spokesman for Pakistan's foreign office said strikes in Khost killed ten "
     "militants.", (PAK,)),
    ("A spokesperson for Pakistan's ministry of foreign affairs said strikes in "
     "Khost killed ten militants.", (PAK,)),
    ("Strikes in Khost killed ten militants, Pakistan's foreign office said.", (PAK,)),
    ("Ten militants were killed in strikes in Khost, according to Pakistan's foreign "
     "ministry.", (PAK,)),
    ("Ten militants were killed in strikes in Khost, Islamabad said.", (PAK,)),
    ("Islamabad said ten militants were killed in strikes in Khost.", (PAK,)),
    ("Pakistan said ten militants were killed in strikes in Khost.", (PAK,)),
    ("Pakistan says ten militants killed in strikes in Khost", (PAK,)),
    ("It was said by Pakistan's foreign office that ten militants were killed in Khost.", (PAK,)),
    ("The Pakistani foreign office said ten militants were killed in Khost.", (PAK,)),
    ("The foreign office in Islamabad said ten militants were killed in Khost.", (PAK,)),
    ("Pakistani foreign ministry says ten militants killed in Khost strike", (PAK,)),
    ("Pakistan's defence minister said ten militants were killed in Khost.", (PAK,)),
    ("Pakistan's information minister told reporters that ten militants were killed "
     "in Khost.", (PAK,)),
    ("Pakistan's military said ten militants were killed in Khost.", (PAK,)),
    ("A Pakistani military spokesman said ten militants were killed in Khost.", (PAK,)),
    ("A spokesman for the Pakistani government said ten militants were killed in Khost.", (PAK,)),
    ("Ten militants were killed in Khost, a Pakistani security official said.", (PAK,)),
    ("Ten militants were killed in Khost, said Pakistan's foreign office.", (PAK,)),
    ("Officials in Islamabad said ten militants were killed in Khost.", (PAK,)),
    ("Afghanistan's foreign ministry said gunmen killed three Afghan refugees in Quetta.", (AFG,)),
    ("Kabul said a bomb killed three Afghan refugees in Quetta.", (AFG,)),
    ("Three Afghan refugees were shot dead in Quetta, Kabul said.", (AFG,)),
    ("Three refugees were shot dead in Quetta, Afghanistan's foreign ministry said.", (AFG,)),
    ("Three refugees were shot dead in Quetta, according to the Afghan foreign ministry.", (AFG,)),
    ("The Taliban government's spokesman said a bomb killed three refugees in Quetta.", (AFG,)),
    ("A spokesman for the Taliban government said a bomb killed three refugees in "
     "Quetta.", (AFG,)),
    ("The Taliban government's foreign ministry said a bomb killed three refugees in "
     "Quetta.", (AFG,)),
    ("Three refugees were killed in Quetta, the Taliban government's spokesman said.", (AFG,)),
    ("Afghan officials said a bomb killed three refugees in Quetta.", (AFG,)),
    ("The Afghan defence ministry said a bomb killed three refugees in Quetta.", (AFG,)),
    ("The ministry of defence in Kabul said a bomb killed three refugees in Quetta.", (AFG,)),
    ("The spokesman of Afghanistan's defence ministry said a bomb killed three "
     "refugees in Quetta.", (AFG,)),
    ("Afghanistan's Taliban government said a bomb killed three refugees in Quetta.", (AFG,)),
    ("It was claimed by Kabul's defence ministry that three soldiers were killed in "
     "Quetta.", (AFG,)),
    ("Pakistani aircraft bombed Khost, killing ten civilians, the Taliban "
     "government's spokesman said.", (AFG,)),
    ("Pakistani jets struck Khost and killed ten civilians, Afghanistan's defence "
     "ministry said.", (AFG,)),
    ("Pakistani forces killed ten civilians in Khost, Kabul says", (AFG,)),
    ("Ten people were killed when a bomb exploded in Kabul.", ()),
    ("Ten people were killed by a bomb in Khost, officials said.", (AFG,)),
    ("The interior ministry said a bomb killed ten people in Kabul.", (AFG,)),
    ("The foreign ministry said ten people were killed by Pakistani shelling in Khost.", (AFG,)),
    ("The foreign office said ten people were killed by Afghan shelling in Kurram.", (PAK,)),
    ("Afghanistan's foreign ministry said a bomb killed ten civilians in Khost; "
     "Pakistan's foreign office denied it.", (AFG, PAK)),
    ("India's foreign ministry said a bomb killed ten people in Khost.", (ABROAD,)),
    ("Iran's foreign ministry said a bomb killed two people in Panjgur.", (ABROAD,)),
    ("Tehran said a bomb killed two people in Panjgur.", (ABROAD,)),
    ("A bomb killed two Iranians in Panjgur, Iran's foreign ministry said.", (ABROAD,)),
    ("New Delhi said a bomb killed ten people in a bombing in Quetta.", (ABROAD,)),
    # Dari and Persian
    ("وزارت خارجه پاکستان گفت که در حمله در خوست ده شبه‌نظامی کشته شدند", (PAK,)),
    ("سخنگوی وزارت خارجه پاکستان گفت که در حمله در خوست ده شبه‌نظامی کشته شدند", (PAK,)),
    ("اسلام‌آباد گفت که در حمله در خوست ده شبه‌نظامی کشته شدند", (PAK,)),
    ("به گفته وزارت خارجه پاکستان، در حمله در خوست ده تن کشته شدند", (PAK,)),
    ("پاکستان اعلام کرد که در حمله هوایی در خوست ده تن کشته شدند", (PAK,)),
    ("ارتش پاکستان اعلام کرد که در حمله هوایی در خوست ده تن کشته شدند", (PAK,)),
    ("سخنگوی حکومت طالبان گفت که در حمله در کویته سه مهاجر کشته شدند", (AFG,)),
    ("وزارت خارجه افغانستان گفت که در حمله در کویته سه مهاجر کشته شدند", (AFG,)),
    ("کابل گفت که در حمله در کویته سه مهاجر کشته شدند", (AFG,)),
    # Pashto
    ("د پاکستان د بهرنیو چارو وزارت وویل چې په خوست کې په برید کې لس کسان ووژل شول", (PAK,)),
    ("د پاکستان د بهرنیو چارو وزارت ویاند وویل چې په خوست کې په برید کې لس کسان ووژل شول", (PAK,)),
    ("اسلام اباد وویل چې په خوست کې په برید کې لس کسان ووژل شول", (PAK,)),
    ("پاکستان وايي چې په خوست کې په برید کې لس کسان ووژل شول", (PAK,)),
    ("د افغانستان د بهرنیو چارو وزارت وویل چې په کوټه کې په برید کې درې کسان ووژل شول", (AFG,)),
    ("د طالبانو د حکومت ویاند وویل چې په کوټه کې په برید کې درې کسان ووژل شول", (AFG,)),
    ("کابل وویل چې په کوټه کې په برید کې درې کسان ووژل شول", (AFG,)),
    # Urdu
    ("پاکستان کے دفتر خارجہ نے کہا کہ خوست میں حملے میں دس افراد ہلاک ہوئے", (PAK,)),
    ("پاکستان کے دفتر خارجہ کے ترجمان نے کہا کہ خوست میں حملے میں دس افراد ہلاک ہوئے", (PAK,)),
    ("اسلام آباد نے کہا کہ خوست میں حملے میں دس شدت پسند ہلاک ہوئے", (PAK,)),
    ("پاکستان کا کہنا ہے کہ خوست میں حملے میں دس شدت پسند ہلاک ہوئے", (PAK,)),
    ("پاکستانی دفتر خارجہ کے مطابق خوست میں حملے میں دس افراد ہلاک ہوئے", (PAK,)),
    ("افغانستان کی وزارت خارجہ نے کہا کہ کوئٹہ میں حملے میں تین افراد ہلاک ہوئے", (AFG,)),
    ("افغان وزارت دفاع کے مطابق کوئٹہ میں حملے میں تین افراد ہلاک ہوئے", (AFG,)),
    ("کابل نے کہا کہ کوئٹہ میں حملے میں تین افراد ہلاک ہوئے", (AFG,)),
    ("طالبان حکومت کے ترجمان نے کہا کہ کوئٹہ میں حملے میں تین افراد ہلاک ہوئے", (AFG,)),
    # Arabic
    ("قالت وزارة الخارجية الباكستانية إن عشرة أشخاص قتلوا في هجوم في خوست", (PAK,)),
    ("قالت وزارة الدفاع الأفغانية إن ثلاثة أشخاص قتلوا في هجوم في كويتا", (AFG,)),
    ("قالت إسلام آباد إن عشرة أشخاص قتلوا في هجوم في خوست", (PAK,)),
]
#: The same in wordings that were written down before the rules, or after them without a look.
OTHERS = [
    # English
    ("At least eight fighters died in air strikes on Paktika, Pakistan's information "
     "ministry has announced.", (PAK,)),
    ("Gunmen from Kunar killed two soldiers, a senior Pakistani diplomat at the "
     "foreign office said on Friday.", (PAK,)),
    ("Islamabad on Thursday confirmed that it had carried out air strikes in Nangarhar.", (PAK,)),
    ("\"We struck terrorist hideouts in Khost,\" Pakistan's prime minister told "
     "parliament after the bombing.", (PAK,)),
    ("Air strikes in Paktika targeted militants, according to Islamabad.", (PAK,)),
    ("Air strikes in Paktika killed eight, according to a spokesman for Pakistan's army.", (PAK,)),
    ("The strikes in Paktika, Pakistan's powerful military said, killed eight militants.", (PAK,)),
    ("Police in Peshawar said the suicide bomber came from Khost and killed five people.", (PAK,)),
    ("Eight militants killed in Nangarhar strikes: Islamabad", (PAK,)),
    ("Eight militants killed in Nangarhar strikes: Pakistani foreign office", (PAK,)),
    ("Pakistan also claimed that eight militants had been killed in air strikes in "
     "Nangarhar.", (PAK,)),
    ("Eight militants were killed in air strikes in Nangarhar, announced Pakistan's "
     "ministry of information.", (PAK,)),
    ("Gunmen shot dead an Afghan cleric in Peshawar, the Taliban administration's "
     "foreign ministry announced.", (AFG,)),
    ("Kabul's foreign ministry said a bomb killed two Afghan traders in Peshawar.", (AFG,)),
    ("A bomb in Peshawar killed two Afghan traders, according to the Islamic "
     "Emirate's spokesman.", (AFG,)),
    ("Afghanistan said a bomb in Peshawar had killed two of its traders.", (AFG,)),
    ("According to Kabul, a bomb in Peshawar killed two Afghan traders.", (AFG,)),
    ("A bomb in Peshawar killed two Afghan traders, officials in Kabul said.", (AFG,)),
    ("Afghanistan's interior minister has said that gunmen killed two traders in "
     "Peshawar.", (AFG,)),
    ("Pakistani shelling killed four children in Kunar, the spokesperson of the "
     "Taliban government told reporters.", (AFG,)),
    ("Pakistani shelling killed four children in Kunar, Kabul has said.", (AFG,)),
    ("Kabul says Pakistani air strikes killed ten civilians in Khost, while "
     "Islamabad says they killed militants.", (AFG, PAK)),
    ("Afghan forces killed twelve soldiers in Kurram, Kabul said; Pakistan's "
     "military said nine were killed.", (AFG, PAK)),
    ("Iran's interior ministry said gunmen killed nine Pakistanis in an attack in "
     "Quetta.", (ABROAD,)),
    ("A bomb exploded in Kabul, killing ten people, as Pakistan played India.", ()),
    ("Gunmen attacked a convoy in Islamabad, killing two.", ()),
    ("Residents of Kabul said a bomb killed ten people.", ("independent",)),
    ("Pakistan: bomb kills ten in Quetta", ()),
    # Dari and Persian
    ("پاکستان می‌گوید که در حملات هوایی در پکتیکا هشت جنگجو کشته شدند", (PAK,)),
    ("در حملات هوایی در پکتیکا هشت جنگجو کشته شدند؛ وزارت اطلاعات پاکستان گفت", (PAK,)),
    ("وزیر دفاع پاکستان گفته است که در حملات هوایی در پکتیکا هشت جنگجو کشته شدند", (PAK,)),
    ("وزارت دفاع طالبان گفت که در انفجار در پیشاور دو بازرگان افغان کشته شدند", (AFG,)),
    ("کابل اعلام کرد که در انفجار در پیشاور دو بازرگان افغان کشته شدند", (AFG,)),
    ("باشندگان کابل گفتند که در انفجار ده تن کشته شدند", ("independent",)),
    # Pashto
    ("د پاکستان د دفاع وزیر وویل چې په پکتیکا کې په هوايي برید کې اته کسان ووژل شول", (PAK,)),
    ("د پاکستان پوځ وویل چې په پکتیکا کې په هوايي برید کې اته کسان ووژل شول", (PAK,)),
    ("پاکستان ویلي چې په پکتیکا کې په هوايي برید کې اته کسان ووژل شول", (PAK,)),
    ("د افغانستان د دفاع وزارت وایي چې په پېښور کې په چاودنه کې دوه کسان ووژل شول", (AFG,)),
    ("کابل وايي چې په پېښور کې په چاودنه کې دوه کسان ووژل شول", (AFG,)),
    # Urdu
    ("پاکستان کے وزیر دفاع نے کہا کہ پکتیکا میں فضائی حملے میں آٹھ شدت پسند ہلاک ہوئے", (PAK,)),
    ("پکتیکا میں فضائی حملے میں آٹھ شدت پسند ہلاک ہوئے، اسلام آباد نے بتایا", (PAK,)),
    ("پاکستان نے کہا ہے کہ پکتیکا میں فضائی حملے میں آٹھ شدت پسند ہلاک ہوئے", (PAK,)),
    ("افغانستان کی وزارت دفاع کے مطابق پشاور میں دھماکے میں دو تاجر ہلاک ہوئے", (AFG,)),
    ("افغان طالبان کے ترجمان کے مطابق پشاور میں دھماکے میں دو تاجر ہلاک ہوئے", (AFG,)),
    ("کابل کا کہنا ہے کہ پشاور میں دھماکے میں دو تاجر ہلاک ہوئے", (AFG,)),
    # Arabic
    ("قالت باكستان إن ثمانية مسلحين قتلوا في غارات جوية في باكتيكا", (PAK,)),
    ("أعلنت كابول أن اثنين قتلا في تفجير في بيشاور", (AFG,)),
    # English
    ("Three soldiers killed as militants attack post in Kurram; foreign office "
     "summons Afghan envoy, Pakistan says", (PAK,)),
    ("Militants who crossed from Paktika killed four soldiers, Pakistan's interior "
     "minister said on Sunday.", (PAK,)),
    ("Pakistani security sources said eight militants were killed in a drone strike "
     "in Nangarhar.", (PAK,)),
    ("An air strike killed eight militants in Nangarhar, a Pakistani government "
     "spokesman told AFP.", (PAK,)),
    ("Eight militants died in an air strike in Kunar, Pakistan's state media reported.", (PAK,)),
    ("Pakistan on Monday denied that its jets had bombed Kandahar and killed civilians.", (PAK,)),
    ("A bomb killed three people in Peshawar, Afghanistan's embassy said.", (AFG,)),
    ("Gunmen killed a former Afghan general in Karachi, the foreign ministry in "
     "Kabul said.", (AFG,)),
    ("Gunmen killed a former Afghan general in Karachi, said the Taliban's foreign "
     "ministry.", (AFG,)),
    ("The Afghan government has said gunmen killed two of its citizens in Karachi.", (AFG,)),
    ("Air strikes by Pakistan killed 46 people in Paktika, the Taliban government's "
     "deputy spokesman said.", (AFG,)),
    ("Kabul on Wednesday said Pakistani drones killed three civilians in Kandahar.", (AFG,)),
    ("Kabul and Islamabad said a bomb killed two people at the border in Kurram.", (AFG, PAK)),
    ("Bomb kills seven near Kabul airport", ()),
    ("Gunmen from Afghanistan killed two soldiers in Kurram", ()),
    ("A bomb killed four people in Quetta, Pakistani analysts said.", ("independent",)),
    # Dari and Persian
    ("مقام‌های پاکستانی گفتند که در حمله هوایی در ننگرهار هشت تن کشته شدند", (PAK,)),
    ("نخست‌وزیر پاکستان گفت که در حمله هوایی در ننگرهار هشت تن کشته شدند", (PAK,)),
    ("امارت اسلامی گفت که در انفجار در کویته دو تن کشته شدند", (AFG,)),
    # Pashto
    ("پاکستاني پوځ وویل چې په ننګرهار کې په هوايي برید کې اته کسان ووژل شول", (PAK,)),
    ("د افغانستان د بهرنیو چارو وزیر وویل چې په کراچۍ کې په برید کې دوه کسان ووژل شول", (AFG,)),
    # Urdu
    ("پاکستان کی وزارت خارجہ کے ترجمان نے کہا کہ ننگرہار میں حملے میں آٹھ افراد ہلاک "
     "ہوئے", (PAK,)),
    ("افغان حکومت کے ترجمان نے کہا کہ کراچی میں حملے میں دو افراد ہلاک ہوئے", (AFG,)),
    ("افغانستان کا کہنا ہے کہ کراچی میں حملے میں دو افراد ہلاک ہوئے", (AFG,)),
    # Mixed
    ("An attack that killed six soldiers in Bannu was planned in Afghanistan, "
     "Pakistan's interior ministry alleged.", (PAK,)),
    ("Pakistan has confirmed that a strike in Kabul killed a TTP commander.", (PAK,)),
    ("Drones killed four in Kandahar overnight - Pakistani officials", (PAK,)),
    ("The strike in Nangarhar killed nine, the Pakistani military's media wing said.", (PAK,)),
    ("Six soldiers killed in Kurram clash, Afghan defence ministry claims", (AFG,)),
    ('"A bomb killed two of our citizens in Quetta," the Afghan foreign minister '
     "said in Kabul.", (AFG,)),
    ("Afghanistan's Ministry of Defense says 58 soldiers killed in retaliatory "
     "attacks in Kurram", (AFG,)),
    ("A strike killed ten children in Khost, the UN and Kabul said.", (AFG, "un")),
    ("Kabul residents said a drone killed two people.", ("independent",)),
    ("Kabul blast kills four", ()),
    ("Washington said a drone strike killed an al-Qaeda leader in Kabul.", (ABROAD,)),
    ("سخنگوی ارتش پاکستان می‌گوید که در حمله در کنر هفت تن کشته شدند", (PAK,)),
    ("سخنگوی امارت اسلامی گفت که در حمله در وزیرستان هفت سرباز کشته شدند", (AFG,)),
    ("اسلام اباد وايي په کونړ کې یې په برید کې اووه کسان وژلي", (PAK,)),
    ("پاک فوج کے ترجمان کے مطابق کنڑ میں حملے میں سات افراد ہلاک ہوئے", (PAK,)),
    ("کابل نے کہا ہے کہ چمن میں فائرنگ سے دو افراد ہلاک ہوئے", (AFG,)),
]
#: Offices of states with which no relations are watched.
STRANGERS = [
    ("The Chinese foreign ministry said a bomb killed two people in Quetta.", (ABROAD,)),
    ("A bomb killed two people in Quetta, Russian officials said.", (ABROAD,)),
    ("A bomb killed two people in Kabul, China's foreign ministry said.", (ABROAD,)),
    ("Turkish police said a bomb killed two people in Kabul.", (ABROAD,)),
    ("A bomb killed two people in Kabul, according to the British defence ministry.", (ABROAD,)),
    ("Indian officials said a bomb killed two people in Quetta.", (ABROAD,)),
    ("چینی وزارت خارجہ نے کہا کہ کوئٹہ میں دھماکے میں دو افراد ہلاک ہوئے", (ABROAD,)),
    ("مقام‌های روسی گفتند که در انفجار در کابل دو تن کشته شدند", (ABROAD,)),
    ("قالت وزارة الخارجية الصينية إن شخصين قتلا في تفجير في كويتا", (ABROAD,)),
    ("A bomb killed two Chinese in Karachi, police said.", (PAK,)),
    ("A bomb killed two Chinese engineers near Quetta, officials said.", (PAK,)),
]
#: Names of states and capitals that speak for nobody.
SILENT = [
    "Bomb kills ten in Kabul",
    "Pakistan: bomb kills ten in Quetta",
    "KABUL: A bomb killed ten people in the city",
    "Ten killed in a bombing in Islamabad reported on Monday",
    "Pakistan accused of a bombing that killed ten in Khost",
    "Kabul told to act after gunmen killed ten in Kurram",
    "Pakistan held talks as a bomb killed ten in Khost",
    "Gunmen who came from Afghanistan killed ten soldiers in Kurram",
    "The president of Afghanistan was in Doha as a bomb killed ten in Khost",
    "در انفجار در کابل افغانستان هفت تن کشته شدند",
    "کابل میں دھماکے میں سات افراد ہلاک",
]
# fmt: on


@pytest.mark.parametrize(("title", "wanted"), [*DESIGNED, *OTHERS, *STRANGERS])
def test_the_side_is_that_of_who_speaks(title: str, wanted: tuple[str, ...]) -> None:
    assert coded(title).voices == wanted


@pytest.mark.parametrize("title", SILENT)
def test_a_name_that_speaks_for_nobody(title: str) -> None:
    assert coded(title).voices == ()


@pytest.mark.parametrize("place", ["Khost", "Kunar", "Kabul", "Quetta", "Peshawar", "Islamabad"])
@pytest.mark.parametrize(
    ("office", "wanted"),
    [
        ("Pakistan's foreign office", PAK),
        ("Pakistani officials", PAK),
        ("Islamabad", PAK),
        ("a spokesman for Pakistan's army", PAK),
        ("Afghanistan's defence ministry", AFG),
        ("Afghan officials", AFG),
        ("Kabul", AFG),
        ("the Taliban government's spokesman", AFG),
        ("Tehran", ABROAD),
        ("Iran's foreign ministry", ABROAD),
    ],
)
def test_the_place_does_not_matter(place: str, office: str, wanted: str) -> None:
    first = f"{office[0].upper()}{office[1:]} said a bomb killed ten people in {place}."
    last = f"A bomb killed ten people in {place}, {office} said."
    assert coded(first).voices == (wanted,)
    assert coded(last).voices == (wanted,)


def test_bare_officials_are_those_of_the_place() -> None:
    assert coded("A bomb killed ten people in Khost, officials said").voices == (AFG,)
    assert coded("A bomb killed ten people in Quetta, officials said").voices == (PAK,)


def test_an_army_belongs_to_the_nation_beside_it() -> None:
    assert coded("Pakistan's army kills ten in Khost").actors == ("pak-military",)
    assert coded("Pakistani police kill ten in Khost").actors == ("pak-police",)
    assert coded("Police kill ten in Khost").actors == ("taliban",)
    before = datetime(2020, 3, 4, 8, tzinfo=UTC)
    assert coded("Afghan police kill ten in Quetta", before).actors == ("afg-forces",)


def _sentence(text: str) -> Sentence:
    found = opened(Report(id="r", source="s", seen_at=AT, title=text))
    assert found is not None
    return Sentence(0, len(found.text.plain), found.hits or [], found.text, 0)


@pytest.mark.parametrize(
    ("text", "office", "wanted"),
    [
        ("Pakistan's foreign office said", "foreign office", "PAK"),
        ("Pakistan's powerful army said", "army", "PAK"),
        ("the army of Pakistan said", "army", "PAK"),
        ("the authorities in Kabul said", "authorities", "AFG"),
        ("Iranian officials spoke of Khost", "officials", "IRN"),
        ("a bomb in Pakistan, officials said", "officials", None),
        ("Pakistan and officials spoke", "officials", None),
    ],
)
def test_a_nation_stands_beside_an_office(text: str, office: str, wanted: str | None) -> None:
    start = text.lower().index(office)
    found = beside(_sentence(text), start, start + len(office), "en")
    assert (found.country if found else None) == wanted


def test_a_place_joined_by_in_can_be_left_out() -> None:
    sentence = _sentence("the authorities in Kabul said")
    assert beside(sentence, 4, 15, "en", placed=False) is None


def test_no_government_speaks_without_a_word_of_speech() -> None:
    assert governments(_sentence("Kabul and Islamabad agree"), [], "en") == []
