"""Choosing at random in a way that gives the same choice on every Python version and machine.

Only `Random.random()` is used: the standard library promises to keep its sequence for a seed,
which it does not for `choice`, `choices` or `sample`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def pick(items: Sequence[T], rng: Random) -> T:
    """Return one of the items, each as likely as the others.

    Raises:
        IndexError: There are no items.
    """
    return items[int(rng.random() * len(items))]


def weighted(weights: Mapping[T, float], rng: Random) -> T:
    """Return one of the keys, as likely as its weight says; keys are tried in their order.

    Raises:
        IndexError: There are no keys.
    """
    left = rng.random() * sum(weights.values())
    for key, weight in weights.items():
        left -= weight
        if left < 0:
            return key
    return list(weights)[-1]


def between(low: float, high: float, rng: Random) -> float:
    """Return a number from the interval, each as likely as the others."""
    return low + rng.random() * (high - low)
