"""The page of a run: self-contained, true to the run's numbers, and safe from its file names."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deqsci.errors import OutputError
from deqsci.io.finished_run import FinishedRun
from deqsci.metrics import MAX_PSNR, psnr_per_frame
from deqsci.viz.report import words, write_index, write_report
from tests.runs import FRAMES, write_run

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


class Page(HTMLParser):
    """Elements with their attributes, the text of scripts by id, and all text that is shown."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str | None, str] = {}
        self.text = ""
        self._inside: tuple[str, str | None] = ("", None)
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag, dict(attrs).get("id")

    def handle_endtag(self, tag: str) -> None:
        self._inside = "", None

    def handle_data(self, data: str) -> None:
        tag, key = self._inside
        if tag == "script":
            self.scripts[key] = self.scripts.get(key, "") + data
        elif tag != "style":
            self.text += f" {data}"

    def json(self, key: str) -> Any:
        return json.loads(self.scripts[key])


def report(folder: Path, **changes: Any) -> Page:
    run = FinishedRun.load(write_run(folder, **changes))
    write_report(run, folder / "report.html")
    return Page(folder / "report.html")


def pixels(png: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    page = report(tmp_path / "out")
    for _, attributes in page.elements:
        for name in ("src", "href", "data", "srcset", "action"):
            address = attributes.get(name) or ""
            assert address[:1] in {"", "#", "."} or address.startswith("data:"), address
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page.source)
    assert "@import" not in page.source
    (policy,) = [a["content"] for _, a in page.elements if "http-equiv" in a]
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_the_pixels_are_those_of_the_run(tmp_path: Path) -> None:
    page = report(tmp_path / "out")
    run = FinishedRun.load(tmp_path / "out")
    assert run.scene.truth is not None
    second = page.json("pixels-1")
    for kind, stack in (("video", run.video), ("truth", run.scene.truth)):
        frames = np.stack([pixels(png) for png in second[kind]])
        np.testing.assert_array_equal(frames, np.rint(255 * stack[FRAMES:]))
    snapshot, white = run.scene.snapshots[1], page.json("data")["white"]
    shown = np.rint(255 * np.clip(snapshot / white, 0, 1))
    np.testing.assert_array_equal(pixels(second["snapshot"]), shown)


def test_the_numbers_are_those_of_the_run(tmp_path: Path) -> None:
    page = report(tmp_path / "out", tolerance=1e-4)
    run = FinishedRun.load(tmp_path / "out")
    assert run.scene.truth is not None
    first, second = page.json("data")["snapshots"]
    assert first["residuals"] == [0.5, 0.01, 1e-4]
    expected = psnr_per_frame(run.video[FRAMES:], run.scene.truth[FRAMES:])
    assert second["psnrPerFrame"] == [MAX_PSNR, pytest.approx(expected[1]), MAX_PSNR, MAX_PSNR]
    assert expected[1] == pytest.approx(20, abs=1e-4)
    again = np.einsum("thw,thw->hw", run.scene.masks, run.video[:FRAMES])
    misfit = np.linalg.norm(run.scene.snapshots[0] - again) / np.linalg.norm(run.scene.snapshots[0])
    assert first["misfit"] == pytest.approx(misfit, rel=1e-5)
    for text in ("PSNR 20.50 dB", "Converged 1 of 2", "Time a snapshot 1.5 s", "square.npz"):
        assert text in page.text, text
    assert "the masks were taken for granted" in page.text


def test_without_one_snapshots_psnr_there_is_no_mean(tmp_path: Path) -> None:
    good, diverged = record("converged", converged=True), record("diverged", converged=False)
    scores = [good | {"psnr": 20.0, "ssim": 0.5}, diverged | {"psnr": None, "ssim": None}]
    page = report(tmp_path / "out", snapshots=scores)
    assert "PSNR 20.00 dB" not in page.text  # nor does run.json say so
    assert "Converged 1 of 2" in page.text


def test_one_snapshot_without_truth_has_neither_list_nor_errors(tmp_path: Path) -> None:
    page = report(tmp_path / "out", count=1, truth=False)
    assert page.json("data")["errorTop"] is None
    assert page.json("pixels-0")["truth"] is None
    (chooser,) = [a for _, a in page.elements if a.get("id") == "snapshots"]
    assert "hidden" in chooser
    assert "PSNR by frame" not in page.text
    assert "The truth of this scene is not known" in page.text
    assert "8 frames" not in page.text


def test_what_diverged_is_shown_black_and_has_no_psnr(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "out", 1)
    video = np.load(folder / "video.npz")["video"]
    video[0, 0, 0] = np.nan
    np.savez(folder / "video.npz", video=video)
    write_report(FinishedRun.load(folder), folder / "report.html")
    page = Page(folder / "report.html")
    assert page.json("data")["snapshots"][0]["psnrPerFrame"] is None
    assert page.json("data")["snapshots"][0]["misfit"] is None
    assert pixels(page.json("pixels-0")["video"][0])[0, 0] == 0


def test_names_and_notices_inject_no_markup(tmp_path: Path) -> None:
    ended = record(f"{EVIL}: {EVIL}", converged=True) | {"psnr": 20, "ssim": 1}
    changes = {"notices": [EVIL], "protocol": EVIL, "options": {EVIL: EVIL}, "snapshots": [ended]}
    page = report(tmp_path / "evil", count=1, input=EVIL.split("/")[-1], method=EVIL, **changes)
    assert tags(page) == tags(report(tmp_path / "plain", count=1))
    assert EVIL in page.text
    assert page.json("data")["snapshots"][0]["label"] == EVIL


def tags(page: Page) -> list[str]:
    return [tag for tag, _ in page.elements]


def test_links_lead_to_the_files_that_are_there(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "a run #1")
    elsewhere = tmp_path / "pages" / "page.html"
    write_report(FinishedRun.load(folder), elsewhere)
    links = [a["href"] for tag, a in Page(elsewhere).elements if tag == "a"][1:]
    names = ["video.mp4", "video.npz", "snapshot.npz", "residuals.csv", "run.json"]
    assert links == [f"./../a%20run%20%231/{name}" for name in names]


def test_a_page_of_ours_is_replaced_and_no_other_file(tmp_path: Path) -> None:
    run = FinishedRun.load(write_run(tmp_path / "out", 1))
    page = tmp_path / "page.html"
    write_report(run, page)
    write_report(run, page)
    page.write_text("<html>mine</html>")
    with pytest.raises(OutputError, match="is no report of deqsci; give another file"):
        write_report(run, page)
    assert page.read_text() == "<html>mine</html>"


def test_the_index_leads_to_every_page(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / name, 2, method=EVIL) for name in ("one", "<b>two")]
    write_index(map(FinishedRun.load, folders), tmp_path / "report.html")
    page = Page(tmp_path / "report.html")
    links = [a["href"] for tag, a in page.elements if tag == "a"]
    assert links == ["./one/report.html", "./%3Cb%3Etwo/report.html"]
    assert "2 runs, a page each." in page.text
    assert "Converged: 1" in page.text
    assert "Not converged: 1" in page.text
    assert not [tag for tag, _ in page.elements if tag in {"script", "b"}]


def record(
    status: str, residual: float | None = 1e-4, *, converged: bool = False
) -> dict[str, Any]:
    return {
        "status": status,
        "residual": residual,
        "converged": converged,
        "evaluations": 7,
        "seconds": 1.0,
    }


@pytest.mark.parametrize(
    ("status", "tolerance", "label", "tone"),
    [
        ("not converged: the limit", 1e-4, "Not converged", "poor"),
        ("stalled: it", 1e-4, "Stalled", "poor"),
        ("diverged: the map", 1e-4, "Diverged", "bad"),
        ("ran its schedule of 4 iterations to the end; x", None, "Ran to its end", "plain"),
    ],
)
def test_every_end_has_a_label_and_a_tone(
    status: str, tolerance: float | None, label: str, tone: str
) -> None:
    assert words.label(record(status), tolerance) == label
    assert words.tone(record(status), tolerance) == tone


def test_words_say_what_the_residual_means() -> None:
    done = record("converged: reached", 9e-5, converged=True)
    assert words.solve_sentences(done, "m", 1e-4) == [
        "Reached.",
        "One more pass would change this video by 0.009 %; the tolerance is 0.01 %. "
        "7 passes, 1.0 s.",
    ]
    limit = record("not converged: the limit; raise it", 2e-3)
    assert "0.2 %; 0.01 % was wanted" in words.solve_sentences(limit, "m", 1e-4)[1]
    lost = record("diverged: x", None)
    assert words.solve_sentences(lost, "m", 1e-4)[1].startswith("No pass gave finite numbers")
    assert "no tolerance to reach" in words.solve_sentences(limit, "gap-tv", None)[1]


def test_a_certificate_claims_what_is_proved_and_no_more() -> None:
    done = record("converged: reached", 1e-4, converged=True)
    # 0.998 / 0.002 · 1e-4
    assert "lies within 5 % of it" in words.certificate(done, 1e-4, 0.998)
    assert "too large to bound" in words.certificate(record("x", 0.01), 1e-4, 0.998)
    assert "Measured, not proved" in words.certificate(done, 1e-4, None)
    assert "has not settled" in words.certificate(record("not converged: x"), 1e-4, None)
    assert "Nothing is certified" in words.certificate(done, None, None)


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0, "0 %"), (3e-5, "0.003 %"), (0.0123, "1.2 %"), (0.995, "100 %"), (2e-8, "2e-06 %")],
)
def test_shares_have_two_digits_that_count(fraction: float, text: str) -> None:
    assert words.percent(fraction) == text
