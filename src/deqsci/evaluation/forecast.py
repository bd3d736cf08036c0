"""How long a benchmark has still to go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from statistics import fmean


class Forecast:
    """Learns from the cells that are done how long those of each method take.

    Parameters
    ----------
    methods : the method of every cell still to be measured.
    """

    def __init__(self, methods: Iterable[str]) -> None:
        self._open = Counter(methods)
        self._seconds: dict[str, list[float]] = {}

    def add(self, method: str, seconds: float) -> None:
        """A cell of the method took so long."""
        self._open[method] -= 1
        self._seconds.setdefault(method, []).append(seconds)

    def left(self, method: str, elapsed: float, share: float) -> tuple[float, bool]:
        """Seconds to the end, and whether every method in it has been seen.

        The running cell of ``method`` has done ``share`` of itself in ``elapsed`` seconds. A
        method that was not seen yet is taken for none: the end is then later than said.
        """
        means = {name: fmean(seconds) for name, seconds in self._seconds.items()}
        if share > 0:
            means.setdefault(method, elapsed / share)
        open_ = +self._open
        seconds = sum(count * means.get(name, 0.0) for name, count in open_.items())
        return max(0.0, seconds - elapsed), set(open_) <= set(means)
