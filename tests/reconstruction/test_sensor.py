"""What is estimated of a sensor, and that a bad pixel's reading moves no method's video."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from deqsci.denoisers.cnn import CNN
from deqsci.denoisers.ffdnet import FFDNet
from deqsci.fixed_point import JacobianFree, Picard
from deqsci.physics.noise import Noise
from deqsci.reconstruction.bad_pixels import BadPixels
from deqsci.reconstruction.calibration.noise_level import NoiseLevel
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.ffdnet_map import FFDNetMap
from deqsci.reconstruction.maps import EquilibriumMap, GapMap
from deqsci.reconstruction.plug_and_play import PnPFFDNet
from deqsci.reconstruction.recurrent_map import AcceleratedRecurrentMap, RecurrentMap
from deqsci.reconstruction.schedule import FiniteSchedule
from deqsci.reconstruction.sensor import Sensor
from deqsci.reconstruction.space_time_map import AcceleratedSpaceTimeMap, SpaceTimeMap
from deqsci.reconstruction.total_variation import AdmmTV, GapTV
from tests.reconstruction.calibration.support import SIDE, Taken, moving_texture, take

NONE = torch.zeros(SIDE, SIDE, dtype=torch.bool)

MODELS: dict[str, Callable[[], DeepEquilibrium | FiniteSchedule]] = {
    "gap-tv": lambda: GapTV(6),
    "admm-tv": lambda: AdmmTV(6),
    "pnp": lambda: PnPFFDNet(FFDNet(), sigmas=(0.1,), repeats=6),
    "gap map": lambda: _equilibrium(GapMap(CNN())),
    "ffdnet map": lambda: _equilibrium(FFDNetMap()),
    "recurrent map": lambda: _equilibrium(RecurrentMap()),
    "accelerated recurrent map": lambda: _equilibrium(AcceleratedRecurrentMap()),
    "space-time map": lambda: _equilibrium(SpaceTimeMap()),
    "accelerated space-time map": lambda: _equilibrium(AcceleratedSpaceTimeMap()),
}
"""Every kind of data step there is; the weights do not matter."""


def half_smooth() -> torch.Tensor:
    """Texture everywhere would pass for noise."""
    video = moving_texture()
    video[..., : SIDE // 2] = 0.4
    return video


@pytest.mark.parametrize("sigma", [0.01, 0.03, 0.1])
def test_read_noise_is_estimated(sigma: float) -> None:
    taken = take(noise=Noise(gaussian=sigma), video=half_smooth())
    assert Sensor.of(taken.snapshots, taken.masks).noise.sigma == pytest.approx(sigma, rel=0.25)


def test_shot_noise_is_told_from_read_noise() -> None:
    video = moving_texture() * torch.linspace(0.05, 1, SIDE)  # dark and bright parts
    found = Sensor.of(*_of(take(noise=Noise(photons=300.0), video=video))).noise
    assert found.photons == pytest.approx(300, rel=0.3)
    assert found.read < 0.03


def test_saturated_parts_do_not_make_the_noise_smaller() -> None:
    video = half_smooth()
    video[:, SIDE // 2 :] = 1
    taken = take(noise=Noise(gaussian=0.03, saturation=3.2), video=video)
    assert Sensor.of(taken.snapshots, taken.masks).noise.sigma == pytest.approx(0.03, rel=0.25)


def test_a_snapshot_that_clips_everywhere_tells_no_noise() -> None:
    sensor = Sensor.of(*_of(take(noise=Noise(gaussian=0.03, saturation=0.5))))
    assert sensor.noise is None


def test_a_given_noise_is_taken() -> None:
    sensor = Sensor.of(*_of(take()), noise=0.07)
    taken = take()
    noise = sensor.physics(taken.snapshots[0], taken.masks).noise
    torch.testing.assert_close(
        noise[noise.isfinite()], torch.tensor(0.07).expand(noise.isfinite().sum())
    )


def test_shot_noise_grows_with_the_reading_and_is_infinite_where_a_pixel_is_bad() -> None:
    dead = NONE.clone()
    dead[0, 0] = True
    snapshot = torch.full((SIDE, SIDE), 3.0)
    snapshot[1] = 0
    sensor = Sensor(NoiseLevel(0.3, 100.0, 1.0), BadPixels(dead, NONE))
    noise = sensor.physics(snapshot, torch.ones(4, SIDE, SIDE)).noise
    assert float(noise[0, 1]) == pytest.approx(math.sqrt(0.3**2 + 0.03))
    assert float(noise[1, 1]) == pytest.approx(0.3)
    assert noise.isinf().nonzero().tolist() == [[0, 0]]


def test_the_colours_of_a_mosaic_do_not_pass_for_bad_pixels() -> None:
    """Neighbours of unlike colours differ by half of the light; every second one does not."""
    taken, dead = take(), torch.rand(SIDE, SIDE, generator=torch.Generator().manual_seed(1)) < 0.01
    tint = torch.tensor([[1.0, 0.5], [0.5, 0.2]]).repeat(SIDE // 2, SIDE // 2)
    sensor = Sensor.of(taken.snapshots * tint * ~dead, taken.masks, mosaic=True)
    found = sensor.bad.dead | sensor.bad.hot
    assert int((found & ~dead).sum()) <= 3
    assert float((found & dead).sum() / dead.sum()) > 0.7


@pytest.mark.parametrize("kind", MODELS)
def test_what_a_bad_pixel_reads_moves_no_method(kind: str) -> None:
    """And what the others read does."""
    taken = take()
    part = slice(32)
    masks, snapshot = taken.masks[:, part, part], taken.snapshots[0, part, part]
    dead = torch.zeros(32, 32, dtype=torch.bool)
    dead[9, 9] = dead[20, 4] = True
    sensor = Sensor(NoiseLevel(0.0, math.inf, 1.0), BadPixels(dead, torch.zeros_like(dead)))
    torch.manual_seed(0)
    model = MODELS[kind]()

    def video_of(reading: float, place: tuple[int, int]) -> torch.Tensor:
        y = snapshot.clone()
        y[place] = reading
        start = sensor.bad.filled(y, masks)[None]
        return model.reconstruct(start, sensor.physics(y, masks)).video

    assert torch.equal(video_of(0.0, (9, 9)), video_of(5.0, (9, 9)))
    assert not torch.equal(video_of(0.0, (9, 10)), video_of(5.0, (9, 10)))


def _equilibrium(map: EquilibriumMap) -> DeepEquilibrium:
    return DeepEquilibrium(map, Picard(max_iter=4), JacobianFree())


def _of(taken: Taken) -> tuple[torch.Tensor, torch.Tensor]:
    return taken.snapshots, taken.masks
