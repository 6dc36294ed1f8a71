"""The cursor: a bounded set of ids that survives a restart, and what a source's text may hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.sources.base import Cursor, Reject, SourceError, clean, stable_id


def reopened(path: Path, limit: int = 20_000) -> Cursor:
    cursor = Cursor(path, limit)
    cursor.load()
    return cursor


def test_a_cursor_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state" / "demo.cursor.json"
    cursor = reopened(path)
    cursor.advance(["a", "b"], ["a", "b"], {"etag": "v1"})
    cursor.save()
    again = reopened(path)
    assert ["a" in again, "b" in again, "c" in again] == [True, True, False]
    assert again.position == {"etag": "v1"}
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_what_was_not_saved_is_not_known_after_a_restart(tmp_path: Path) -> None:
    cursor = reopened(tmp_path / "c")
    cursor.advance(["a"], ["a"], {})
    assert "a" not in reopened(tmp_path / "c")


def test_the_oldest_ids_are_forgotten_first(tmp_path: Path) -> None:
    cursor = Cursor(tmp_path / "c", limit=3)
    for item in "abcd":
        cursor.advance([item], [item], {})
    assert [item in cursor for item in "abcd"] == [False, True, True, True]


def test_an_id_still_in_the_feed_is_never_forgotten(tmp_path: Path) -> None:
    cursor = Cursor(tmp_path / "c", limit=3)
    for number in range(10):
        cursor.advance([str(number)], ["0", str(number)], {})
    assert "0" in cursor
    assert len(cursor) == 3


def test_a_feed_larger_than_the_limit_is_remembered_whole(tmp_path: Path) -> None:
    cursor = Cursor(tmp_path / "c", limit=3)
    feed = [str(number) for number in range(10)]
    cursor.advance(feed, feed, {})
    assert all(item in cursor for item in feed)


@given(polls=st.lists(st.lists(st.integers(0, 12), max_size=8), max_size=12))
def test_no_item_is_new_while_it_stays_in_the_feed(
    polls: list[list[int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    cursor = Cursor(tmp_path_factory.getbasetemp() / "unused", limit=4)
    before: set[str] = set()
    for poll in polls:
        present = [str(number) for number in poll]
        assert all(item in cursor for item in before.intersection(present))
        cursor.advance([item for item in present if item not in cursor], present, {})
        before = set(present)
        assert len(cursor) <= max(4, len(before))


def test_nothing_is_written_when_nothing_changed(tmp_path: Path) -> None:
    path = tmp_path / "c"
    cursor = reopened(path)
    cursor.advance(["a"], ["a"], {})
    cursor.save()
    path.unlink()
    cursor.advance([], ["a"], {})
    cursor.save()
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"version": 99}', b"\xff\xfe", b'{"version": 1, "ids": 3}'],
    ids=["empty", "cut", "a list", "another version", "no text", "wrong types"],
)
def test_a_damaged_cursor_is_set_aside_and_loses_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.cursor.json"
    path.write_bytes(content)
    cursor = reopened(path)
    assert len(cursor) == 0
    assert (tmp_path / "c.cursor.damaged").read_bytes() == content


def test_a_cursor_that_cannot_be_written_says_so_and_tries_again(tmp_path: Path) -> None:
    blocked = tmp_path / "state"
    blocked.write_text("a file where the folder should be")
    cursor = Cursor(blocked / "c")
    cursor.advance(["a"], ["a"], {})
    with pytest.raises(SourceError, match="cursor_unwritable"):
        cursor.save()
    blocked.unlink()
    cursor.save()
    assert json.loads((blocked / "c").read_text())["ids"] == ["a"]


@given(parts=st.lists(st.text(), min_size=1), other=st.lists(st.text(), min_size=1))
def test_ids_differ_where_the_parts_differ(parts: list[str], other: list[str]) -> None:
    assert (stable_id("s", *parts) == stable_id("s", *other)) == (parts == other)


def test_one_bad_item_has_one_key_wherever_it_stands() -> None:
    first = Reject(b"raw", "not_json", "at 1", line=1)
    assert first.key == Reject(b"raw", "not_json", "at 9", line=9).key
    assert first.key != Reject(b"raw", "not_utf8", "at 1", line=1).key


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" a\tb\nc ", "a\tb\nc"),
        ("nul\0l", "null"),
        ("half\ud800pair", "halfpair"),
        ("می‌شود", "می‌شود"),
        ("a\x07b\x85c\r\nd", "abc\nd"),
        ("😀", "😀"),
    ],
    ids=[
        "tabs and lines stay",
        "NUL goes",
        "a lone surrogate goes",
        "a zero-width non-joiner stays",
        "control characters go",
        "beyond the basic plane stays",
    ],
)
def test_text_is_made_fit_to_store(text: str, kept: str) -> None:
    assert clean(text) == kept
