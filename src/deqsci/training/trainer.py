"""Training: setup → fit → validate."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch._functorch.config
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from deqsci.data.clip_set import ClipSet
from deqsci.data.clips import load_clips, load_stills
from deqsci.denoisers.checkpoints import load_checkpoint
from deqsci.errors import ConfigError, OutputError, TrainingError
from deqsci.fixed_point import Anderson, JacobianFree, Unrolled
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.maps import EquilibriumMap
from deqsci.reconstruction.zoo import find, new_map
from deqsci.training import checkpoint
from deqsci.training.config import Stage, TrainConfig
from deqsci.training.description import changes, describe, describe_run
from deqsci.training.distributed import any_process, average_gradients, gather, pick_device
from deqsci.training.losses import Metrics, denoising_loss, equilibrium_loss
from deqsci.training.optimizer import Optimizer
from deqsci.training.pictures import write_comparison
from deqsci.training.pool import Pool
from deqsci.training.samples import Coded, begun, code, draw_count, draw_video, in_context
from deqsci.training.validation import choose_clips, validate

Record = dict[str, Any]

KEPT = ("stage", "step", "seconds", "measure", "best", "lost", "log_size")
"""What a checkpoint keeps of the trainer itself."""

LOST_STEPS = 50
"""Steps in a row without a finite gradient after which a run ends: one bad sample must not."""


@dataclass(frozen=True)
class Progress:
    """Where a run is after a step; ``rate`` in videos a second, of all processes."""

    stage: int
    step: int
    rate: float
    metrics: Metrics


class Trainer:
    """One run. Its folder holds run.json (what it was told), log.jsonl, state.pt, last and
    best.safetensors, and samples/.

    Everything drawn comes from generators whose states are checkpointed, and the learning rate
    is a function of the step alone: a resumed run follows the trajectory of an uninterrupted one.
    ``rank`` and ``processes`` place it among processes that train together; only rank 0 writes.

    Raises
    ------
    OutputError : the folder is none, or holds something that no training run wrote.
    """

    def __init__(
        self, config: TrainConfig, folder: Path, rank: int = 0, processes: int = 1
    ) -> None:
        self.config, self.folder = config, folder
        self.rank, self.processes = rank, processes
        self.on_step: Callable[[Progress], None] = lambda progress: None
        self.on_validation: Callable[[Record], None] = lambda record: None
        if rank == 0:
            _check_folder(folder)
        self._setup()

    def _setup(self) -> None:
        config = self.config
        if config.threads is not None:
            torch.set_num_threads(config.threads)
        self.device = pick_device(config.device)
        torch.manual_seed(config.seed)
        map = new_map(config.model)
        if config.init is not None:
            load_checkpoint(map.network, config.init)
        self.map = map.to(self.device)
        self.model = DeepEquilibrium(self.map, Anderson(), JacobianFree())
        self.averaged = AveragedModel(map, multi_avg_fn=get_ema_multi_avg_fn(config.average))
        self.network = map.network
        kinds = {stage.kind for stage in config.stages}
        if "denoise" in kinds and type(map).denoise is EquilibriumMap.denoise:
            raise ConfigError(f"{config.model} has no denoiser; leave denoise stages out")
        method = find(config.model)
        if method.kind == "plug-and-play" and kinds != {"denoise"}:
            raise ConfigError(f"{config.model} is a denoiser alone; leave equilibrium stages out")
        if method.kind == "feed-forward":
            _check_one_pass(config)
        if method.frames is not None:
            _check_frames(config, method.frames)
        if config.compile:
            # The exact adjoint goes backward repeatedly through one graph.
            torch._functorch.config.donated_buffer = False
            self.network.compile()
        self.seed = config.seed * self.processes + self.rank
        self.generator = torch.Generator(self.device).manual_seed(self.seed)
        # What decides the work of a step is drawn on the host, which need not wait for the device
        # then, and alike in all processes, which need not wait for one another.
        self.host = torch.Generator().manual_seed(config.seed)
        stills = load_stills(config.data.stills) if config.data.stills else []
        self.clips = ClipSet(load_clips(config.data.clips) + stills, self.device)
        self.validation = choose_clips(load_clips(config.data.validation), config)
        self.optimizer = self._new_optimizer()
        self.pool: Pool | None = None
        self.stage, self.step, self.seconds = 0, 0, 0.0
        self.measure, self.best, self.lost, self.log_size = "", -math.inf, 0, 0
        self.last_record: Record | None = None

    def resume(self) -> bool:
        """Go on from state.pt where there is one; return whether there was.

        Raises
        ------
        ConfigError : the checkpoint is of a run with other settings, or of another number of
            processes.
        """
        path = self.folder / "state.pt"
        if not path.exists():
            return False
        state = checkpoint.load(path)
        if changed := changes(state["config"], describe(self.config), state["stage"]):
            raise ConfigError(
                f"{path} belongs to a run with other settings ({', '.join(changed)}); give another "
                "folder, where --init can begin with its weights"
            )
        if len(state["processes"]) != self.processes:
            raise ConfigError(
                f"{path} was written by {len(state['processes'])} processes; this run has "
                f"{self.processes}; start as many, or begin anew with init: last.safetensors"
            )
        self.network.load_state_dict(state["weights"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        for name in KEPT:
            setattr(self, name, state[name])
        own = state["processes"][self.rank]
        if own["pool"] is not None:
            self.pool = self._new_pool(self.config.stages[self.stage])
            assert self.pool is not None
            self.pool.load_state(own["pool"])
        self.generator.set_state(own["generator"])  # last: a new pool has drawn from both
        self.host.set_state(own["host"])
        return True

    def fit(self) -> None:
        """Run every stage that is left to its end, or until the time is up."""
        if self.rank == 0:
            self.folder.mkdir(parents=True, exist_ok=True)
            told = json.dumps(describe_run(self.config, self.device, self.processes), indent=1)
            checkpoint.write(self.folder / "run.json", lambda partial: partial.write_text(told))
            (self.folder / "samples").mkdir(exist_ok=True)
            with (self.folder / "log.jsonl").open("ab") as log:
                log.truncate(self.log_size)  # what came after the checkpoint will come again
        while self.stage < len(self.config.stages):
            if not self._fit_stage(self.config.stages[self.stage]):
                return
            self.stage, self.step = self.stage + 1, 0
            self.optimizer, self.pool = self._new_optimizer(), None
            self._save()

    def _fit_stage(self, stage: Stage) -> bool:
        """Whether the stage came to its end."""
        self.model.adjoint, self.model.solver = stage.build_adjoint(), stage.build_solver()
        if self.pool is None:
            self.pool = self._new_pool(stage)
        began = time.perf_counter()
        recent: list[Metrics] = []
        while self.step < stage.steps:
            if self._time_is_up():
                if recent and self.rank == 0:
                    self._validate(stage, _means(recent))
                self._save()
                return False
            recent.append(self._update(stage))
            self.step += 1
            now = time.perf_counter()
            rate = stage.batch * self.processes / (now - began)
            self.seconds, began = self.seconds + now - began, now
            self.on_step(Progress(self.stage, self.step, rate, recent[-1]))
            last = self.step == stage.steps
            if self.step % self.config.validation.every == 0 or last:
                if self.rank == 0:
                    self._validate(stage, _means(recent))
                recent = []
            if self.step % self.config.checkpoint_every == 0 or last:
                self._save()
            began = time.perf_counter()  # validation and checkpoints are no training
        return True

    def _time_is_up(self) -> bool:
        """The same answer in every process."""
        limit = self.config.minutes
        return limit is not None and any_process(self.seconds >= 60 * limit, self.device)

    def _new_pool(self, stage: Stage) -> Pool | None:
        if stage.kind == "denoise" or stage.reuse == 1:
            return None
        return Pool(partial(self._draw, stage), stage.reuse, self.config.seed + 1)

    def _draw(self, stage: Stage) -> Coded:
        video = draw_video(self.clips, stage, self.generator, self.host)
        coded = code(video, self.config, self.generator)
        return begun(coded, self.map, stage, self.generator)

    def _update(self, stage: Stage) -> Metrics:
        """One optimizer step."""
        self.model.train()
        if stage.depth is not None:
            depth = draw_count(stage.depth, self.host)
            self.model.adjoint, self.model.solver = stage.at_depth(depth)
        # Uncached: a solve without gradient must not leave its copies of the weights behind.
        reduced = stage.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, reduced, cache_enabled=False):
            coded = self._draw(stage) if self.pool is None else self.pool.take()
            if stage.kind == "denoise":
                loss, metrics = denoising_loss(self.map, coded, stage, self.generator)
            else:
                coded = in_context(coded, self.map)
                loss, metrics, z = equilibrium_loss(self.model, coded, stage, self.generator)
                if self.pool is not None:
                    self.pool.put_back(z, coded.context)
        self.network.zero_grad()
        loss.backward()
        average_gradients(self.network.parameters())
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip_gradient)
        self.lost = 0 if bool(norm.isfinite()) else self.lost + 1
        if self.lost >= LOST_STEPS:
            raise TrainingError(
                f"no finite gradient in {LOST_STEPS} steps, at step {self.step} of stage "
                f"{self.stage}; lower its rate, or make the solve stabler"
            )
        if self.lost == 0:
            self.optimizer.step(learning_rate(stage, self.step))
            self.averaged.update_parameters(self.map)
        return {"loss": loss.item(), "gradient": norm.item(), **metrics}

    def _validate(self, stage: Stage, means: Metrics) -> None:
        self.averaged.eval()
        judged = validate(self._averaged_map, stage, self.config, self.validation)
        if judged.measure != self.measure:
            self.measure, self.best = judged.measure, -math.inf
        score = judged.scores["score"]
        if score is not None and score > self.best:
            self.best = score
            self._write_weights("best.safetensors")
        name = f"stage{self.stage}-{self.step:06d}.png"
        write_comparison(self.folder / "samples" / name, judged.pictures)
        record = {
            "stage": self.stage,
            "step": self.step,
            "seconds": round(self.seconds, 1),
            "rate": learning_rate(stage, self.step),
            "train": means,
            "validation": judged.scores,
        }
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(record) + "\n")
            self.log_size = log.tell()
        self.last_record = record
        self.on_validation(record)

    def _new_optimizer(self) -> Optimizer:
        config = self.config
        trained = (p for p in self.network.parameters() if p.requires_grad)
        return Optimizer(config.optimizer, trained, config.weight_decay)

    def _save(self) -> None:
        pool = None if self.pool is None else self.pool.state()
        own = {"generator": self.generator, "host": self.host}
        processes = gather({name: g.get_state() for name, g in own.items()} | {"pool": pool})
        if self.rank != 0:
            return
        state = {
            "config": describe(self.config),
            "weights": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "processes": processes,
            **{name: getattr(self, name) for name in KEPT},
        }
        checkpoint.save(state, self.folder / "state.pt")
        self._write_weights("last.safetensors")

    @property
    def _averaged_map(self) -> EquilibriumMap:
        map = self.averaged.module
        assert isinstance(map, EquilibriumMap)
        return map

    def _write_weights(self, name: str) -> None:
        tensors = self._averaged_map.network.state_dict()
        checkpoint.save_weights(tensors, self.folder / name)


def learning_rate(stage: Stage, step: int) -> float:
    """Half cosine from ``rate`` to ``final_rate``."""
    share = 0.5 * (1 + math.cos(math.pi * min(step / stage.steps, 1)))
    return stage.final_rate + (stage.rate - stage.final_rate) * share


def _check_folder(folder: Path) -> None:
    """Raise OutputError unless the folder is missing, empty, or holds a training run.

    A run that stopped before its first checkpoint has its run.json, or part of it. Hidden files do
    not count.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; wanted an output folder")
    visible = sorted(
        entry.name for entry in folder.glob("[!.]*") if entry.suffix != checkpoint.PARTIAL
    )
    if visible and not (folder / "state.pt").exists() and not _is_told(folder / "run.json"):
        raise OutputError(
            f"{folder} exists and holds {visible[0]}, not a training run; "
            f"give a new or empty folder"
        )


def _is_told(file: Path) -> bool:
    """Whether a file is what a training run writes about itself, not what a reconstruction does."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and {"config", "processes"} <= content.keys()


def _check_one_pass(config: TrainConfig) -> None:
    """Raise ConfigError where a stage solves for, or repeats, what is evaluated once."""
    for stage in config.stages:
        if stage.build_adjoint() != Unrolled(1) or stage.depth is not None:
            raise ConfigError(
                f"{config.model} is evaluated once; wanted adjoint: {{name: unrolled, steps: 1}} "
                "and no depth"
            )


def _check_frames(config: TrainConfig, frames: int) -> None:
    """Raise ConfigError where T is another one than the networks are made for."""
    told = {stage.frames for stage in config.stages} | {config.validation.frames}
    told |= {stage.max_frames for stage in config.stages}
    if other := told - {None, frames}:
        raise ConfigError(f"{config.model} is made for T = {frames}; T is {other.pop()} here")


def _means(rows: list[Metrics]) -> Metrics:
    """Means of the finite entries: JSON knows no NaN."""
    means = {}
    for name in rows[0]:
        finite = [row[name] for row in rows if math.isfinite(row[name])]
        if finite:
            means[name] = sum(finite) / len(finite)
    return means
