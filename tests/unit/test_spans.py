"""The account of what was handed out: what may be committed never passes what is in work."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.transport import Spans


@st.composite
def interleavings(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[tuple[str, int]]]:
    """Spans with gaps, and an order of handing out (in order) and acknowledging (in any order)."""
    count = draw(st.integers(1, 12))
    at = draw(st.integers(0, 10))
    spans = []
    for _ in range(count):
        at += draw(st.integers(0, 3))  # a gap
        length = draw(st.integers(1, 5))
        spans.append((at, at + length - 1))
        at += length
    steps: list[tuple[str, int]] = []
    out = 0
    open_: list[int] = []
    while out < count or open_:
        choices = [*(["hand out"] if out < count else []), *(["acknowledge"] if open_ else [])]
        if draw(st.sampled_from(choices)) == "hand out":
            steps.append(("hand out", out))
            open_.append(out)
            out += 1
        else:
            which = open_.pop(draw(st.integers(0, len(open_) - 1)))
            steps.append(("acknowledge", which))
        if draw(st.integers(0, 3)) == 0:
            steps.append(("commit", 0))
    return spans, steps


@given(interleavings())
def test_what_may_be_committed_never_passes_a_span_in_work_and_comes_to_the_end(
    made: tuple[list[tuple[int, int]], list[tuple[str, int]]],
):
    spans, steps = made
    account = Spans()
    in_work: set[int] = set()
    highest = 0
    for what, which in steps:
        first, last = spans[which]
        if what == "hand out":
            account.hand_out(first, last)
            in_work.add(which)
        elif what == "acknowledge":
            assert account.acknowledge(last)
            in_work.discard(which)
        else:
            offset = account.committable()
            if offset is not None:
                highest = max(highest, offset)
                account.committed(offset)
        offset = account.committable()
        if offset is not None:
            assert offset > highest
            assert all(offset <= spans[open_][0] for open_ in in_work)
    assert max(highest, account.committable() or 0) == spans[-1][1] + 1


@given(st.lists(st.one_of(st.integers(1, 4), st.sampled_from(["done", "commit", "seek"]))))
def test_what_may_be_committed_was_done_whatever_is_sought_in_between(steps: list[int | str]):
    """Batches are done in the order in which they came; a seek goes to what was committed.

    What was handed out before a seek is still done, and acknowledged, after it; what is read again
    is cut anew.
    """
    account = Spans()
    position = committed = 0
    queue: list[tuple[int, int]] = []
    done: set[int] = set()
    for step in steps:
        if isinstance(step, int):
            account.hand_out(position, position + step - 1)
            queue.append((position, position + step - 1))
            position += step
        elif step == "seek":
            position = committed
        elif step == "commit":
            committed = account.committable() or committed
            account.committed(committed)
        elif queue:
            first, last = queue.pop(0)
            done.update(range(first, last + 1))
            account.acknowledge(last)
        offset = account.committable()
        if offset is not None:
            assert done.issuperset(range(offset))


@pytest.mark.parametrize(
    ("handed_out", "acknowledged", "expected"),
    [
        ([], [], None),
        ([(0, 4)], [], None),
        ([(0, 4)], [4], 5),
        ([(0, 4), (5, 9)], [9], None),
        ([(0, 4), (5, 9)], [9, 4], 10),
        ([(0, 4), (20, 29)], [4, 29], 30),
        ([(0, 4), (5, 9), (0, 4)], [9], None),
        ([(0, 4), (5, 9), (0, 4)], [4], 5),
    ],
    ids=[
        "nothing handed out",
        "nothing acknowledged",
        "one span done",
        "the first of two in work",
        "both done, the second first",
        "a gap between them",
        "read again from the start: the second is no longer in the account",
        "read again from the start and done",
    ],
)
def test_committable(
    handed_out: list[tuple[int, int]], acknowledged: list[int], expected: int | None
):
    account = Spans()
    for first, last in handed_out:
        account.hand_out(first, last)
    for last in acknowledged:
        account.acknowledge(last)
    assert account.committable() == expected
