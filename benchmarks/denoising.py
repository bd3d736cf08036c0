"""FFDNet on a folder of gray images with known Gaussian noise, as the field scores it.

PSNR over the whole image at full precision: σ of 255, noise not clipped, the estimate clipped to
[0, 1], mean over images. The published figures on BSD68 are 31.63, 29.19 and 26.29 dB.

    python benchmarks/denoising.py IMAGES -o out/denoising.json [--weights net_gray.pth ...]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import imageio.v3 as iio
import torch
from torch import Tensor

from deqsci.denoisers.checkpoints import load_checkpoint
from deqsci.denoisers.ffdnet import FFDNet
from deqsci.reconstruction.zoo import shipped_weights

SIGMAS = (5, 15, 25, 50, 75)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", type=Path, help="folder of gray PNG images")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--weights", type=Path, nargs="*", default=[], help="beside those shipped")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    files = sorted(arguments.images.glob("*.png"))
    if not files:
        parser.error(f"{arguments.images} holds no PNG images")
    images = [torch.from_numpy(iio.imread(file)).float()[None, None] / 255 for file in files]
    rows = []
    for weights in filter(None, (shipped_weights("pnp-ffdnet"), *arguments.weights)):
        network = FFDNet()
        load_checkpoint(network, weights)
        row = {"weights": weights.name, **score(network.eval(), images)}
        print(json.dumps(row), flush=True)
        rows.append(row)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(rows, indent=1) + "\n")


@torch.no_grad()
def score(network: FFDNet, images: list[Tensor]) -> dict[str, float]:
    """Mean PSNR in dB for each σ; the noise is that of one seed for all networks."""
    means = {}
    for sigma in SIGMAS:
        generator = torch.Generator().manual_seed(0)
        total = 0.0
        for image in images:
            noisy = image + sigma / 255 * torch.randn(image.shape, generator=generator)
            error = (network(noisy, sigma / 255).clamp(0, 1) - image).square().mean()
            total -= 10 * error.log10().item()
        means[f"psnr at {sigma}"] = round(total / len(images), 3)
    return means


if __name__ == "__main__":
    main()
