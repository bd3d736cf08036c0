"""``deqsci simulate``: an ordinary video as a coded camera would have seen it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter
from cyclopts.validators import Number

from deqsci.cli.options import COLOUR, Bayer, Count, Output, PositiveFloat, Reporting, Seed, Threads
from deqsci.cli.terminal import Terminal
from deqsci.errors import ConfigError

CODING = Group("Masks and frames", sort_key=1)
CAMERA = Group("The camera departs from its file", sort_key=2)
NOISE = Group("Noise", sort_key=3)

MaskKind = Literal["bernoulli", "shifting", "gray"]


def simulate(
    video: Path,
    /,
    *,
    output: Output,
    masks: Annotated[Path | None, Parameter(group=CODING)] = None,
    mask_kind: Annotated[MaskKind | None, Parameter(group=CODING)] = None,
    frames: Annotated[Count | None, Parameter(group=CODING)] = None,
    crop: Annotated[tuple[Count, Count] | None, Parameter(group=CODING, negative="")] = None,
    start: Annotated[int, Parameter(group=CODING, validator=Number(gte=0))] = 0,
    max_snapshots: Annotated[Count | None, Parameter(group=CODING)] = None,
    shrink: Annotated[Count, Parameter(group=CODING)] = 1,
    bayer: Annotated[Bayer | None, Parameter(group=COLOUR)] = None,
    mask_shift: Annotated[tuple[float, float] | None, Parameter(group=CAMERA, negative="")] = None,
    mask_rotation: Annotated[float, Parameter(group=CAMERA)] = 0.0,
    mask_scale: Annotated[PositiveFloat, Parameter(group=CAMERA)] = 1.0,
    mask_blur: Annotated[float, Parameter(group=CAMERA, validator=Number(gte=0))] = 0.0,
    gain: Annotated[PositiveFloat, Parameter(group=CAMERA)] = 1.0,
    offset: Annotated[float, Parameter(group=CAMERA)] = 0.0,
    pixel_gain: Annotated[float, Parameter(group=CAMERA, validator=Number(gte=0))] = 0.0,
    dead_pixels: Annotated[float, Parameter(group=CAMERA, validator=Number(gte=0, lt=1))] = 0.0,
    noise_gaussian: Annotated[PositiveFloat | None, Parameter(group=NOISE)] = None,
    noise_photons: Annotated[PositiveFloat | None, Parameter(group=NOISE)] = None,
    noise_bits: Annotated[
        int | None, Parameter(group=NOISE, validator=Number(gte=1, lte=16))
    ] = None,
    noise_saturation: Annotated[PositiveFloat | None, Parameter(group=NOISE)] = None,
    black_level: Annotated[float, Parameter(group=NOISE, validator=Number(gte=0))] = 0.0,
    seed: Seed = 0,
    threads: Threads = None,
    reporting: Reporting = Reporting(),
) -> int:
    """Code a video into snapshots, with the masks and the truth beside them.

    Parameters
    ----------
    video
        Video file, or folder of images in the order of their names.
    output
        File to write, .npz: snapshot (N, H, W), masks (T, H, W), truth (N·T, H, W), in colour
        (N·T, H, W, 3).
    masks
        File with the masks of a real camera, instead of generated ones.
    mask_kind
        Masks to generate: random binary, one binary pattern that moves, or random gray; without
        it, random binary.
    frames
        Frames per snapshot, T; without it, 8 or as many as the masks file has.
    crop
        Height and width of the part around the centre to keep; without it, the whole frame,
        or the masks' size.
    start
        First frame of the video to use.
    max_snapshots
        Snapshots at most; without it, as many as the video fills.
    shrink
        Average squares of so many pixels first; 2 gives every pixel of most video files a colour
        of its own, which they hold at half the resolution.
    bayer
        Take the snapshots through a Bayer mosaic of this pattern, as a colour camera does.
    mask_shift
        Pixels, down and right, by which the real masks lie off those written.
    mask_rotation
        Degrees by which they are turned, counter-clockwise.
    mask_scale
        Ratio by which they are larger.
    mask_blur
        Standard deviation in pixels of their blur.
    gain
        Ratio by which the snapshots are too bright.
    offset
        Intensity by which every pixel of the snapshots is too bright.
    pixel_gain
        Standard deviation of the pixels' own gains.
    dead_pixels
        Share of pixels that read 0.
    noise_gaussian
        Standard deviation of read noise, in intensities.
    noise_photons
        Photons at intensity 1, for shot noise.
    noise_bits
        Bits of the camera's converter.
    noise_saturation
        Snapshot level at which the sensor clips.
    black_level
        Intensity added before the converter and taken off after it.
    seed
        Seed of masks and noise.
    threads
        CPU threads; without it, all that torch finds.
    """
    terminal = Terminal(reporting)
    if masks is not None and mask_kind is not None:
        raise ConfigError(
            f"--mask-kind {mask_kind} is for generated masks, --masks {masks} gives others; leave "
            f"one of them out"
        )
    if black_level and noise_bits is None and noise_saturation is None:
        raise ConfigError(
            f"--black-level {black_level:g} has nothing to do without a converter; give its "
            f"--noise-bits or --noise-saturation"
        )

    import numpy as np

    from deqsci.cli.exposure import Clip, expose, generate_masks, given_masks
    from deqsci.cli.runtime import set_threads
    from deqsci.io import save_snapshots
    from deqsci.io.colour import mosaicked
    from deqsci.io.snapshots import check_output
    from deqsci.physics.camera import MaskDeviation
    from deqsci.physics.noise import Noise

    check_output(output, masks)
    set_threads(threads)
    noise = Noise(
        gaussian=noise_gaussian or 0.0,
        photons=noise_photons,
        bits=noise_bits,
        saturation=noise_saturation,
        gain=gain,
        offset=offset,
        pixel_gain=pixel_gain,
        dead=dead_pixels,
        black_level=black_level,
    )
    deviation = MaskDeviation(mask_shift or (0.0, 0.0), mask_rotation, mask_scale, mask_blur)
    camera = None
    if masks is not None:
        camera, notices = given_masks(masks, frames, crop)
        frames, crop = camera.shape[0], (camera.shape[1], camera.shape[2])
        for notice in notices:
            terminal.notice(notice)
    colour = bayer is not None
    clip = Clip.read(video, frames or 8, crop, start, max_snapshots, colour=colour, shrink=shrink)
    height, width = clip.video.shape[1:3]
    if camera is None:
        camera = generate_masks(mask_kind or "bernoulli", clip.frames, height, width, seed)
    seen = clip.video if bayer is None else mosaicked(clip.video, bayer)
    snapshots = expose(seen, camera, noise, seed, deviation)
    save_snapshots(output, snapshots, camera, clip.video, bayer)

    count = len(snapshots)
    terminal.say(
        f"{output} holds {count} snapshot{'s' if count > 1 else ''} of {clip.frames} frames, "
        f"{height}×{width}, from {video}"
    )
    terminal.result(
        {
            "output": str(output),
            "snapshots": count,
            "frames": clip.frames,
            "height": height,
            "width": width,
            "bayer": bayer,
            "mean_mask": float(np.mean(camera)),
            "seed": seed,
        }
    )
    return 0
