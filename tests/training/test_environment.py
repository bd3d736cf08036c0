"""Training starts where only the numerical libraries are installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WITHOUT = """
import sys
for name in ("av", "rich", "cyclopts", "h5py", "matplotlib", "skimage", "jinja2"):
    sys.modules[name] = None  # importing it raises ImportError
from deqsci.training.__main__ import main
sys.exit(main())
"""


def test_needs_no_package_of_the_command_line_or_the_pictures(
    config_file: Path, tmp_path: Path
) -> None:
    words = [str(config_file), str(tmp_path / "run"), "--stages.0.steps", "1"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "last.safetensors").exists()


def test_faults_are_one_sentence_and_code_2(config_file: Path, tmp_path: Path) -> None:
    words = [str(config_file), str(tmp_path / "run"), "--stages.0.kind", "deblur"]
    done = subprocess.run(
        [sys.executable, "-m", "deqsci.training", *words], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "deblur" in done.stderr
