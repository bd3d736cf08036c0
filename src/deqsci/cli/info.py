"""``deqsci info``: what is installed and what can be done with it."""

from __future__ import annotations

from typing import Any

from deqsci.cli.options import Reporting
from deqsci.cli.terminal import Terminal


def info(*, reporting: Reporting = Reporting()) -> int:
    """Show versions, device, threads, methods and the weights found."""
    from deqsci.cli.runtime import environment, pick_device
    from deqsci.reconstruction.zoo import DEFAULT_METHOD, METHODS, shipped_weights

    facts: dict[str, Any] = environment() | {"device": str(pick_device("auto"))}
    weights = {name: shipped_weights(name) for name in METHODS}
    methods = [
        {
            "name": name,
            "kind": method.kind,
            "summary": method.summary,
            "weights": None if (path := weights[name]) is None else str(path),
            "default": name == DEFAULT_METHOD,
        }
        for name, method in METHODS.items()
    ]
    terminal = Terminal(reporting)
    terminal.result(facts | {"methods": methods})
    versions = "  ".join(f"{name} {version}" for name, version in facts["versions"].items())
    terminal.say(f"versions  {versions}")
    terminal.say(f"platform  {facts['platform']}")
    terminal.say(f"device    {facts['device']}")
    terminal.say(f"threads   {facts['threads']}")
    rows = [
        [
            f"{name} (default)" if name == DEFAULT_METHOD else name,
            method.kind,
            path.name if (path := weights[name]) else "–",
            method.summary,
        ]
        for name, method in METHODS.items()
    ]
    terminal.table("methods", ["method", "kind", "weights", "what it is"], rows)
    return 0
