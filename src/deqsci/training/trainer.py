"""Training: setup → fit → validate."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from deqsci.data.clips import Crops, load_clips
from deqsci.fixed_point import Anderson, JacobianFree
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.zoo import new_map
from deqsci.training import checkpoint
from deqsci.training.config import Stage, TrainConfig
from deqsci.training.losses import denoising_loss, equilibrium_loss
from deqsci.training.validation import validate

Report = Callable[[dict[str, Any]], None]


class Trainer:
    """One run. Its folder holds log.jsonl, state.pt, last.safetensors and best.safetensors.

    Everything drawn comes from one generator whose state is checkpointed, and the learning rate
    is a function of the step alone: a resumed run follows the trajectory of an uninterrupted one.
    """

    def __init__(self, config: TrainConfig, folder: Path, report: Report | None = None) -> None:
        self.config, self.folder = config, folder
        self._report = report
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        self.model = DeepEquilibrium(new_map(config.model), Anderson(), JacobianFree())
        self.denoiser: nn.Module = self.model.map.get_submodule("denoiser")
        self.generator = torch.Generator().manual_seed(config.seed)
        self.clips = load_clips(config.train)
        self.validation_clips = load_clips(config.validation)
        self.stage, self.step, self.seconds = 0, 0, 0.0
        self.best = -math.inf
        self.optimizer = self._new_optimizer()
        folder.mkdir(parents=True, exist_ok=True)

    def resume(self) -> bool:
        """Go on from state.pt where there is one; return whether there was."""
        path = self.folder / "state.pt"
        if not path.exists():
            return False
        state = checkpoint.load(path)
        self.denoiser.load_state_dict(state["denoiser"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.stage, self.step = state["stage"], state["step"]
        self.best, self.seconds = state["best"], state["seconds"]
        return True

    def fit(self) -> None:
        """Run every stage that is left to its end."""
        while self.stage < len(self.config.stages):
            self._fit_stage(self.config.stages[self.stage])
            self.stage, self.step = self.stage + 1, 0
            self.best = -math.inf  # a stage's best is not comparable with the next one's
            self.optimizer = self._new_optimizer()
            self._save()

    def _fit_stage(self, stage: Stage) -> None:
        frames = 1 if stage.kind == "denoise" else stage.frames
        crops = Crops(self.clips, frames, stage.size)
        self.model.adjoint, self.model.solver = stage.build_adjoint(), stage.build_solver()
        began = time.perf_counter()
        recent: list[dict[str, float]] = []
        while self.step < stage.steps:
            recent.append(self._update(stage, crops.sample(stage.batch, self.generator)))
            self.step += 1
            now = time.perf_counter()
            self.seconds, began = self.seconds + now - began, now
            last = self.step == stage.steps
            if self.step % self.config.validate_every == 0 or last:
                means = {k: sum(r[k] for r in recent) / len(recent) for k in recent[0]}
                recent.clear()
                self._validate(stage, means)
            if self.step % self.config.checkpoint_every == 0 or last:
                self._save()

    def _update(self, stage: Stage, crop: Tensor) -> dict[str, float]:
        self.denoiser.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(stage, self.step)
        with torch.autocast("cpu", torch.bfloat16, enabled=stage.precision == "bfloat16"):
            if stage.kind == "denoise":
                loss, metrics = denoising_loss(self.denoiser, crop, stage, self.generator)
            else:
                loss, metrics = equilibrium_loss(self.model, crop, stage, self.generator)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.denoiser.parameters(), self.config.clip_gradient)
        if bool(norm.isfinite()):  # one bad sample must not end the run
            self.optimizer.step()
        return {"loss": loss.item(), "gradient": norm.item(), **metrics}

    def _validate(self, stage: Stage, means: dict[str, float]) -> None:
        self.denoiser.eval()
        scores = validate(self.model, stage, self.validation_clips)
        if scores["score"] > self.best:
            self.best = scores["score"]
            self._write_weights("best.safetensors")
        record = {
            "stage": self.stage,
            "step": self.step,
            "seconds": round(self.seconds, 1),
            "rate": learning_rate(stage, self.step),
            "train": means,
            "validation": scores,
        }
        with (self.folder / "log.jsonl").open("a") as stream:
            stream.write(json.dumps(record) + "\n")
        if self._report is not None:
            self._report(record)

    def _new_optimizer(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.denoiser.parameters())

    def _save(self) -> None:
        state = {
            "denoiser": self.denoiser.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "stage": self.stage,
            "step": self.step,
            "best": self.best,
            "seconds": self.seconds,
        }
        checkpoint.save(state, self.folder / "state.pt")
        self._write_weights("last.safetensors")

    def _write_weights(self, name: str) -> None:
        tensors = {k: v.contiguous() for k, v in self.denoiser.state_dict().items()}
        partial = self.folder / f"{name}.partial"
        save_file(tensors, partial)
        partial.replace(self.folder / name)


def learning_rate(stage: Stage, step: int) -> float:
    """Half cosine from ``rate`` to ``final_rate``."""
    share = 0.5 * (1 + math.cos(math.pi * min(step / stage.steps, 1)))
    return stage.final_rate + (stage.rate - stage.final_rate) * share
