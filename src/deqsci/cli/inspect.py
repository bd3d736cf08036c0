"""``deqsci inspect``: what a snapshot file holds, and what would be taken for granted of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from deqsci.cli.options import Reporting, Threads
from deqsci.cli.reconstruct import fit_notice
from deqsci.cli.sensor import Reading, Trust, look_at_sensor, sensor_facts, show_sensor
from deqsci.cli.terminal import Terminal
from deqsci.errors import NoMasksError

if TYPE_CHECKING:
    from deqsci.io.containers import Array


def inspect(
    input: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    reading: Reading = Reading(),
    threads: Threads = None,
    reporting: Reporting = Reporting(),
) -> int:
    """Show what is in a snapshot file: numbers, scale, noise, bad pixels, whether masks fit.

    Parameters
    ----------
    input
        Snapshot file (.npz, .mat, .h5, .npy, TIFF, PNG) or folder of images, with or without
        masks.
    output
        Picture to write (.png, .pdf, .svg): the snapshots and how often each count occurs.
    threads
        CPU threads; without it, all that torch finds.
    """
    terminal = Terminal(reporting)
    if output is not None:
        from deqsci.viz.suffix import check_suffix

        check_suffix(output)

    from deqsci.cli.runtime import set_threads
    from deqsci.io.snapshots import load_counts

    set_threads(threads)
    counts = load_counts(input, reading.masks)
    facts = _counted(counts)
    terminal.say(
        f"{input}: {facts['snapshots']} × {facts['height']}×{facts['width']} pixels, "
        f"{facts['dtype']}, {facts['lowest']:g} to {facts['highest']:g}, mean {facts['mean']:.4g}"
    )
    if facts["top"] is not None:
        terminal.say(
            f"counts of {facts['top'].bit_length()} bits, {facts['at_top']} pixels at the last one"
        )
    try:
        scene = reading.load(input)
    except NoMasksError as error:
        terminal.notice(str(error))
    else:
        for notice in scene.notices:
            terminal.notice(notice)
        terminal.say(f"{len(scene.masks)} masks, {scene.masks.mean():.3g} open on the average")
        misfit = fit_notice(scene)
        terminal.say(misfit or "the pattern of these masks is found in the snapshots")
        sensor = look_at_sensor(scene, Trust())
        facts |= {"frames": len(scene.masks), "misfit": misfit}
        facts |= sensor_facts(scene, sensor, Trust())
        show_sensor(terminal, sensor, facts)
    if output is not None:
        from deqsci.viz.capture import capture_figure

        capture_figure(output, counts, f"{input.name}, {facts['dtype']}")
        terminal.say(f"picture: {output}")
    terminal.result({"input": str(input), **facts})
    return 0


def _counted(counts: Array) -> dict[str, Any]:
    """The numbers of a file as they are."""
    from deqsci.io.counts import top_count

    top = top_count(counts)
    return {
        "snapshots": len(counts),
        "height": counts.shape[1],
        "width": counts.shape[2],
        "dtype": str(counts.dtype),
        "lowest": float(counts.min()),
        "highest": float(counts.max()),
        "mean": float(counts.mean()),
        "top": None if top is None else int(top),
        "at_top": 0 if top is None else int((counts == top).sum()),
    }
