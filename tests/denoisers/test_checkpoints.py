"""Weight files: ours and the published ones load, everything else is refused in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from deqsci.denoisers.checkpoints import load_checkpoint
from deqsci.denoisers.cnn import CNN
from deqsci.denoisers.ffdnet import FFDNet
from deqsci.denoisers.rsn_cnn import RSNCNN
from deqsci.errors import WeightsError


def small_cnn(seed: int) -> CNN:
    torch.manual_seed(seed)
    return CNN(channels=3, depth=3)


def save_safetensors(network: nn.Module, path: Path) -> None:
    """The format knows one memory order only; our convolutions are kept channels last."""
    save_file({name: w.contiguous() for name, w in network.state_dict().items()}, path)


def assert_same(network: nn.Module, other: nn.Module) -> None:
    state = other.state_dict()
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, state[name]), name


def published_ffdnet(channels: int, depth: int) -> nn.Sequential:
    """The published form: convolution, normalisation, ReLU; neither end is normalised."""
    modules: list[nn.Module] = [nn.Conv2d(5, channels, 3, padding=1, bias=False), nn.ReLU()]
    for _ in range(depth - 2):
        norm = nn.BatchNorm2d(channels)
        for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            assert isinstance(tensor, Tensor)
            nn.init.uniform_(tensor, 0.5, 1.5)
        convolution = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        modules += [convolution, norm, nn.ReLU()]
    modules.append(nn.Conv2d(channels, 4, 3, padding=1, bias=False))
    return nn.Sequential(*modules).eval()


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".ckpt"])
def test_our_own_files_load(tmp_path: Path, suffix: str) -> None:
    source, target = small_cnn(0), small_cnn(1)
    path = tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        save_safetensors(source, path)
    else:
        torch.save(source.state_dict(), path)
    load_checkpoint(target, path)
    assert_same(target, source)


def test_rsn_cnn_loads_its_own_file(tmp_path: Path) -> None:
    source, target = RSNCNN(channels=2), RSNCNN(channels=2)
    save_safetensors(source, tmp_path / "rsn.safetensors")
    load_checkpoint(target, str(tmp_path / "rsn.safetensors"))
    assert_same(target, source)


def test_the_papers_names_load_and_its_normalised_weights_are_taken(tmp_path: Path) -> None:
    source, target = small_cnn(0), small_cnn(1)
    state: dict[str, Tensor] = {}
    for number, layer in enumerate(source.layers):
        assert isinstance(layer, nn.Conv2d)
        name = f"nonlinear_op.dncnn.{2 * number}.weight"
        state[name] = layer.weight.detach()
        state[f"{name}_orig"] = 3 * layer.weight.detach()
        state[f"{name}_u"] = torch.ones(1, 3, 4, 4)
    torch.save({"epoch": 3, "solver_state_dict": state}, tmp_path / "rsn_cnn.ckpt")
    load_checkpoint(target, tmp_path / "rsn_cnn.ckpt")
    assert_same(target, source)


def test_normalisation_is_folded_into_the_convolutions(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = published_ffdnet(channels=4, depth=5)
    state = {f"module.net.{name}": tensor for name, tensor in theirs.state_dict().items()}
    torch.save(state, tmp_path / "net_gray.pth")
    ours = FFDNet(channels=4, depth=5)
    load_checkpoint(ours, tmp_path / "net_gray.pth")
    x = torch.rand(1, 1, 8, 8)
    level = torch.full((1, 1, 4, 4), 0.1)
    noise = F.pixel_shuffle(theirs(torch.cat([level, F.pixel_unshuffle(x, 2)], 1)), 2)
    torch.testing.assert_close(ours(x, 0.1), x - noise)


@pytest.mark.parametrize(
    ("network", "file"),
    [
        (CNN, "deqsci/cnn.ckpt"),
        (CNN, "deqsci/rsn_cnn.ckpt"),
        (FFDNet, "ffdnet/net_gray.pth"),
    ],
)
def test_published_weights_denoise(shared: Path, network: type[nn.Module], file: str) -> None:
    denoiser = network()
    load_checkpoint(denoiser, shared / "weights" / file)
    torch.manual_seed(0)
    clean = torch.linspace(0.2, 0.8, 64).expand(1, 1, 64, 64)
    noisy = clean + 15 / 255 * torch.randn(clean.shape)
    with torch.no_grad():
        denoised = denoiser(noisy, 15 / 255)
    assert (denoised - clean).square().mean() < 0.8 * (noisy - clean).square().mean()


def test_the_published_pickle_is_refused(shared: Path) -> None:
    with pytest.raises(WeightsError, match=r"would run code.*state_dict\(\)"):
        load_checkpoint(CNN(), shared / "weights/deqsci/rnn1_model_best.pth")


def test_a_pickled_module_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "module.pth"
    torch.save(nn.Linear(2, 2), path)
    with pytest.raises(WeightsError, match=r"module\.pth holds Python objects.*safetensors"):
        load_checkpoint(small_cnn(0), path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_missing_file_is_refused(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(WeightsError, match=f"no weight file at .*absent{suffix}"):
        load_checkpoint(small_cnn(0), tmp_path / f"absent{suffix}")
    with pytest.raises(WeightsError, match="no weight file"):
        load_checkpoint(small_cnn(0), tmp_path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    network, path = small_cnn(0), tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        save_safetensors(network, path)
    else:
        torch.save(network.state_dict(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(WeightsError, match=rf"{path.name} is damaged"):
        load_checkpoint(network, path)


@pytest.mark.parametrize(
    "content", [[torch.ones(2)], {"epoch": 3}, torch.ones(2), {"solver_state_dict": None}]
)
def test_a_file_without_named_tensors_is_refused(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="no named tensors"):
        load_checkpoint(small_cnn(0), tmp_path / "other.pth")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (CNN(channels=4, depth=3), r"layers\.0\.weight has shape \(4, 1, 3, 3\).*\(3, 1, 3, 3\)"),
        (CNN(channels=3, depth=2), r"lacks layers\.2\.weight"),
        (CNN(channels=3, depth=4), "more layers"),
        (FFDNet(channels=3, depth=3), "more layers"),
        (RSNCNN(channels=3), "lacks"),
        (nn.BatchNorm2d(3), "lacks"),
    ],
    ids=["wider", "shallower", "deeper", "ffdnet", "rsn", "normalisation"],
)
def test_weights_of_another_network_are_refused_and_nothing_changes(
    tmp_path: Path, other: nn.Module, words: str
) -> None:
    save_safetensors(other, tmp_path / "other.safetensors")
    network = small_cnn(1)
    with pytest.raises(WeightsError, match=f"weights of CNN: .*{words}"):
        load_checkpoint(network, tmp_path / "other.safetensors")
    assert_same(network, small_cnn(1))


def test_two_networks_in_one_file_are_not_mixed(tmp_path: Path) -> None:
    state = small_cnn(0).state_dict()
    names = ["encoder.0.weight", "encoder.2.weight", "decoder.4.weight"]
    torch.save(dict(zip(names, state.values(), strict=True)), tmp_path / "two.pth")
    with pytest.raises(WeightsError, match="lacks"):
        load_checkpoint(small_cnn(1), tmp_path / "two.pth")


def test_weights_with_nan_are_refused(tmp_path: Path) -> None:
    state = small_cnn(0).state_dict()
    state["layers.1.weight"][0] = torch.nan
    save_file({k: v.contiguous() for k, v in state.items()}, tmp_path / "nan.safetensors")
    with pytest.raises(WeightsError, match=r"NaN.*layers\.1\.weight"):
        load_checkpoint(small_cnn(1), tmp_path / "nan.safetensors")
