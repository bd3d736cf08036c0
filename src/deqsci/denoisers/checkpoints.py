"""Weights from files: ours, and the published ones of the same networks under their own names."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from deqsci.errors import WeightsError

# Epsilon of the published networks' batch normalisation, PyTorch's default.
_BATCH_NORM_EPSILON = 1e-5


def load_checkpoint(network: nn.Module, path: Path | str) -> None:
    """Fill ``network`` with the weights of a file. Only tensors are ever read, never code.

    Understood are ``.safetensors`` and tensor-only PyTorch files, with the names of ``network``
    or as published: the paper's ``cnn.ckpt`` and ``rsn_cnn.ckpt`` for `CNN` (the published
    RSN-CNN is a plain CNN whose stored weights are already normalised) and ``net_gray.pth`` for
    `FFDNet`, whose batch normalisation is folded into the convolutions.

    Raises
    ------
    WeightsError : the file is missing, damaged, of another network, or needs code to be run;
        ``network`` is then unchanged.
    """
    path = Path(path)
    found = _read_tensors(path)
    wanted = network.state_dict()
    if found.keys() != wanted.keys():
        found = _from_sequential(found)
    kind = type(network).__name__
    if found.keys() != wanted.keys():
        missing = sorted(wanted.keys() - found.keys())
        # Nothing missing: the file is of a deeper network.
        detail = f"it lacks {missing[0]}" if missing else "it holds more layers"
        raise WeightsError(f"{path} does not hold the weights of {kind}: {detail}")
    for name, tensor in wanted.items():
        if found[name].shape != tensor.shape:
            raise WeightsError(
                f"{path} does not hold the weights of {kind}: {name} has shape "
                f"{tuple(found[name].shape)}, wanted {tuple(tensor.shape)}"
            )
        if not bool(found[name].isfinite().all()):
            raise WeightsError(f"{path} holds NaN or infinite values in {name}")
    network.load_state_dict(found)


def _read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a file by name."""
    if not path.is_file():
        raise WeightsError(f"no weight file at {path}")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it says of odd files, the errors below say too
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"cannot read the weight file {path}: {error.strerror}") from error
    except SafetensorError as error:
        raise WeightsError(f"{path} is damaged or no safetensors file: {error}") from error
    except Exception as error:  # damaged bytes make torch.load raise nearly anything
        if isinstance(error, pickle.UnpicklingError) and "Unsupported global" in str(error):
            raise WeightsError(
                f"{path} holds Python objects, and loading them would run code from the file; "
                "load it where you trust it, save its state_dict() as .safetensors and give that"
            ) from error
        raise WeightsError(f"{path} is damaged or no PyTorch checkpoint") from error
    if isinstance(content, Mapping):
        content = content.get("solver_state_dict", content)
    tensors = _tensors_of(content)
    if not tensors:
        raise WeightsError(f"{path} holds no named tensors; wanted the state_dict of a network")
    return tensors


def _tensors_of(content: Any) -> dict[str, Tensor]:
    if not isinstance(content, Mapping):
        return {}
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def _from_sequential(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names of an ``nn.Sequential``, ``<prefix>.<index>.<name>``, as ``layers.<number>.<name>``.

    Convolutions are numbered in order; a normalisation right behind one is folded into it:
    γ (w∗x − μ) / √(s² + ε) + β. What else spectral normalisation stores beside ``weight`` is
    left out. Returns nothing where the names are not of that form.
    """
    modules: dict[int, dict[str, Tensor]] = {}
    prefixes = set()
    for name, tensor in tensors.items():
        *prefix, index, leaf = ["", *name.split(".")]
        prefixes.add(tuple(prefix))
        if not index.isdecimal() or len(prefixes) > 1:
            return {}
        modules.setdefault(int(index), {})[leaf] = tensor
    layers: list[dict[str, Tensor]] = []
    for _, module in sorted(modules.items()):
        weight = module.get("weight")
        if weight is None:
            return {}
        if weight.ndim == 4:
            layers.append({k: v for k, v in module.items() if k in {"weight", "bias"}})
        elif layers and {"bias", "running_mean", "running_var"} <= module.keys():
            gain = weight / (module["running_var"] + _BATCH_NORM_EPSILON).sqrt()
            shift = layers[-1].get("bias", 0) - module["running_mean"]
            layers[-1]["weight"] = layers[-1]["weight"] * gain.view(-1, 1, 1, 1)
            layers[-1]["bias"] = module["bias"] + gain * shift
        else:
            return {}
    return {
        f"layers.{number}.{leaf}": tensor
        for number, layer in enumerate(layers)
        for leaf, tensor in layer.items()
    }
