"""A curve is drawn for every kind of values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import imageio.v3 as iio
import pytest

from deqsci.viz.curves import sweep_figure


@pytest.mark.parametrize(
    "values", [[0.0, 0.01, 0.02], [5, 10, 20, 100], [0.0, 0.001, 1.0], ["own", "gray"], [1]]
)
def test_a_picture_of_one_column(values: Sequence[float | str], tmp_path: Path) -> None:
    count = len(values)
    lines: dict[str, list[float | None]] = {
        f"method {i}": [30.0 - i - j for j in range(count)] for i in range(9)
    }
    lines["never measured"] = [None] * count
    lines["a gap"] = [None, *[31.0] * (count - 1)]
    path = tmp_path / "sweep.png"
    sweep_figure(path, values, lines, xlabel="something (pixels)")
    page = iio.imread(path)
    assert page.shape[1] == 1050  # 3.5 inches at 300 dots an inch
    assert page.std() > 10
    assert list(tmp_path.iterdir()) == [path]
