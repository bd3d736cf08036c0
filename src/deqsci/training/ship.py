"""``python -m deqsci.training.ship``: put a run's weights into the package, with a model card."""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

import deqsci
from deqsci.io.atomic import atomic_path
from deqsci.io.digest import sha256
from deqsci.io.jsonable import jsonable


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m deqsci.training.ship", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "runs", type=Path, nargs="+", help="folders of the runs, each begun where the last ended"
    )
    parser.add_argument("--scores", type=Path, required=True, help="of benchmarks/equilibria.py")
    parser.add_argument("--notes", type=Path, required=True, help="a text: what was tried and why")
    parser.add_argument("--data", required=True, help="what it was trained and validated on")
    parser.add_argument("--hardware", required=True, help="what it was trained on")
    parser.add_argument("--weights", default="last.safetensors", help="file in the last folder")
    parser.add_argument("--half", action="store_true", help="16 bits a weight: half the file")
    arguments = parser.parse_args()
    told = [json.loads((run / "run.json").read_text()) for run in arguments.runs]
    method = told[-1]["config"]["model"]
    target = Path(deqsci.__file__).parent / "weights" / f"{method}.safetensors"
    tensors = load_file(arguments.runs[-1] / arguments.weights)
    if arguments.half:
        tensors = {name: tensor.half() for name, tensor in tensors.items()}
    logs = [
        [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        for run in arguments.runs
    ]
    scores = [r for r in json.loads(arguments.scores.read_text()) if r["method"] == method]
    if not scores:
        parser.error(f"{arguments.scores} holds no scores of {method}")
    with atomic_path(target) as temporary:
        save_file(tensors, temporary)
    card: dict[str, Any] = {
        "method": method,
        "file": target.name,
        "sha256": sha256(target),
        "parameters": sum(t.numel() for t in tensors.values()),
        "licence": "MIT",
        "version": deqsci.__version__,
        "commit": _commit(),  # of the code that wrote this card; stages_run is what was trained
        "data": arguments.data,
        "hardware": arguments.hardware,
        "training_seconds": sum(log[-1]["seconds"] for log in logs),
        "stages_run": [_stages_run(log) for log in logs],
        "runs": told,
        "scores": scores,
        "notes": arguments.notes.read_text().splitlines(),
        "logs": logs,
    }
    text = json.dumps(jsonable(card), indent=1, ensure_ascii=False)
    with atomic_path(target.with_suffix(".json")) as temporary:
        temporary.write_text(text + "\n")


def _stages_run(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Steps of each stage as the log has them; a run may have been ended early or prolonged."""
    last = {record["stage"]: record for record in log}
    return [
        {"stage": stage, "steps": record["step"], "until_seconds": record["seconds"]}
        for stage, record in last.items()
    ]


def _commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


if __name__ == "__main__":
    main()
