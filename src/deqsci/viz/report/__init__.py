"""One self-contained page a run: pictures, curves, and what they mean."""

from deqsci.viz.report.page import write_index, write_report

__all__ = ["write_index", "write_report"]
