"""``python -m deqsci.training CONFIG.yaml FOLDER``: train where the command line is not installed.

Needs torch, numpy, safetensors, pyyaml and a video decoder only.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from deqsci.errors import DeqsciError
from deqsci.training.config import load_config
from deqsci.training.trainer import Trainer


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deqsci.training", description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    try:
        trainer = Trainer(load_config(arguments.config), arguments.folder, report=_print)
        trainer.resume()
        trainer.fit()
    except DeqsciError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


def _print(record: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
