"""Training curves: the logs of several runs under one roof, to draw side by side.

python -m benchmarks.claims.curves implicit=runs/implicit phantom=runs/phantom
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deqsci.errors import InputFileError
from deqsci.io.atomic import atomic_path
from deqsci.io.jsonable import jsonable

NAMES = ("score", "psnr", "evaluations")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.claims.curves", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("runs", nargs="+", metavar="LABEL=FOLDER")
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/claims/curves.json"))
    arguments = parser.parse_args(argv)
    runs = []
    for run in arguments.runs:
        label, equals, folder = run.partition("=")
        if not equals:
            parser.error(f"{run!r} has no label; wanted LABEL=FOLDER")
        runs.append({"label": label, **curve(Path(folder) / "log.jsonl")})
    labels = " ".join(f"'{run['label']}'=RUN" for run in runs)
    document = {"claim": "curves", "command": f"{parser.prog} {labels}", "runs": runs}
    with atomic_path(arguments.output) as temporary:
        text = json.dumps(jsonable(document), ensure_ascii=False, indent=1)
        temporary.write_text(text + "\n")


def curve(log: Path) -> dict[str, list[Any]]:
    """Columns of a log: steps and seconds of the whole run, and what was measured; None: not.

    Raises
    ------
    InputFileError : no log, or a line that is no record.
    """
    try:
        records = [json.loads(line) for line in log.read_text().splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise InputFileError(f"{log} is no training log: {error}") from error
    # A run that was stopped and resumed may have logged a step twice: the later one counts.
    unique = {(record.get("stage", 0), record["step"]): record for record in records}
    lengths: dict[int, int] = {}
    for stage, step in unique:
        lengths[stage] = max(step, lengths.get(stage, 0))
    ordered = [unique[key] for key in sorted(unique)]
    before = {stage: sum(n for s, n in lengths.items() if s < stage) for stage in lengths}
    columns = {
        "stage": [record.get("stage", 0) for record in ordered],
        "step": [before[record.get("stage", 0)] + record["step"] for record in ordered],
        "seconds": [record.get("seconds") for record in ordered],
    }
    for part in ("train", "validation"):
        for name in NAMES:
            columns[f"{part}_{name}"] = [(r.get(part) or {}).get(name) for r in ordered]
    return columns


if __name__ == "__main__":
    main()
