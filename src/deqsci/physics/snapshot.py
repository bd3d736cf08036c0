"""The snapshot operator of video SCI: one coded exposure of T masked frames."""

from __future__ import annotations

import torch
from torch import Tensor

from deqsci.errors import MaskError, ShapeError, ValueRangeError


class SnapshotPhysics:
    r"""Coded exposure y = Σₜ Φₜ ⊙ xₜ of a video by T masks.

    Because every pixel of the snapshot sums its own T frame pixels only, ΦΦᵀ is the diagonal
    matrix ``gram`` = Σₜ Φₜ², and the pseudo-inverse and the projection on {x : Φx = y} are
    closed-form (generalised alternating projection, Liao et al. 2014).
    Pixels with ``gram`` 0 were never seen: they receive nothing and nothing divides by zero.

    Parameters
    ----------
    masks : (T, H, W) for one mask set, or (B, T, H, W) for one set per sample; transmission in
        [0, 1], binary or gray.
    noise : standard deviation of the snapshot's noise where it is known, in the snapshot's unit:
        one number, (B,) one per snapshot, or (H, W) or (B, H, W) one per pixel. Only ``proximal``
        weighs by it. A pixel whose noise is infinite, a dead or a saturated one, says nothing to
        anyone: its masks close, and it is as if it had never been seen.
    check : whether to look at the values, for which the host waits for the device.

    Attributes
    ----------
    masks : the masks as given, closed where the noise is infinite.
    gram : (H, W) or (B, H, W), the diagonal of ΦΦᵀ.
    noise : broadcasts against (B, H, W).

    Raises
    ------
    MaskError : empty masks, or values that are not finite or outside [0, 1].
    ValueRangeError : noise below 0 or NaN, or infinite for a whole snapshot.
    ShapeError : masks that are neither 3-D nor 4-D; later, tensors that do not fit the masks.
    """

    def __init__(self, masks: Tensor, *, noise: Tensor | float = 0.0, check: bool = True) -> None:
        if masks.ndim not in (3, 4):
            raise ShapeError(
                f"masks have shape {tuple(masks.shape)}; wanted (T, H, W) or (B, T, H, W)"
            )
        if masks.numel() == 0:
            raise MaskError(f"masks are empty: shape {tuple(masks.shape)}")
        if not masks.is_floating_point():
            masks = masks.to(torch.float32)
        if check:
            low, high = masks.min().item(), masks.max().item()
            if not (0.0 <= low and high <= 1.0):  # also false for NaN
                raise MaskError(
                    f"mask values span {low:g} to {high:g}; wanted transmission in [0, 1]"
                )
        noise = torch.as_tensor(noise, dtype=masks.dtype, device=masks.device)
        if check and not bool((noise >= 0).all()):
            raise ValueRangeError("the noise has a negative or NaN standard deviation; wanted ≥ 0")
        if check and noise.ndim < 2 and bool(noise.isinf().any()):
            raise ValueRangeError("a whole snapshot has infinite noise; wanted that of bad pixels")
        self._opening = masks.sum(-3)
        if noise.ndim > 1 and bool((bad := noise.isinf()).any()):
            masks = torch.where(bad.unsqueeze(-3), 0.0, masks)
        self.noise = noise.view(-1, 1, 1) if noise.ndim == 1 else noise
        self.masks = masks
        self.gram = masks.square().sum(-3)
        seen = self.gram > torch.finfo(self.gram.dtype).tiny
        self._inverse_gram = torch.where(seen, 1 / torch.where(seen, self.gram, 1.0), 0.0)

    @property
    def frames(self) -> int:
        """T, the number of frames that one snapshot holds."""
        return self.masks.shape[-3]

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the sensor."""
        return self.masks.shape[-2], self.masks.shape[-1]

    def A(self, video: Tensor) -> Tensor:  # noqa: N802 (the field's name)
        """Snapshot Φx. Shape: (B, T, H, W) → (B, H, W)."""
        self._check(video, (self.frames, *self.shape), "video", "(B, T, H, W)")
        return (self.masks * video).sum(1)

    def A_adjoint(self, snapshot: Tensor) -> Tensor:  # noqa: N802
        """Φᵀy. Shape: (B, H, W) → (B, T, H, W)."""
        self._check(snapshot, self.shape, "snapshot", "(B, H, W)")
        return self.masks * snapshot.unsqueeze(1)

    def A_dagger(self, snapshot: Tensor) -> Tensor:  # noqa: N802
        """Moore–Penrose Φ†y = Φᵀ(ΦΦᵀ)⁻¹y, the least-norm video. Shape: (B, H, W) → (B, T, H, W)."""
        self._check(snapshot, self.shape, "snapshot", "(B, H, W)")
        return self.masks * (snapshot * self._inverse_gram).unsqueeze(1)

    def project(self, video: Tensor, snapshot: Tensor) -> Tensor:
        """Euclidean projection on the videos that explain the snapshot: z + Φ†(y − Φz).

        Shape: (B, T, H, W), (B, H, W) → (B, T, H, W).
        """
        self._check(snapshot, self.shape, "snapshot", "(B, H, W)")
        if len(snapshot) != len(video):
            raise ShapeError(
                f"{len(snapshot)} snapshots do not belong to {len(video)} videos; wanted one each"
            )
        misfit = (snapshot - self.A(video)) * self._inverse_gram
        return torch.addcmul(video, self.masks, misfit.unsqueeze(1))

    def proximal(self, video: Tensor, snapshot: Tensor, spread: Tensor | float) -> Tensor:
        r"""The video between a guess and what explains the snapshot, as far as each is trusted.

        .. math:: \arg\min_x \|x - z\|^2 / \tau^2 + \|(y - \Phi x) / \sigma\|^2
            = z + \Phi^T (\Phi\Phi^T + \sigma^2/\tau^2)^{-1} (y - \Phi z)

        with σ = ``noise`` and τ = ``spread``, the standard deviation of the guess's error. Without
        noise it is the projection; where σ is infinite the guess stays.

        Shape: (B, T, H, W), (B, H, W) → (B, T, H, W).
        """
        self._check(snapshot, self.shape, "snapshot", "(B, H, W)")
        misfit = (snapshot - self.A(video)) * self._weights(spread)
        return torch.addcmul(video, self.masks, misfit.unsqueeze(1))

    def doubt(self, spread: Tensor | float) -> Tensor:
        r"""Share of a pixel's noise in its misfit, √(1 − gram / (gram + σ²/τ²)): 0 for a snapshot
        without noise, 1 where a pixel says nothing. Shape: broadcasts against (B, H, W)."""
        return (1 - self.gram * self._weights(spread)).clamp_min(0).sqrt()

    def _weights(self, spread: Tensor | float) -> Tensor:
        """1 / (gram + σ²/τ²), 0 where nothing was seen or the noise is infinite."""
        regularised = self.gram + (self.noise / spread).square()
        seen = self.gram > torch.finfo(self.gram.dtype).tiny
        return torch.where(seen, 1 / torch.where(seen, regularised, 1.0), 0.0)

    def initial(self, snapshot: Tensor) -> Tensor:
        """The mean frame y/ΣₜΦₜ repeated T times, 0 where no mask opens.

        It starts about 9 dB closer to the video than Φᵀy does. A guess may look where the noise is
        infinite too: in the middle of a saturated patch there is nothing better.
        Shape: (B, H, W) → (B, T, H, W).
        """
        self._check(snapshot, self.shape, "snapshot", "(B, H, W)")
        opening = self._opening
        seen = opening > torch.finfo(opening.dtype).tiny
        mean = torch.where(seen, snapshot / torch.where(seen, opening, 1.0), 0.0)
        return mean.unsqueeze(1).expand(-1, self.frames, -1, -1).contiguous()

    def validate(self, snapshot: Tensor) -> None:
        """Raise ShapeError or ValueRangeError unless ``snapshot`` (B, H, W) fits and is finite."""
        self._check(snapshot, self.shape, "snapshot", "(B, H, W)")
        if not bool(torch.isfinite(snapshot).all()):
            raise ValueRangeError("the snapshot holds NaN or infinite values; wanted finite ones")

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> SnapshotPhysics:
        """The same camera with its masks on another device or in another floating-point type."""
        masks = self.masks.to(device=device, dtype=dtype)
        return self._with(masks, self.noise, self._opening.to(device=device, dtype=dtype))

    def crop(self, rows: slice, columns: slice) -> SnapshotPhysics:
        """The camera that has these pixels only."""
        window = (..., rows, columns)
        per_pixel = self.noise.ndim > 1 and self.noise.shape[-2:] == self.shape
        noise = self.noise[window] if per_pixel else self.noise
        return self._with(self.masks[window], noise, self._opening[window])

    @staticmethod
    def _with(masks: Tensor, noise: Tensor, opening: Tensor) -> SnapshotPhysics:
        """Of masks that were looked at; ``opening`` is their sum before some closed."""
        physics = SnapshotPhysics(masks, noise=noise, check=False)
        physics._opening = opening
        return physics

    def _check(self, tensor: Tensor, tail: tuple[int, ...], name: str, wanted: str) -> None:
        per_sample = self.masks.ndim == 4 and self.masks.shape[0] != 1
        fits = tensor.ndim == len(tail) + 1 and tuple(tensor.shape[1:]) == tail
        if not fits or (per_sample and tensor.shape[0] != self.masks.shape[0]):
            raise ShapeError(
                f"{name} has shape {tuple(tensor.shape)}, masks {tuple(self.masks.shape)}; "
                f"wanted {name} {wanted} of the masks' sizes"
            )
