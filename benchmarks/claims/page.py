"""Write the page of claims from the results that lie in docs/claims.

Every figure on the page comes from a results file; nothing is measured here.

    python -m benchmarks.claims.page
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Protocol

from benchmarks.claims.report import (
    certificates,
    curves,
    gradients,
    iterations,
    memory,
    published,
    starts,
    twins,
)
from benchmarks.claims.report.section import Document, Section
from deqsci.denoisers.rsn_cnn import RSNCNN
from deqsci.io.atomic import atomic_path
from deqsci.metrics import PROTOCOL


class Reporter(Protocol):
    """A module of `report`: what it claims, and how it reads a results file."""

    TITLE: str
    CLAIM: str

    def section(self, document: Document, image: Path) -> Section: ...


REPORTERS: dict[str, Reporter] = {
    "memory": memory,
    "iterations": iterations,
    "starts": starts,
    "certificates": certificates,
    "gradients": gradients,
    "curves": curves,
    "twins": twins,
    "published": published,
}
THEORY = Path(__file__).with_name("report") / "theory.md"
HEAD = """# The claims, measured

Each claim has one command; this page is made from the files those commands wrote
(`python -m benchmarks.claims.page`), verdicts included. {protocol}.
"""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.claims.page", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="folder of the pages")
    docs = parser.parse_args(argv).docs
    parts = [HEAD.format(protocol=PROTOCOL)]
    for claim, reporter in REPORTERS.items():
        files = sorted((docs / "claims").glob(f"{claim}*.json"))
        parts.append(f"## {reporter.TITLE}\n\n**Claim.** {reporter.CLAIM}\n")
        parts += [report(reporter, file, docs) for file in files]
        if not files:
            parts.append(f"Not measured yet: `python -m benchmarks.claims.{claim}`.\n")
    bound = RSNCNN.LIPSCHITZ
    values = {"lipschitz": f"{bound:g}", "factor": f"{1 / (1 - bound):.0f}"}
    parts.append(Template(THEORY.read_text()).substitute(values))
    with atomic_path(docs / "claims.md") as temporary:
        temporary.write_text("\n".join(parts))


def report(reporter: Reporter, file: Path, docs: Path) -> str:
    """The Markdown of one results file, and its picture."""
    document = json.loads(file.read_text())
    image = Path("images", "claims", f"{file.stem}.png")
    section = reporter.section(document, docs / image)
    blocks = ["\n".join(f"- {verdict}" for verdict in section.verdicts), *section.tables]
    if section.figure is not None:
        blocks.append(f"![{section.figure}]({image.as_posix()})")
    blocks += [section.reading, f"*How.* {section.how}"]
    blocks.append(f"```sh\n{document['command']}\n```")
    blocks.append(f"*Figures: [{file.name}](claims/{file.name}).{provenance(document)}*")
    return "\n\n".join(block for block in blocks if block) + "\n"


def provenance(document: Document) -> str:
    """The machine and the weights, in one sentence each."""
    sentences = ""
    if environment := document.get("environment"):
        versions, device = environment["versions"], environment["device"]
        on = "" if device == "cpu" else f" and {device}"
        sentences += f" {environment['processor']}{on}, {environment['threads']} threads, "
        sentences += f"torch {versions['torch']}, deqsci {versions['deqsci']}."
    if weights := document.get("weights"):
        listed = ", ".join(f"{model} {digest[:8]}" for model, digest in weights.items())
        sentences += f" Weights (sha256): {listed}."
    return sentences


if __name__ == "__main__":
    main()
