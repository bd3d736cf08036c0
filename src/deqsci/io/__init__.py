"""Files in and out: snapshots, videos, the folder of a run."""

from deqsci.io.run_folder import RunFolder
from deqsci.io.snapshots import (
    SnapshotFile,
    list_inputs,
    load_masks,
    load_snapshots,
    save_snapshots,
)
from deqsci.io.video import read_video, write_gif, write_mp4

__all__ = [
    "RunFolder",
    "SnapshotFile",
    "list_inputs",
    "load_masks",
    "load_snapshots",
    "read_video",
    "save_snapshots",
    "write_gif",
    "write_mp4",
]
