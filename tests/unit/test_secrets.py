"""What is derived from the master key: vectors made with OpenSSL, rotation, and weak keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from detectors.delivery_records import Subscription
from streams.secrets import WeakKeyError, challenge_text, signing_secrets, unsubscribe_token
from tests.alert_records import subscription

KEY = "an installation key of 32 or more characters"
NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
# printf sign/desk/1 | openssl dgst -sha256 -hmac "$KEY" -binary | base64
FIRST = "whsec_7+CcpUxU6R56YgRl3bbrMhY6gR+dgQrbggxhH2OpZqI="
SECOND = "whsec_DfU+kMpAs2WTW7MN2zIYG1s2pmZOnWS0Do9zYMh102U="


def rotated(ago: timedelta, number: int = 2) -> Subscription:
    return subscription(secret=number, rotated_at=NOW - ago)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(subscription(), FIRST, id="the first"),
        pytest.param(subscription(secret=2), SECOND, id="the second, of which no time is known"),
        pytest.param(rotated(timedelta(0)), f"{SECOND} {FIRST}", id="just changed: both"),
        pytest.param(
            rotated(timedelta(hours=24, seconds=-1)), f"{SECOND} {FIRST}", id="within 24 h: both"
        ),
        pytest.param(rotated(timedelta(hours=24)), SECOND, id="after 24 h: the new one"),
        pytest.param(rotated(timedelta(0), number=1), FIRST, id="there is none before the first"),
    ],
)
def test_signing_secrets_are(asked: Subscription, expected: str) -> None:
    assert signing_secrets(KEY, asked, NOW) == expected


def test_a_standard_webhooks_library_takes_each_secret() -> None:
    for secret in signing_secrets(KEY, rotated(timedelta(hours=1)), NOW).split():
        signed = Webhook(secret).sign("id", NOW, "{}")
        assert signed.startswith("v1,")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The same command, with "+/" written as "-_", and cut to 32 characters.
        pytest.param(
            unsubscribe_token(KEY, "desk"), "vr4X1ru-OoQZnW2g0CDT495xG6qT3GUy", id="unsubscribe"
        ),
        pytest.param(
            unsubscribe_token(KEY, "a/ü"), "yhnj25vB6rDvYJRuHieLEdWJRn5zubOh", id="any characters"
        ),
        pytest.param(
            challenge_text(KEY, "desk", 1), "87eptVDt_f_7uJps5GT1q8CkNVcViRwF", id="challenge"
        ),
    ],
)
def test_texts_of_links_are(text: str, expected: str) -> None:
    assert text == expected


@given(
    ids=st.lists(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
        min_size=2,
        max_size=2,
        unique=True,
    )
)
def test_no_two_subscriptions_uses_or_numbers_share_a_text(ids: list[str]) -> None:
    texts = [unsubscribe_token(KEY, each) for each in ids]
    texts += [challenge_text(KEY, each, number) for each in ids for number in (1, 2)]
    texts += [unsubscribe_token(KEY + "!", each) for each in ids]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("key", ["", "short", "x" * 31])
def test_a_short_key_is_refused_and_not_repeated(key: str) -> None:
    for derive in (
        lambda: signing_secrets(key, subscription(), NOW),
        lambda: unsubscribe_token(key, "desk"),
        lambda: challenge_text(key, "desk", 1),
    ):
        with pytest.raises(WeakKeyError, match="TOCSIN_DELIVERY_KEY") as caught:
            derive()
        assert not key or key not in str(caught.value)
    assert unsubscribe_token("x" * 32, "desk")
