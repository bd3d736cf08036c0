"""The page in a real browser: it opens without a complaint, and every control does its work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colormaps

from deqsci.io.finished_run import FinishedRun
from deqsci.viz.report import write_index, write_report
from tests.runs import FRAMES, HEIGHT, WIDTH, write_run
from tests.viz.browser import Browser, find_chromium

SHIFT = 8

DARKEST = list(colormaps["inferno"](0, bytes=True)[:3])


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip("no chromium on the PATH; it is a package of that name in most systems")
    with Browser(program, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run of three snapshots whose truth is known."""
    folder = write_run(tmp_path_factory.mktemp("runs") / "<b>&'run", 3)
    write_report(FinishedRun.load(folder), folder / "report.html")
    return folder / "report.html"


def start(browser: Browser, page: Path, **how: bool | int) -> None:
    browser.problems.clear()
    browser.open(page, **how)
    browser.until("document.documentElement.dataset.shown === '0'")


def frame(browser: Browser) -> int:
    return int(browser.run("document.getElementById('frame').value"))


def gray(browser: Browser, x: float, y: float, canvas: str = "#stage canvas") -> list[int]:
    """Red, green, blue at shares (x, y) of a canvas, once what was asked for is drawn."""
    return list(
        browser.run(
            f"new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {{"
            f"const c = document.querySelector({canvas!r});"
            f"done([...c.getContext('2d').getImageData({x} * c.width, {y} * c.height, 1, 1)"
            f".data.slice(0, 3)])}})))"
        )
    )


def choose(browser: Browser, control: str, value: str) -> None:
    browser.run(
        f"(c => {{ c.value = {value!r}; c.dispatchEvent(new Event('change')) }})"
        f"(document.getElementById({control!r}))"
    )


def test_it_opens_without_errors_or_requests(browser: Browser, page: Path) -> None:
    start(browser, page)
    assert browser.problems == []
    assert browser.run("document.querySelector('#residuals .curve').getTotalLength()") > 100
    assert browser.run("document.querySelector('#psnr .curve').getAttribute('d')")
    assert browser.run("document.querySelector('#residuals text.goal').textContent") == (
        "tolerance 1.0e−4"
    )
    assert browser.run("document.getElementById('status').textContent") == "Converged"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_its_window_and_can_be_read(
    browser: Browser, page: Path, width: int, dark: bool
) -> None:
    start(browser, page, width=width, dark=dark, touch=width < 500)
    assert browser.run("document.documentElement.scrollWidth") <= width
    contrast = browser.run(
        "(() => { const light = colour => { const [r, g, b] = colour.match(/\\d+/g).map(v => {"
        "  v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 });"
        "  return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05 };"
        "const paper = light(getComputedStyle(document.body).backgroundColor);"
        "return ['h1', '.lede', '.over', '.tone.good', '.tone.poor', '.fine', '.legend'].map(s => {"
        "  const ink = light(getComputedStyle(document.querySelector(s)).color);"
        "  return Math.max(ink, paper) / Math.min(ink, paper) }) })()"
    )
    assert min(contrast) >= 4.5, contrast
    assert browser.problems == []


def test_the_divider_moves_by_mouse_and_by_key(browser: Browser, page: Path) -> None:
    start(browser, page)
    choose(browser, "left", "truth")
    choose(browser, "right", "error")
    # The background is 0.2 bright and, in frame 1, met exactly: black at the error's side.
    assert gray(browser, 0.4, 0.9) == [51] * 3
    assert gray(browser, 0.6, 0.9) == DARKEST
    box = browser.run("document.querySelector('#stage canvas').getBoundingClientRect().toJSON()")
    at = [(box["x"] + share * box["width"], box["y"] + 0.3 * box["height"]) for share in (0.5, 0.8)]
    browser.drag(at[0], at[1])
    assert gray(browser, 0.6, 0.9) == [51] * 3
    split = float(browser.run("document.getElementById('split').value"))
    assert split == pytest.approx(80, abs=1)
    browser.run("document.getElementById('split').focus()")
    for _ in range(30):
        browser.key("ArrowLeft")
    assert float(browser.run("document.getElementById('split').value")) == split - 30
    assert gray(browser, 0.6, 0.9) == DARKEST
    assert frame(browser) == 1


def test_the_error_is_that_of_the_run_through_the_colour_map(browser: Browser, page: Path) -> None:
    start(browser, page)
    choose(browser, "right", "error")
    browser.key("ArrowRight")
    run = FinishedRun.load(page.parent)
    assert run.scene.truth is not None
    error = abs(np.rint(255 * run.video[1]) - np.rint(255 * run.scene.truth[1]))
    step = round(float(error[-2, -2]) / 0.15)  # the scale ends at 0.15
    expected = list(colormaps["inferno"](step, bytes=True)[:3])
    assert gray(browser, 1 - 1.5 / WIDTH, 1 - 1.5 / HEIGHT) == expected
    assert "0.15 of full intensity" in browser.run("document.querySelector('.legend').textContent")


def test_keys_scrub_zoom_and_change_the_snapshot(browser: Browser, page: Path) -> None:
    start(browser, page)
    for key, expected in (
        ("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("End", FRAMES),
        ("ArrowRight", 1), ("ArrowLeft", FRAMES), ("Home", 1),
    ):  # fmt: skip
        browser.key(key)
        browser.until(f"document.getElementById('frame').value === '{expected}'")
    zoom = "document.getElementById('fit').textContent"
    for key, text in (("+", "1.4×"), ("+", "2×"), ("-", "1.4×"), ("0", "1×")):
        browser.key(key)
        browser.until(f"{zoom} === '{text}'")
    browser.key("n")
    browser.until("document.documentElement.dataset.shown === '1'")
    assert browser.run("document.getElementById('status').textContent") == "Not converged"
    assert browser.run("document.querySelector('[name=snapshot]:checked').value") == "1"
    browser.key("p")
    browser.key("p")
    browser.until("document.documentElement.dataset.shown === '2'")
    assert browser.problems == []


def test_the_keyboard_alone_reaches_every_control(browser: Browser, page: Path) -> None:
    start(browser, page)
    reached = []
    for _ in range(40):
        browser.key("Tab")
        reached.append(
            browser.run(
                "(e => e.id || e.name || e.getAttribute('aria-label') || e.className || e.tagName)"
                "(document.activeElement)"
            )
        )
        visible = browser.run(
            "(e => ['', '::-webkit-slider-thumb'].some(p => getComputedStyle(e, p).outlineStyle"
            " !== 'none') || ['.chart', '#snapshots label'].some(s => e.closest(s) &&"
            " getComputedStyle(e.closest(s)).outlineStyle !== 'none') || e.id === 'split')"
            "(document.activeElement)"
        )
        assert visible or reached[-1] == "BODY", f"{reached[-1]} shows no focus"
    wanted = [
        "skip", "snapshot", "left", "right", "split", "play", "frame", "together", "out", "fit",
        "in", "speed", "through", "Residual by pass", "PSNR by frame",
    ]  # fmt: skip
    assert [name for name in reached if name in wanted][: len(wanted)] == wanted


def test_the_arrows_of_the_list_choose_snapshots_and_frames(browser: Browser, page: Path) -> None:
    start(browser, page)
    browser.run("document.querySelector('[name=snapshot]').focus()")
    browser.key("ArrowDown")
    browser.until("document.documentElement.dataset.shown === '1'")
    browser.key("ArrowRight")
    browser.until("document.getElementById('frame').value === '2'")
    assert browser.run("document.documentElement.dataset.shown") == "1"


def test_the_video_plays_and_pauses(browser: Browser, page: Path) -> None:
    start(browser, page, still=False)
    label = "document.getElementById('play').getAttribute('aria-label')"
    assert browser.run(label) == "Pause"
    for number in (3, 1):  # it goes on, and round
        browser.until(f"document.getElementById('frame').value === '{number}'")
    browser.key(" ")
    assert browser.run(label) == "Play"
    choose(browser, "speed", "16")
    browser.run("document.getElementById('through').click()")
    browser.run("document.getElementById('play').click()")
    for snapshot in (1, 2, 0):
        browser.until(f"document.documentElement.dataset.shown === '{snapshot}'")
    assert browser.problems == []


def test_a_snapshot_that_takes_long_to_decode_is_not_skipped(browser: Browser, page: Path) -> None:
    start(browser, page)
    browser.run(
        "decode = createImageBitmap, seen = [],"
        "createImageBitmap = async (image) => {"
        "  await new Promise(done => setTimeout(done, 300)); return decode(image) },"
        "new MutationObserver(() => seen.push(document.documentElement.dataset.shown))"
        "  .observe(document.documentElement, { attributeFilter: ['data-shown'] }), 0"
    )
    choose(browser, "speed", "16")
    browser.run("document.getElementById('through').click()")
    browser.key(" ")
    browser.until("seen.length >= 3")
    assert browser.run("seen.slice(0, 3)") == ["1", "2", "0"]


def test_who_wants_no_motion_gets_none_unasked(browser: Browser, page: Path) -> None:
    start(browser, page, still=True)
    assert browser.run("document.getElementById('play').getAttribute('aria-label')") == "Play"


def test_all_panes_zoom_and_move_together(browser: Browser, page: Path) -> None:
    start(browser, page)
    browser.run("document.getElementById('together').click()")
    names = browser.run("[...document.querySelectorAll('#panes figcaption')].map(c => c.innerText)")
    assert names == ["Snapshot", "Reconstruction", "Truth", "Error"]
    truth, video = (f'#panes [data-kind="{kind}"]' for kind in ("truth", "video"))
    # The square of frame 1 has the rows 8…15 and the columns 0…7 of 24 and 32.
    assert gray(browser, 0.6, 0.5, truth) == gray(browser, 0.6, 0.5, video) == [51] * 3
    for _ in range(4):  # fourfold: a quarter of the columns is in view
        browser.run("document.getElementById('in').click()")
    for _ in range(20):
        browser.key("ArrowLeft", SHIFT)
    bright = round(255 * 0.9)
    assert gray(browser, 0.6, 0.5, truth)[0] == pytest.approx(bright, abs=1)
    assert gray(browser, 0.6, 0.5, video)[0] == pytest.approx(bright, abs=1)
    box = browser.run(f"document.querySelector({video!r}).getBoundingClientRect().toJSON()")
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for _ in range(4):
        browser.drag(middle, (middle[0] - 0.4 * box["width"], middle[1]))
    assert gray(browser, 0.6, 0.5, truth) == gray(browser, 0.6, 0.5, video) == [51] * 3


def test_curves_tell_their_values(browser: Browser, page: Path) -> None:
    start(browser, page)
    told = "document.querySelector('#residuals output').textContent"
    assert browser.run(told) == "pass 3: 1.0e−4"
    browser.run("document.querySelector('#residuals input').focus()")
    browser.key("ArrowLeft")
    assert browser.run(told) == "pass 2: 1.0e−2"
    assert browser.run("document.activeElement.getAttribute('aria-valuetext')") == "pass 2: 1.0e−2"
    browser.run("document.querySelector('#psnr input').focus()")
    browser.key("ArrowRight")
    browser.until("document.getElementById('frame').value === '2'")
    assert browser.run("document.querySelector('#psnr output').textContent") == "frame 2: 20.00 dB"


@pytest.mark.parametrize("truth", [True, False])
def test_one_snapshot_shows_what_there_is(browser: Browser, tmp_path: Path, truth: bool) -> None:
    folder = write_run(tmp_path / "one", 1, truth=truth)
    write_report(FinishedRun.load(folder), tmp_path / "page.html")
    start(browser, tmp_path / "page.html")
    kinds = browser.run("[...document.getElementById('left').options].map(o => o.value)")
    assert kinds == (["snapshot", "video", "truth", "error"] if truth else ["snapshot", "video"])
    assert browser.run("document.getElementById('snapshots').offsetHeight") == 0
    assert browser.problems == []


def test_an_evil_run_runs_no_script(browser: Browser, tmp_path: Path) -> None:
    evil = "</script><script>window.hurt = 1</script><img src=x onerror='window.hurt = 2'>"
    folder = write_run(tmp_path / "run", 1, method=evil, input=evil, notices=[evil])
    write_report(FinishedRun.load(folder), tmp_path / "page.html")
    start(browser, tmp_path / "page.html")
    assert browser.run("window.hurt === undefined")
    assert evil in browser.run("document.body.textContent")
    assert browser.problems == []


def test_the_index_opens_and_leads_on(browser: Browser, page: Path, tmp_path: Path) -> None:
    write_index([FinishedRun.load(page.parent)], tmp_path / "report.html")
    browser.problems.clear()
    browser.open(tmp_path / "report.html", width=360)
    assert browser.run("document.documentElement.scrollWidth") <= 360
    assert browser.run("document.querySelector('img').naturalWidth") == WIDTH
    browser.run("document.querySelector('.runs a').click()")
    browser.until("document.documentElement?.dataset.shown === '0'")
    assert browser.problems == []
