"""``deqsci reconstruct``: snapshots to video."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from deqsci.cli.calibrate import check_gray, corrected_by, from_snapshots, order_sentence
from deqsci.cli.calibrate import show as show_calibration
from deqsci.cli.colour import Colouring
from deqsci.cli.options import Computing, Flag, Output, Reporting, Solving
from deqsci.cli.sensor import Reading, Trust, look_at_sensor, sensor_facts, show_sensor
from deqsci.cli.terminal import Terminal
from deqsci.errors import OutputError

if TYPE_CHECKING:
    from deqsci.io import SnapshotFile
    from deqsci.reconstruction.calibration import Calibration

NOT_CONVERGED = 3
"""Exit code where ``--strict`` was given and a snapshot did not reach the tolerance."""


def reconstruct(
    input: Path,
    /,
    *,
    output: Output,
    reading: Reading = Reading(),
    calibrate: Flag = False,
    trust: Trust = Trust(),
    colouring: Colouring = Colouring(),
    solving: Solving = Solving(),
    computing: Computing = Computing(),
    reporting: Reporting = Reporting(),
) -> int:
    """Turn coded snapshots back into video.

    Parameters
    ----------
    input
        Snapshot file (.npz, .mat, .h5, .npy, TIFF, PNG), a folder of images, or a folder of
        such files: then one run per file.
    output
        Folder to write: video, figure, preview, residuals, run.json.
    calibrate
        First find from the snapshots where the masks really lie, as `deqsci calibrate` does.
    """
    terminal = Terminal(reporting)

    from deqsci.io import RunFolder, list_inputs
    from deqsci.io.jsonable import jsonable
    from deqsci.io.run_folder import check_replaceable

    files = list_inputs(input, reading.masks)
    targets = {output: input} if files == [input] else _targets(output, files)
    for target in targets:
        check_replaceable(target)

    frames = {}
    for file in reversed(files):  # a bad file is told now, not after the others were solved
        scene = reading.load(file)
        frames[file] = len(scene.masks)
        if calibrate:
            check_gray(scene)

    from deqsci.cli.chosen_method import ChosenMethod
    from deqsci.cli.run import reconstruct_scene
    from deqsci.cli.run_files import summarize, write_run
    from deqsci.cli.run_table import show

    method = ChosenMethod(solving, computing)
    for file in files:
        method.check(file, frames[file])
    if trust.noise is not None and not method.heeds_noise:
        terminal.notice(
            f"{method.name} does not heed the noise of the snapshots; --noise serves to "
            f"find dead and hot pixels and changes nothing else"
        )
    told = {**asdict(reading), **asdict(trust), "calibrate": calibrate}
    told["masks"] = reading.masks and reading.masks.name  # as of the weights
    summaries = []
    converged = True
    for target, file in targets.items():
        if file != scene.path:
            scene = reading.load(file)
        for notice in (*scene.notices, colouring.notice(scene)):
            if notice is not None:
                terminal.notice(notice)
        scene, calibration = _fitted(scene, calibrate, terminal)
        sensor = look_at_sensor(scene, trust)
        with RunFolder.create(target) as folder:
            demosaicking = colouring.demosaic or "joint"
            run = reconstruct_scene(method, scene, folder, terminal, sensor, demosaicking)
            summary = summarize(run, scene, target, method.facts())
            summary["options"] |= told
            summary["calibration"] = jsonable(calibration)
            summary |= sensor_facts(scene, sensor, trust)
            write_run(folder, run, scene, summary)
        summaries.append(summary)
        converged &= run.converged
        show(terminal, run, f"{file.name}, {method.name}")
        show_sensor(terminal, sensor, summary)
        terminal.say(f"pictures: {target / 'figure.png'}, {target / 'preview.gif'}")
    terminal.result({"runs": summaries})
    return NOT_CONVERGED if solving.strict and not converged else 0


def _fitted(
    scene: SnapshotFile, calibrate: bool, terminal: Terminal
) -> tuple[SnapshotFile, Calibration | None]:
    """The scene with masks that fit, where they are to be calibrated; a word where they do not."""
    if calibrate:
        calibration = from_snapshots(scene)
        if calibration.trusted:
            show_calibration(
                terminal, calibration, f"{scene.path.name}: how the camera departs from its masks"
            )
            return corrected_by(calibration, scene), calibration
        terminal.notice(f"not calibrated, the masks are used as they are: {calibration.sentence}")
        return scene, calibration
    if (misfit := fit_notice(scene)) is not None:
        terminal.notice(f"{scene.path}: {misfit}")
    return scene, None


def fit_notice(scene: SnapshotFile) -> str | None:
    """What the snapshots say against their masks, in a sentence."""
    import torch

    from deqsci.reconstruction.calibration import check_masks, taken_order

    snapshots, masks = torch.from_numpy(scene.sample), torch.from_numpy(scene.masks)
    if (against := check_masks(snapshots, masks)) is not None:
        return against.sentence
    # Under a mosaic neighbours are unlike, and tell no order.
    order = taken_order(snapshots, masks) if scene.bayer is None else None
    return None if order is None else order_sentence(order)


def _targets(output: Path, files: list[Path]) -> dict[Path, Path]:
    """A run folder inside ``output`` for every file: its name, with the suffix where two share it.

    Raises
    ------
    OutputError : ``output`` holds something else than the runs of these files.
    """
    from deqsci.io.run_folder import is_report

    stems = [file.stem for file in files]
    targets = {
        output / (file.stem if stems.count(file.stem) == 1 else file.name): file for file in files
    }
    if output.is_dir():
        foreign = sorted(
            entry.name
            for entry in output.iterdir()
            if entry not in targets and not entry.name.startswith(".") and not is_report(entry)
        )
        if foreign:
            raise OutputError(
                f"{output} exists and holds {foreign[0]}, which is no run of these files; "
                f"give a new or empty folder"
            )
    elif output.exists():
        raise OutputError(f"{output} is a file; wanted an output folder")
    return targets
