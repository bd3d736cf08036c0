"""What a step trains on: lengths, starts and noise are what the configuration says."""

from __future__ import annotations

from pathlib import Path

import torch

from deqsci.data.clip_set import ClipSet
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.zoo import new_map
from deqsci.training.config import Data, Stage, TrainConfig
from deqsci.training.pool import Pool
from deqsci.training.samples import Coded, begun, code, draw_video


def stage(**settings: float) -> Stage:
    return Stage("equilibrium", steps=1, batch=1, size=8, rate=1e-3, **settings)  # type: ignore[arg-type]


def configured(noise: tuple[float, float] = (0.0, 0.0), clean: float = 0.0) -> TrainConfig:
    folder = (Path("unread"),)
    return TrainConfig("de-gap-cnn", Data(folder, folder), (stage(),), noise=noise, clean=clean)


def drawn(config: TrainConfig) -> Coded:
    generator = torch.Generator().manual_seed(0)
    video = torch.rand(64, 3, 8, 8, generator=generator)
    return code(video, config, generator)


def start_of(coded: Coded, **settings: float) -> torch.Tensor:
    map = new_map("de-gap-cnn")
    start = begun(coded, map, stage(**settings), torch.Generator().manual_seed(1)).start
    assert start is not None
    return start


def test_frames_are_drawn_from_their_range() -> None:
    clips = ClipSet([torch.zeros(9, 8, 8, dtype=torch.uint8)])
    generator, host = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    within = stage(frames=2, max_frames=5)
    lengths = {draw_video(clips, within, generator, host).shape[1] for _ in range(50)}
    assert lengths == {2, 3, 4, 5}
    assert draw_video(clips, stage(frames=2), generator, host).shape[1] == 2


def test_a_blended_start_lies_between_the_truth_and_the_mean_frame() -> None:
    coded = drawn(configured())
    whole = coded.physics.initial(coded.snapshot) - coded.video
    part = start_of(coded, start_blend=0.5) - coded.video
    share = (part * whole).sum((1, 2, 3)) / whole.square().sum((1, 2, 3))
    torch.testing.assert_close(part, share.view(-1, 1, 1, 1) * whole, atol=1e-5, rtol=1e-4)
    assert share.min() >= 0
    untouched = (share > 1 - 1e-5).float().mean()
    assert 0.3 < untouched < 0.7


def test_a_noisy_start_strays_by_at_most_so_much() -> None:
    coded = drawn(configured())
    strayed = start_of(coded, start_noise=0.2) - coded.physics.initial(coded.snapshot)
    levels = strayed.flatten(1).std(1)
    assert 0.005 < levels.min() < 0.03
    assert 0.17 < levels.max() < 0.23


def test_a_stage_that_wants_no_start_leaves_it_to_the_map() -> None:
    coded = drawn(configured())
    assert begun(coded, new_map("de-gap-cnn"), stage(), torch.Generator()).start is None


def test_the_physics_is_told_the_noise_and_some_snapshots_have_none() -> None:
    coded = drawn(configured((0.1, 0.3), clean=0.5))
    sigma = coded.physics.noise.flatten()
    found = (coded.snapshot - coded.physics.A(coded.video)).flatten(1).std(1)
    assert 0.3 < (sigma == 0).float().mean() < 0.7
    assert (found[sigma == 0] < 1e-6).all()
    torch.testing.assert_close(found[sigma > 0], sigma[sigma > 0], rtol=0.4, atol=0)


def test_a_pool_keeps_each_snapshots_noise() -> None:
    def numbered() -> Coded:
        number = torch.arange(1.0, 4)
        video = number.view(-1, 1, 1, 1).expand(-1, 2, 4, 4).contiguous()
        physics = SnapshotPhysics(torch.ones_like(video), noise=number)
        return Coded(video, physics.A(video), physics, video)

    coded = Pool(numbered, uses=2, seed=0).take()
    assert torch.equal(coded.physics.noise.flatten(), coded.video[:, 0, 0, 0])
