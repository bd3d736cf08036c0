"""The digest is the published one."""

from __future__ import annotations

from pathlib import Path

from deqsci.io.digest import sha256


def test_sha256_of_abc(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")  # the example of FIPS 180-2
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(path) == digest
