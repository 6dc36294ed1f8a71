"""Whose report a text is: credits that count, and mentions that do not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.coding import code
from detectors.coding.byline import wire
from detectors.records import Report
from streams.scenarios.outlets import outlets
from streams.scenarios.render import render, truth
from tests import coding_measures as measures

NEWS: Final = "Six men were killed when a bomb went off beside a road in Kandahar, police said."


@pytest.mark.parametrize(
    ("text", "family"),
    [
        pytest.param(f"KABUL (Reuters) - {NEWS}", "reuters", id="dateline"),
        pytest.param(f"KABUL, Feb 3 (Reuters) - {NEWS}", "reuters", id="with a day"),
        pytest.param(f"KABUL, Afghanistan (AP) — {NEWS}", "ap", id="with a country"),
        pytest.param(f"Kabul [Afghanistan], August 3 (ANI): {NEWS}", "ani", id="with brackets"),
        pytest.param(f"New Delhi, Aug 3 (PTI) {NEWS}", "pti", id="without a dash"),
        pytest.param(f"MOSCOW, July 5. /TASS/. {NEWS}", "tass", id="slashes"),
        pytest.param(f"ISLAMABAD, Jan 5 (APP):{NEWS}", "pakistan-state-media", id="no space"),
        pytest.param(f"(Reuters/AFP) - {NEWS}", "reuters", id="the first of two"),
        pytest.param(f"PESHAWAR (Agencies): {NEWS}", "agencies", id="agencies"),
        pytest.param(f"KABUL (Oxus News Agency) - {NEWS}", "Oxus News Agency", id="unlisted"),
        pytest.param(f"By Agence France-Presse\nKABUL: {NEWS}", "afp", id="byline"),
        pytest.param(f"By The Associated Press {NEWS}", "ap", id="byline with an article"),
        pytest.param(f"Reuters: {NEWS}", "reuters", id="colon"),
        pytest.param(f"AFP | Kabul {NEWS}", "afp", id="bar"),
        pytest.param(f"KABUL - Reuters - {NEWS}", "reuters", id="between dashes"),
        pytest.param(f"According to the Reuters news agency, {NEWS}", "reuters", id="opening"),
        pytest.param(f"{NEWS} (Reuters)", "reuters", id="brackets at the end"),
        pytest.param(f"{NEWS} [AFP].", "afp", id="square ones"),
        pytest.param(f"{NEWS} —AFP", "afp", id="dash at the end"),
        pytest.param(f"{NEWS} - APP", "pakistan-state-media", id="hyphen at the end"),
        pytest.param(f"{NEWS} AFP", "afp", id="alone at the end"),
        pytest.param(f"{NEWS}\nReuters\n", "reuters", id="on a line of its own"),
        pytest.param(f"{NEWS} - Oxus News Agency", "Oxus News Agency", id="unlisted at the end"),
        pytest.param(f"{NEWS} Source: Xinhua", "xinhua", id="source"),
        pytest.param(f"{NEWS} Source: tolonews.com", "moby", id="a site as source"),
        pytest.param(f"{NEWS} (With inputs from ANI)", "ani", id="input"),
        pytest.param(f"{NEWS} With additional input from AFP.", "afp", id="more input"),
        pytest.param(f"{NEWS} Reuters contributed to this report.", "reuters", id="contributed"),
        pytest.param(
            f"{NEWS} Copyright 2021 The Associated Press. All rights reserved.", "ap", id="rights"
        ),
        pytest.param(
            f"{NEWS} (This story has not been edited and is published from a syndicated feed.)",
            "agencies",
            id="a feed",
        ),
        pytest.param(f"کابل (رویترز) – {NEWS}", "reuters", id="fa dateline"),
        pytest.param("به گزارش خبرگزاری فرانسه، شش تن در کندهار کشته شدند.", "afp", id="fa report"),
        pytest.param("شش تن در کندهار کشته شدند. منبع: رویترز", "reuters", id="fa source"),
        pytest.param("شش تن در کندهار کشته شدند. (خبرگزاری رويترز)", "reuters", id="fa typed so"),
        pytest.param("یک شبکه به نقل از رویترز نوشت که شش تن کشته شدند.", "reuters", id="fa cited"),
        pytest.param("د رویټرز په حواله په کندهار کې شپږ تنه ووژل شول.", "reuters", id="ps"),
        pytest.param("په کندهار کې شپږ تنه ووژل شول. سرچینه: پژواک", "pajhwok", id="ps source"),
        pytest.param("کابل (اے ایف پی) بم دھماکے میں چھ افراد ہلاک", "afp", id="ur dateline"),
        pytest.param("خبر رساں ادارے رائٹرز کے مطابق چھ افراد ہلاک", "reuters", id="ur opening"),
        pytest.param("چھ افراد ہلاک ہوئے۔ بشکریہ بی بی سی اردو", "bbc", id="ur courtesy"),
        pytest.param("كابول - رويترز - قتل ستة أشخاص في انفجار", "reuters", id="ar dashes"),
        pytest.param("كابول (أ ف ب) - قتل ستة أشخاص", "afp", id="ar dateline"),
        pytest.param("وفقا لرويترز قتل ستة أشخاص في قندهار", "reuters", id="ar opening"),
        pytest.param("قتل ستة أشخاص في قندهار. المصدر: رويترز", "reuters", id="ar source"),
    ],
)
def test_a_text_credits_its_origin(text: str, family: str) -> None:
    assert wire("", text) == family


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(NEWS, id="no credit"),
        pytest.param("", id="nothing"),
        pytest.param("()", id="empty brackets"),
        pytest.param("(", id="half a bracket"),
        pytest.param("An official told Reuters that six men had died in Kandahar.", id="told"),
        pytest.param("Six men died in Kandahar, Reuters reported on Monday.", id="reported"),
        pytest.param("The Taliban denied it in a statement to the BBC.", id="to the BBC"),
        pytest.param("By dawn, the attackers had gone.", id="by dawn"),
        pytest.param("By Dawn the attackers had gone.", id="by Dawn, in capitals"),
        pytest.param("Dawn - the hour of prayer - was quiet.", id="a word"),
        pytest.param("According to UNAMA, six civilians died.", id="who speaks for itself"),
        pytest.param(f"RAWALPINDI (ISPR) - {NEWS}", id="a press office"),
        pytest.param(f"ISLAMABAD (News Desk) - {NEWS}", id="own staff"),
        pytest.param(f"QUETTA (Our Correspondent) - {NEWS}", id="own correspondent"),
        pytest.param(f"WANA (South Waziristan): {NEWS}", id="a place"),
        pytest.param(
            "Pakistan Tehreek-e-Insaf (PTI) - the party - called it an attack.", id="party"
        ),
        pytest.param("Pakistan Tehreek-e-Insaf (PTI) workers were attacked.", id="party again"),
        pytest.param("Baloch Nationalist Army (BNA) said it did it.", id="a group"),
        pytest.param("Associated Press of Pakistan (APP) - it was founded", id="spelt out"),
        pytest.param(f"{NEWS} The claim came from the Tehreek-e-Taliban. (TTP)", id="group at end"),
        pytest.param(f"{NEWS} They lay at the crossing. (Border Post)", id="no outlet"),
        pytest.param(f"{NEWS} He spoke of the Afghan Islamic Press (AIP).", id="spelt out at end"),
        pytest.param(f"{NEWS} Officials contributed to this report.", id="nobody's report"),
        pytest.param("به گزارش پولیس کندهار شش تن کشته شدند.", id="fa police"),
        pytest.param("مقام‌ها به رویترز گفتند که شش تن کشته شدند.", id="fa told"),
        pytest.param("پولیس کے مطابق چھ افراد ہلاک ہوئے۔", id="ur police"),
        pytest.param("پاکستان تحریک انصاف (پی ٹی آئی) نے مذمت کی۔", id="ur party"),
        pytest.param("چارواکو رویټرز ته وویل چې شپږ تنه وژل شوي.", id="ps told"),
        pytest.param("قال مسؤول لرويترز إن ستة قتلوا", id="ar told"),
    ],
)
def test_a_mention_is_no_credit(text: str) -> None:
    assert wire("", text) is None


@pytest.mark.parametrize(
    ("title", "family"),
    [
        ("Six killed in Kandahar blast - Reuters", "reuters"),
        ("Six killed in Kandahar blast | The Express Tribune", "express-group"),
        ("Six killed in Kandahar blast (AFP)", "afp"),
        ("Reuters: six killed in Kandahar blast", "reuters"),
        ("انفجار در کندهار - رویترز", "reuters"),
        ("Six killed in Kandahar blast - officials", None),
        ("Six killed in Kandahar blast - Police", None),
        ("Hundreds of civilians killed this year - UN", None),
        ("Eight killed in raid: ISPR", None),
        ("Raid on party office condemned - PTI", None),
        ("Kandahar: six killed", None),
        ("Army chief visits Quetta (Balochistan)", None),
        ("Six killed in Kandahar blast - Oxus News Agency", None),
    ],
)
def test_a_title_credits_only_outlets_that_are_known(title: str, family: str | None) -> None:
    assert wire(title, NEWS) == family


@pytest.mark.parametrize(
    ("text", "own", "family"),
    [
        pytest.param(f"KABUL (Reuters) - {NEWS}", "reuters", None, id="its own dateline"),
        pytest.param(f"KABUL (Reuters) - {NEWS}", "dawn", "reuters", id="another's"),
        pytest.param(
            f"ISLAMABAD, (UrduPoint / Sputnik - 2nd Mar, 2020) {NEWS}",
            "urdupoint",
            "rossiya-segodnya",
            id="the carrier and the origin",
        ),
        pytest.param(f"KABUL (AP) - {NEWS} (AFP)", "ap", None, id="the dateline goes first"),
    ],
)
def test_to_credit_oneself_is_no_credit(text: str, own: str, family: str | None) -> None:
    assert wire("", text, own) == family


@given(st.text(max_size=300), st.text(max_size=300), st.sampled_from(["", "Reuters", "AFP"]))
def test_any_text_is_read(title: str, text: str, name: str) -> None:
    found = wire(title, f"{text}{name}{title}")
    assert found is None or found


def test_an_event_carries_whom_its_report_credits() -> None:
    at = datetime(2020, 6, 2, tzinfo=UTC)
    reports = [
        Report(id=name, source=name, seen_at=at, title="", text=text, publisher=name)
        for name, text in (
            ("The News", f"KANDAHAR (Reuters) - {NEWS}"),
            ("Reuters", f"KANDAHAR (Reuters) - {NEWS}"),
            ("Dawn", NEWS),
        )
    ]
    found = [coded.events[0] for coded in code(reports)]
    assert [(event.publisher, event.wire) for event in found] == [
        ("jang-group", "reuters"),
        ("reuters", None),
        ("dawn", None),
    ]


def test_every_reprint_of_the_scenario_is_told_and_nothing_else() -> None:
    names = {outlet.name: outlet.family for outlet in outlets("doha-2020")}
    told = 0
    for report, true in zip(render(), truth(), strict=True):
        found = wire(report.title, report.text, report.publisher)
        named = {names[n] for n in names if n in report.title or n in report.text}
        assert found in named - {report.publisher} or (found is None and true.kind != "reprint")
        told += true.kind == "reprint"
    assert told > 300


@pytest.mark.skipif(not measures.SHARED.is_dir(), reason="the shared data are not beside here")
@pytest.mark.parametrize("name", measures.NTREX)
def test_sentences_of_world_news_credit_nobody_wrongly(name: str) -> None:
    """Those that begin with "according to Reuters" are; a language has two of them at most."""
    found = [wire("", report.title) for report in measures.world_news(name)]
    assert {each for each in found if each} <= {"reuters"}
    assert sum(each is not None for each in found) <= 2
    assert not any(wire(report.title, "") for report in measures.world_news(name))
