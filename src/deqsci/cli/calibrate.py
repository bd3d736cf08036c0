"""``deqsci calibrate``: how a camera departs from its masks file, and a file without that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from deqsci.cli.options import Output, PositiveFloat, Reporting, Threads
from deqsci.cli.sensor import Reading, noise_sentence
from deqsci.cli.terminal import Terminal
from deqsci.errors import CalibrationError, ConfigError

if TYPE_CHECKING:
    from deqsci.io import SnapshotFile
    from deqsci.reconstruction.calibration import Calibration

CAPTURE = Group("Capture of a known scene", sort_key=1)


def calibrate(
    input: Path,
    /,
    *,
    output: Output,
    reading: Reading = Reading(),
    capture: Annotated[Path | None, Parameter(group=CAPTURE)] = None,
    capture_level: Annotated[PositiveFloat | None, Parameter(group=CAPTURE)] = None,
    threads: Threads = None,
    reporting: Reporting = Reporting(),
) -> int:
    """Find where the masks really lie, and write snapshots and masks that fit each other.

    Parameters
    ----------
    input
        Snapshot file (.npz, .mat, .h5, .npy, TIFF, PNG) or folder of images; all its snapshots
        are used.
    output
        File to write, .npz: snapshots without gain and offset, masks as the sensor sees them.
    capture
        File with snapshots of a known scene by the same camera, to calibrate on instead: its
        truth, or a uniform surface, in counts that mean what those of INPUT do. It tells the gain
        too.
    capture_level
        Intensity of the uniform surface; without it, 1.
    threads
        CPU threads; without it, all that torch finds.
    """
    terminal = Terminal(reporting)
    if capture is None and capture_level is not None:
        raise ConfigError(
            f"--capture-level {capture_level:g} has nothing to do without a capture; give its file "
            f"as --capture"
        )

    from deqsci.cli.runtime import set_threads
    from deqsci.io import save_snapshots
    from deqsci.io.jsonable import jsonable
    from deqsci.io.snapshots import check_output

    check_output(output, input, reading.masks, capture)
    set_threads(threads)
    scene = reading.load(input)
    for notice in scene.notices:
        terminal.notice(notice)
    check_gray(scene)
    if capture is None:
        calibration = from_snapshots(scene)
    else:
        known = of_its_camera(reading, scene).load(capture)
        for notice in known.notices:
            if notice.startswith((f"{capture}:", f"{capture} ")):  # the masks' are told already
                terminal.notice(notice)
        check_gray(known)
        calibration = from_capture(known, capture_level)
    if not calibration.trusted:
        raise CalibrationError(f"{capture or input}: {calibration.sentence}")
    corrected = corrected_by(calibration, scene)
    save_snapshots(output, corrected.snapshots, corrected.masks, corrected.truth)
    show(terminal, calibration, f"{(capture or input).name}: how the camera departs from its masks")
    terminal.say(f"corrected snapshots and masks are in {output}")
    terminal.result({"output": str(output), "calibration": jsonable(calibration)})
    return 0


def of_its_camera(reading: Reading, scene: SnapshotFile) -> Reading:
    """How to read other snapshots by the camera of a scene: its masks, and what its counts mean."""
    return replace(
        reading,
        masks=reading.masks or scene.path,
        frames=len(scene.masks),
        full_scale=scene.scale.full_scale,
        black_level=scene.scale.black_level,
    )


def from_snapshots(scene: SnapshotFile) -> Calibration:
    """Calibrate on the snapshots of a gray camera, whose video nobody knows."""
    import torch

    from deqsci.reconstruction.calibration import calibrate as estimate

    return estimate(torch.from_numpy(scene.sample), torch.from_numpy(scene.masks))


def from_capture(known: SnapshotFile, level: float | None) -> Calibration:
    """Calibrate on a gray capture of a known scene: its truth, or ``level`` or 1 everywhere.

    Raises
    ------
    ConfigError : a level, where the capture has its truth.
    """
    import torch

    from deqsci.reconstruction.calibration import calibrate as estimate

    if known.truth is not None and level is not None:
        raise ConfigError(
            f"{known.path} holds its truth, and --capture-level {level:g} is for a uniform "
            f"surface; leave it out"
        )
    masks, snapshots = torch.from_numpy(known.masks), torch.from_numpy(known.snapshots)
    if known.truth is None:
        return estimate(snapshots, masks, torch.full_like(masks, level or 1.0))
    return estimate(snapshots[:1], masks, torch.from_numpy(known.truth[: len(masks)]))


def check_gray(scene: SnapshotFile) -> None:
    """Raise CalibrationError for the snapshots of a colour camera."""
    # Its estimates rest on neighbouring pixels that see alike.
    if scene.bayer is not None:
        raise CalibrationError(
            f"{scene.path} is of a colour camera ({scene.bayer}); only gray ones can be calibrated "
            f"yet, reconstruct it without"
        )


def corrected_by(calibration: Calibration, scene: SnapshotFile) -> SnapshotFile:
    """The scene as a camera without deviation would have recorded it, with the masks it had."""
    import torch

    return replace(
        scene,
        snapshots=calibration.correct(torch.from_numpy(scene.snapshots)).numpy(),
        masks=calibration.deviation(torch.from_numpy(scene.masks)).numpy(),
        saturation=None
        if scene.saturation is None
        else (scene.saturation - calibration.offset) / calibration.gain,
    )


def show(terminal: Terminal, calibration: Calibration, title: str) -> None:
    """The estimates of a calibration that is trusted, and what it could not tell."""
    errors, found = calibration.errors or {}, calibration.deviation
    blur = errors["blur"] / (2 * found.blur) if "blur" in errors else None  # of its variance
    rows = [
        ("shift down", found.shift[0], errors["down"], "px"),
        ("shift right", found.shift[1], errors["right"], "px"),
        ("rotation", found.rotation, errors["rotation"], "° counter-clockwise"),
        ("scale", found.scale, errors["scale"], ""),
        ("blur", found.blur, blur, "px" if blur else "none found"),
        (
            "offset",
            calibration.offset,
            errors.get("offset"),
            "intensity" if "offset" in errors else "taken as 0: these snapshots do not tell it",
        ),
        (
            "gain",
            calibration.gain,
            errors.get("gain"),
            "" if "gain" in errors else "taken as 1: a brighter video would explain the same",
        ),
    ]
    terminal.table(
        title,
        ["", "estimate", "standard error", "unit"],
        [
            [name, f"{value:.5f}", "–" if error is None else f"{error:.5f}", unit]
            for name, value, error, unit in rows
        ],
    )
    terminal.say(
        f"a mask pixel's place is known to {calibration.displacement_error:.3f} px or better"
    )
    if (noise := calibration.noise) is not None:
        terminal.say(noise_sentence(noise))
    if calibration.order is not None:
        terminal.notice(order_sentence(calibration.order))


def order_sentence(order: tuple[int, ...]) -> str:
    """What to do about masks that are in another order than the frames were taken in."""
    return (
        f"the frames follow each other better in the order "
        f"{' '.join(str(frame + 1) for frame in order)} of the masks: the masks file may be in "
        f"another order than the frames were taken"
    )
