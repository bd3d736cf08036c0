"""``python -m deqsci.training CONFIG.yaml FOLDER [--section.key value]``: train, or go on.

What ``deqsci train --resume auto`` does, where only torch, numpy, safetensors, pyyaml, imageio and
a video decoder are installed. One JSON line a validation.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from deqsci.errors import DeqsciError
from deqsci.training.config import load_config
from deqsci.training.run import start
from deqsci.training.settings import parse_changes
from deqsci.training.trainer import Record


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deqsci.training", description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("changes", nargs=argparse.REMAINDER, help="--section.key value ...")
    arguments = parser.parse_args()
    try:
        config = load_config(arguments.config, parse_changes(arguments.changes))
        with start(config, arguments.folder) as trainer:
            trainer.on_validation = _write
            trainer.fit()
    except DeqsciError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


def _write(record: Record) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
