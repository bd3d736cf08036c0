"""From a configuration to a trainer that is ready to fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deqsci.training.config import TrainConfig
from deqsci.training.distributed import pick_device, processes
from deqsci.training.trainer import Trainer


@contextmanager
def start(config: TrainConfig, folder: Path) -> Iterator[Trainer]:
    """The trainer of this process, resumed where ``folder`` holds a checkpoint.

    Started by ``torchrun``, every process gets its own and they train one model together.
    """
    with processes(pick_device(config.device)) as (rank, count):
        trainer = Trainer(config, folder, rank, count)
        trainer.resume()
        yield trainer
