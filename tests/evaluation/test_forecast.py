"""The time left is learnt from the cells that are done."""

from __future__ import annotations

import pytest

from deqsci.evaluation.forecast import Forecast


def test_the_end_is_known_once_every_method_was_seen() -> None:
    forecast = Forecast(["quick", "slow"] * 3)
    assert forecast.left("quick", 0.0, 0.0) == (0.0, False)
    forecast.add("quick", 1.0)
    # Half of a slow cell took 10 s: 10 s of it are left, two more of 20 s, two quick ones.
    assert forecast.left("slow", 10.0, 0.5) == (pytest.approx(10 + 2 * 20 + 2 * 1), True)
    assert forecast.left("slow", 10.0, 0.0) == (0.0, False)  # nothing known of it: at least 0
    forecast.add("slow", 30.0)
    forecast.add("slow", 10.0)
    assert forecast.left("slow", 0.0, 0.0) == (pytest.approx(20 + 2 * 1), True)


def test_nothing_is_left_at_the_end() -> None:
    forecast = Forecast(["a"])
    forecast.add("a", 5.0)
    assert forecast.left("a", 0.0, 0.0) == (0.0, True)
