"""The structure that the design promises: what may import what, and how large a file may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "src" / "deqsci"

# A module may import its own part and the parts of earlier layers. Parts of one layer are
# strangers, with the exceptions below: there an order was needed inside the layer.
LAYERS = [
    {"errors"},
    {"physics", "fixed_point"},
    {"denoisers"},
    {"reconstruction"},
    {"data", "metrics", "io"},
    {"training", "evaluation", "viz"},
    {"cli"},
]
WITHIN_LAYER = {("data", "io"), ("evaluation", "training")}
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}

# Heavy or replaceable libraries stay behind one part of the package.
ONLY_IN = {
    "matplotlib": {"viz"},
    "h5py": {"io"},
    # Training runs where PyAV is not installed, and io needs it.
    "imageio": {"io", "data", "training"},
    "av": {"io", "data"},
    "cv2": {"data"},
    "skimage": {"metrics"},
    "rich": {"cli"},
    "cyclopts": {"cli"},
}
TORCH_ONLY = {"physics", "fixed_point"}
NEVER = {"torchvision", "torchdeq", "deepinv", "skvideo"}

SOURCES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The part of the package that a file belongs to; "" for the package's own files."""
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if first in {"__init__", "__main__"} else first


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import of a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            # "from deqsci import physics" names a part in the second place.
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def test_every_part_has_a_layer() -> None:
    assert {part_of(path) for path in SOURCES} - {""} <= set(LEVEL)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_imports_point_one_way(path: Path) -> None:
    part = part_of(path)
    if not part:
        return  # the package's front door may show everything, lazily
    for line, imported in imports(path):
        if not imported.startswith("deqsci."):
            continue
        other = imported.split(".")[1]
        allowed = (
            other in {part, "__version__"}
            or LEVEL[other] < LEVEL[part]
            or (part, other) in WITHIN_LAYER
        )
        assert allowed, f"{name(path)}:{line} ({part}) imports {imported}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_libraries_stay_where_they_belong(path: Path) -> None:
    part = part_of(path)
    for line, imported in imports(path):
        library = imported.split(".")[0]
        where = f"{name(path)}:{line} ({part}) imports {imported}"
        assert library not in NEVER, where
        assert part in ONLY_IN.get(library, {part}), where
        assert not imported.startswith("scipy.io") or part in {"io", "data"}, where
        if part in TORCH_ONLY:
            ours = library in {"torch", "deqsci"} or library in sys.stdlib_module_names
            assert ours, where


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_the_command_line_prints(path: Path) -> None:
    calls = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "print"
    ]
    assert part_of(path) == "cli" or not calls, f"{name(path)} prints in lines {calls}"


def test_no_file_is_too_long() -> None:
    files = [*SOURCES, *(REPOSITORY / "tests").rglob("*.py")]
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {file: length for file, length in lengths.items() if length > 600} == {}


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import deqsci", ["torch", "numpy", "cyclopts"]),
        ("import deqsci.cli.app", ["torch", "numpy", "matplotlib", "av"]),
        ("from deqsci.cli.app import main; main(['--help'])", ["torch", "numpy", "matplotlib"]),
        ("from deqsci.cli.app import main; main(['reconstruct', '--help'])", ["torch", "numpy"]),
        ("import deqsci.physics, deqsci.fixed_point", ["numpy.f2py", "scipy", "matplotlib"]),
        ("import deqsci.reconstruction.zoo", ["matplotlib", "av", "h5py", "skimage"]),
    ],
)
def test_what_an_import_does_not_load(code: str, absent: list[str]) -> None:
    listing = f"{code}; import sys; print('LOADED', *sys.modules)"
    output = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    ).stdout
    loaded = set(output.rsplit("LOADED", 1)[1].split())
    assert loaded.isdisjoint(absent), loaded & set(absent)


def test_the_public_names_exist() -> None:
    import deqsci

    assert set(deqsci._MODULE_OF) | {"__version__"} == set(deqsci.__all__)
    for public in deqsci.__all__:
        assert getattr(deqsci, public) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = deqsci.no_such_name
