"""Sensor noise: its statistics, its levels, and what it refuses."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from deqsci.errors import ConfigError
from deqsci.physics.noise import Noise

SAMPLES = (400, 500)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_no_noise_changes_nothing_and_shares_nothing() -> None:
    snapshot = torch.rand(1, 4, 4) * 8
    noisy = Noise()(snapshot, 8.0)
    assert torch.equal(noisy, snapshot)
    noisy.zero_()
    assert snapshot.max() > 0


@pytest.mark.parametrize(
    "noise",
    [Noise(gaussian=0.1), Noise(photons=100), Noise(bits=4), Noise(saturation=1.0)],
)
def test_the_argument_is_left_alone(noise: Noise) -> None:
    snapshot = torch.rand(2, 8, 8) * 8
    before = snapshot.clone()
    noise(snapshot, 8.0)
    assert torch.equal(snapshot, before)


def test_gaussian_noise_has_its_deviation_and_no_bias() -> None:
    error = Noise(gaussian=0.05)(torch.full(SAMPLES, 3.0), 8.0, seeded()) - 3
    assert error.std().item() == pytest.approx(0.05, rel=0.01)
    assert abs(error.mean().item()) < 4 * 0.05 / math.sqrt(error.numel())


@pytest.mark.parametrize("level", [0.5, 4.0])
def test_shot_noise_has_the_variance_of_its_mean(level: float) -> None:
    noisy = Noise(photons=200)(torch.full(SAMPLES, level), 8.0, seeded())
    assert noisy.mean().item() == pytest.approx(level, rel=0.001)
    assert noisy.var().item() == pytest.approx(level / 200, rel=0.02)
    photons = noisy * 200
    torch.testing.assert_close(photons, photons.round(), rtol=0, atol=1e-3)


def test_shot_and_read_noise_add_in_variance() -> None:
    noisy = Noise(gaussian=0.1, photons=100)(torch.full(SAMPLES, 2.0), 8.0, seeded())
    assert noisy.var().item() == pytest.approx(0.1**2 + 2 / 100, rel=0.02)


def test_the_seed_fixes_the_noise() -> None:
    noise, snapshot = Noise(gaussian=0.1, photons=50), torch.rand(1, 16, 16)
    assert torch.equal(noise(snapshot, 8.0, seeded()), noise(snapshot, 8.0, seeded()))
    assert not torch.equal(noise(snapshot, 8.0), noise(snapshot, 8.0))


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_quantisation_has_its_levels(bits: int) -> None:
    ramp = torch.linspace(0, 8, 5001).view(1, 1, -1)
    quantised = Noise(bits=bits)(ramp, 8.0)
    assert len(quantised.unique()) == 2**bits
    assert quantised.min() == 0
    assert quantised.max() == 8
    half_step = 4 / (2**bits - 1)
    assert (quantised - ramp).abs().max().item() == pytest.approx(half_step, rel=0.02)


def test_saturation_clips_and_is_the_converter_s_full_scale() -> None:
    ramp = torch.linspace(0, 8, 1001).view(1, 1, -1)
    clipped = Noise(saturation=3.0)(ramp, 8.0)
    assert torch.equal(clipped, ramp.clamp(max=3.0))
    quantised = Noise(saturation=3.0, bits=2)(ramp, 8.0)
    torch.testing.assert_close(quantised.unique(), torch.tensor([0.0, 1.0, 2.0, 3.0]))


def test_read_noise_goes_below_zero_but_codes_do_not() -> None:
    dark = torch.zeros(1, 64, 64)
    assert Noise(gaussian=0.1)(dark, 8.0).min() < 0
    assert Noise(gaussian=0.1, bits=8)(dark, 8.0).min() == 0


def test_gain_and_offset_are_a_straight_line_with_its_derivative() -> None:
    snapshot = torch.rand(2, 4, 4, requires_grad=True)
    reported = Noise(gain=1.25, offset=-0.5)(snapshot, 8.0)
    torch.testing.assert_close(reported, 1.25 * snapshot - 0.5)
    reported.sum().backward()
    torch.testing.assert_close(snapshot.grad, torch.full_like(snapshot, 1.25))


def test_pixels_have_their_own_gain_in_all_snapshots() -> None:
    noisy = Noise(pixel_gain=0.02)(torch.full((2, *SAMPLES), 3.0), 8.0, seeded())
    assert torch.equal(noisy[0], noisy[1])
    assert noisy.std().item() == pytest.approx(0.06, rel=0.02)


def test_dead_pixels_read_nothing_in_all_snapshots() -> None:
    noisy = Noise(dead=0.01, gaussian=0.1, offset=0.5)(
        torch.full((2, *SAMPLES), 3.0), 8.0, seeded()
    )
    dead = noisy == 0
    assert torch.equal(dead[0], dead[1])
    assert dead.double().mean().item() == pytest.approx(0.01, rel=0.1)


def test_a_black_level_keeps_what_lies_below_zero_from_the_converter() -> None:
    dark = Noise(gaussian=0.1, bits=12, black_level=1.0)(torch.zeros(1, *SAMPLES), 8.0, seeded())
    assert dark.min() < 0
    assert abs(dark.mean().item()) < 0.001
    assert dark.std().item() == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize(
    ("noise", "top"),
    [
        (Noise(bits=8, black_level=100), 8),
        (Noise(bits=8, black_level=8), 8),
        (Noise(saturation=3.0, black_level=3.5), 3),
    ],
)
def test_a_black_level_at_the_converter_s_end_is_refused(noise: Noise, top: int) -> None:
    with pytest.raises(ConfigError, match=f"in intensities, not counts; wanted less than {top}"):
        noise(torch.zeros(1, 4, 4), 8.0)


@pytest.mark.parametrize(
    "setting",
    [
        {"gain": 0.0},
        {"offset": math.nan},
        {"pixel_gain": -0.1},
        {"dead": 1.0},
        {"black_level": math.inf},
        {"gaussian": -0.1},
        {"gaussian": math.nan},
        {"photons": 0},
        {"photons": math.inf},
        {"bits": 0},
        {"bits": 17},
        {"saturation": -1.0},
    ],
)
def test_settings_out_of_range_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="wanted"):
        Noise(**setting)
