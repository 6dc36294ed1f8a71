"""What a mail says and shows, read back from a real SMTP server on loopback."""

from __future__ import annotations

import os
import re
import threading
from datetime import date
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from detectors.records import Alert
from streams.sinks import Delivered, Message, of_alert
from streams.sinks.mail_letter import MOST_TOLD
from streams.wording import DISCLAIMER, digest_subject, headline, subject
from tests.alert_records import alert
from tests.mail_records import (
    CHARTED,
    DAILY,
    DESK,
    NOW,
    ONE_OF_EACH,
    SEVERAL,
    got,
    message,
    picture_of,
    send,
    texts,
)
from tests.mail_server import (
    mail_server,
)

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "mail"


# What is sent


def readable(mail: EmailMessage) -> str:
    """Return a mail as a reader sees it: its headers, its text, its HTML."""
    headers = [f"{name}: {value}" for name, value in mail.items() if name != "Content-Type"]
    return "\n".join([*headers, "", *texts(mail)])


@pytest.mark.parametrize("kind", ONE_OF_EACH)
async def test_a_mail_of_each_kind_is_as_it_was(kind: str) -> None:
    mail = readable(await got(ONE_OF_EACH[kind]))
    golden = GOLDEN / f"{kind}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(mail, encoding="utf-8")
    assert mail == golden.read_text(encoding="utf-8")


def test_there_is_a_mail_of_every_kind() -> None:
    assert set(ONE_OF_EACH) == set(get_args(get_type_hints(Message)["kind"]))


async def test_the_envelope_and_the_headers_name_one_sender_and_one_reader() -> None:
    async with mail_server() as server:
        assert await send(server.port) == Delivered()
    (envelope,), (mail,) = server.envelopes, server.mails()
    assert (envelope.mail_from, envelope.rcpt_tos) == ("alerts@tocsin.example", [DESK.address])
    assert (mail["From"], mail["To"]) == ("Tocsin <alerts@tocsin.example>", DESK.address)
    assert parsedate_to_datetime(mail["Date"]) == NOW
    assert mail["Auto-Submitted"] == "auto-generated"
    assert server.hellos == ["tocsin.example"]  # nothing of this machine
    assert mail.defects == []
    content = envelope.original_content or b""
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")


async def test_the_text_comes_first_and_carries_all_that_an_alert_must() -> None:
    mail = await got(of_alert(alert(1), DESK))
    assert [each.get_content_type() for each in mail.iter_parts()] == ["text/plain", "text/html"]
    for body in texts(mail):
        words = " ".join(body.replace("&#x27;", "'").split())
        for must in (headline(alert(1)), DISCLAIMER, "Coverage ok: 96%", "Probability 34%"):
            assert must in words
        assert "killed unknown" in words
        assert "https://console.example/alerts/violence-burst%2Frise" in words
    assert max(len(line) for line in texts(mail)[0].splitlines() if "://" not in line) <= 76


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, "Warning, Kandahar: rise of violent incidents", id="open"),
        pytest.param(
            {"state": "resolved", "severity": "watch", "unit": "XX-1", "direction": "fall"},
            "Watch, resolved, XX-1: fall of violent incidents",
            id="resolved, in a unit without a name",
        ),
    ],
)
def test_a_subject_has_severity_and_place_first(changes: dict[str, Any], expected: str) -> None:
    assert subject(alert(1, **changes)) == expected


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        pytest.param([], "No alerts", id="none"),
        pytest.param(["AF-KAN"], "Critical, Kandahar: 1 alert", id="one"),
        pytest.param(["AF-KAN", "AF-KAN"], "Critical, Kandahar: 2 alerts", id="one place"),
        pytest.param(
            ["AF-KAN", "AF-HEL", "AF-KAB", "AF-HER"],
            "Critical, Kandahar, Helmand and 2 more places: 4 alerts",
            id="many places",
        ),
    ],
)
def test_the_subject_of_a_digest_reads(units: list[str], expected: str) -> None:
    alerts = [alert(i, unit=unit, severity="watch") for i, unit in enumerate(units)]
    alerts[-1:] = [replace(each, severity="critical") for each in alerts[-1:]]
    assert digest_subject(alerts) == expected


async def test_a_digest_has_contents_and_then_each_alert() -> None:
    plain, html = texts(await got(ONE_OF_EACH["digest"]))
    for i, each in enumerate(SEVERAL, start=1):
        listed, told = [at.start() for at in re.finditer(rf"^{i}\. ", plain, re.MULTILINE)]
        assert listed < plain.index(f"{len(SEVERAL)}. ") + 1 <= told
        assert " ".join(plain[told:].split()).startswith(f"{i}. {headline(each)}")
        assert f'href="#alert-{i}"' in html
        assert html.count(f'id="alert-{i}"') == 1
    assert plain.count("judgement of unusual activity") == 1


async def test_a_long_digest_says_what_it_only_lists() -> None:
    many = [alert(n) for n in range(MOST_TOLD + 3)]
    plain, html = texts(await got(message("digest", *many)))
    assert f"The first {MOST_TOLD} are told in full, the other 3 only listed." in plain
    assert html.count("<h2 ") == MOST_TOLD
    assert html.count("<li><a href=") == MOST_TOLD
    assert plain.count("Claim:") == MOST_TOLD


async def test_a_test_says_that_it_is_one_and_what_is_made_up() -> None:
    mail = await got(ONE_OF_EACH["test"])
    assert mail["Subject"] == "Test: Warning, Kandahar: rise of violent incidents"
    assert mail["X-Tocsin-Severity"] is None
    plain = texts(mail)[0]
    assert plain.startswith("This mail was asked for")
    assert "the alert below is made up" in plain
    assert "console.example" not in plain
    bare = await got(message("test", text="A test of the subscription desk."))
    assert bare["Subject"] == "Test: alerts will arrive here"
    assert texts(bare)[0].startswith("A test of the subscription desk.")
    assert "made up" not in texts(bare)[0]


async def test_the_html_loads_nothing_and_sets_no_colour() -> None:
    mail = await got(of_alert(alert(1, **CHARTED), DESK))
    html = texts(mail)[1]
    assert re.findall(r'src="([^"]*)"', html) == [f"cid:{picture_of(mail)['Content-ID'][1:-1]}"]
    assert not re.search(r"<script|<link|<style|<iframe|<form|@import|url\(|\bon\w+=", html)
    assert not re.search(r"[^-]color\s*:|background", html)
    assert '<meta name="color-scheme" content="light dark">' in html


async def test_markup_in_a_text_stays_text() -> None:
    mail = await got(of_alert(alert(1, reason="<script>alert(1)</script> & more"), DESK))
    plain, html = texts(mail)
    assert "<script>alert(1)</script> & more" in plain
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in html
    digest = texts(await got(message("digest", alert(1, unit="<b>&"), alert(2, unit="<b>&"))))[1]
    assert "<b>" not in digest
    assert digest.count("in &lt;b&gt;&amp;, 23") == 4  # in the contents and where it is told


async def test_text_in_any_script_arrives() -> None:
    mail = await got(of_alert(alert(1, note="کندهار، هلمند"), DESK))
    assert all("کندهار، هلمند" in body for body in texts(mail))


# Charts


async def test_a_chart_is_inside_the_html_and_told_in_words() -> None:
    mail = await got(of_alert(alert(1, **CHARTED), DESK))
    picture = picture_of(mail)
    assert picture.get_content().startswith(b"\x89PNG\r\n")
    assert len(picture.get_content()) < 60_000
    assert picture.get_content_disposition() == "inline"
    (words,) = re.findall(r' alt="([^"]*)"', texts(mail)[1])
    assert words == (
        f"Counts by day in Kandahar. Bars show {sum(DAILY)} from 2026-01-07 to 2026-03-02. "
        "The last 7 days, those of the alert, have 23 against 9.1 expected."
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"observed": 22}, "have 23.", id="counts of something else"),
        pytest.param({"observed": None}, "have 23.", id="an unknown count"),
        pytest.param({"expected": None}, "have 23.", id="an unknown expectation"),
        pytest.param({"window_days": None}, "to 2026-03-02.", id="no window"),
        pytest.param(
            {"daily": (1, 2), "observed": 3}, "have 3.", id="not all days of the window are known"
        ),
    ],
)
async def test_an_expectation_of_other_counts_is_not_drawn(
    changes: dict[str, Any], said: str
) -> None:
    mail = await got(of_alert(alert(1, **CHARTED | changes), DESK))
    (words,) = re.findall(r' alt="([^"]*)"', texts(mail)[1])
    assert words.endswith(said)
    assert "expected" not in words


async def test_earlier_revisions_make_the_series_longer_and_later_ones_are_ignored() -> None:
    long_ago = alert(1, 0, daily=(9,) * 30, series_end=date(2026, 1, 20))
    later = alert(1, 5, daily=(50,) * 9, series_end=date(2026, 3, 9))
    now = alert(1, 1, daily=DAILY[-7:], series_end=date(2026, 3, 2))
    mail = await got(of_alert(now, DESK), revisions=lambda _: [long_ago, now, later])
    (words,) = re.findall(r' alt="([^"]*)"', texts(mail)[1])
    assert f"Bars show {23 + 9 * 19} from 2026-01-02 to 2026-03-02" in words


async def test_a_digest_has_charts_of_its_first_alerts() -> None:
    many = [alert(n, **CHARTED) for n in range(8)]
    mail = await got(message("digest", *many))
    names = [each["Content-ID"] for each in mail.walk() if each.get_content_type() == "image/png"]
    assert len(set(names)) == len(names) == 6
    assert re.findall(r'src="cid:([^"]*)"', texts(mail)[1]) == [each[1:-1] for each in names]


async def test_a_failing_chart_stops_no_mail() -> None:
    def fail(_: str) -> list[Alert]:
        raise ConnectionError("the store is away")

    with capture_logs() as logs:
        mail = await got(of_alert(alert(1, **CHARTED), DESK), revisions=fail)
    assert [each.get_content_type() for each in mail.walk()][-1] == "text/html"
    assert [each["event"] for each in logs] == ["mail_chart_failed"]


async def test_a_chart_that_takes_too_long_stops_no_mail() -> None:
    released = threading.Event()

    def wait(_: str) -> list[Alert]:
        released.wait(timeout=60)
        return []

    try:
        with capture_logs() as logs:
            mail = await got(
                of_alert(alert(1, **CHARTED), DESK), revisions=wait, timeout_seconds=6.0
            )
    finally:
        released.set()
    assert "<img" not in texts(mail)[1]
    assert [each["event"] for each in logs] == ["mail_chart_left_out"]
