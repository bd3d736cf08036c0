"""What a run's numbers mean, in sentences for somebody who owns the camera."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from deqsci.io.finished_run import FinishedRun

Record = Mapping[str, Any]


def label(record: Record, tolerance: float | None) -> str:
    """How the solve ended, in a word or two: what the status says before it explains."""
    short = re.split("[:;]", record["status"], maxsplit=1)[0]
    if tone(record, tolerance) == "plain":
        return "Ran to its end"
    return short[:1].upper() + short[1:]


def tone(record: Record, tolerance: float | None) -> str:
    """``good``, ``plain`` (there was nothing to reach), ``poor`` or ``bad``; colours the label."""
    if record["converged"]:
        return "good"
    if record["status"].startswith("diverged"):
        return "bad"
    return "plain" if tolerance is None else "poor"


def solve_sentences(record: Record, method: str, tolerance: float | None) -> list[str]:
    """How the solve ended, and what its residual says about the video."""
    effort = f"{record['evaluations']} passes, {record['seconds']:.1f} s."
    if tolerance is None:
        return [
            sentence(record["status"]),
            f"{method} makes a number of passes that is set beforehand and has no tolerance to "
            f"reach: judge the frames by eye and by how well they explain the snapshot. {effort}",
        ]
    sentences = [sentence(text) for text in re.split("[:;]", record["status"], maxsplit=1)[1:]]
    residual = record["residual"]
    if residual is None:
        return [*sentences, f"No pass gave finite numbers. {effort}"]
    ending = (
        f"the tolerance is {percent(tolerance)}"
        if residual <= tolerance
        else f"{percent(tolerance)} was wanted"
    )
    change = f"One more pass would change this video by {percent(residual)}; {ending}."
    return [*sentences, f"{change} {effort}"]


def certificate(record: Record, tolerance: float | None, lipschitz: float | None) -> str:
    """What is certain about the answer, and what is not."""
    if tolerance is None:
        return (
            "Nothing is certified: the method stops when its schedule ends, not when it has "
            "found an answer."
        )
    if lipschitz is None or lipschitz >= 1:
        settled = (
            "Measured, not proved: the solve has settled."
            if record["converged"]
            else "Nothing is proved, and the solve has not settled."
        )
        return (
            f"{settled} How far this video lies from where endless passes would lead is not "
            f"bounded, and another start might lead elsewhere."
        )
    proved = (
        f"Proved in exact arithmetic, for every snapshot and mask: a pass brings any two videos "
        f"closer, to {lipschitz:.4g} of their distance at most. So there is one answer, whatever "
        f"the start"
    )
    if record["residual"] is None:
        return f"{proved}."
    # The video is f(z), and ‖f(z) − z*‖ ≤ L ‖z − z*‖ ≤ L / (1 − L) ‖f(z) − z‖.
    bound = lipschitz / (1 - lipschitz) * record["residual"]
    if bound >= 1:
        return f"{proved}; the residual is too large to bound how far this video lies from it."
    return f"{proved}, and this video lies within {percent(bound)} of it, at worst."


def agreement_sentence(misfit: float) -> str:
    """How well the frames explain the measurement; ``misfit`` is ‖y − Φx‖ / ‖y‖."""
    if not math.isfinite(misfit):
        return "These frames hold values that are not finite, which are shown black."
    return (
        f"Coded again with the masks and added up, these frames give the snapshot back to within "
        f"{percent(misfit)} (root mean square)."
    )


def lede(run: FinishedRun) -> str:
    """The sentence under the title."""
    count, (frames, height, width) = len(run.scene.snapshots), run.scene.masks.shape
    snapshots = "one coded snapshot" if count == 1 else f"{count} coded snapshots"
    total = "1 frame" if len(run.video) == 1 else f"{len(run.video)} frames"
    each = f", {frames} from each" if count > 1 else ""
    if run.scene.bayer is not None:
        each += f", of a colour camera ({run.scene.bayer})"
    return (
        f"{total} of {width} × {height} pixels, recovered from {snapshots}{each}, "
        f"by {run.summary['method']}."
    )


def percent(fraction: float) -> str:
    """A share in percent with two digits that count: 0.0001 → ``0.01 %``."""
    value = 100 * fraction
    if value >= 10:
        return f"{value:.0f} %"
    return f"{value:.2g} %" if value == 0 or value >= 1e-4 else f"{value:.0e} %"


def sentence(text: str) -> str:
    """A clause of a status as a sentence of its own."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
