"""Numbers, lines and moving pictures for TensorBoard, written without TensorFlow."""

import os
import pathlib
import socket
import time

import numpy as np
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util import tensor_util


class SummaryWriter:
    """Appends to an event file of its own; what a call writes is in the file at once.

    Args:
        folder: Where, made if need be.

    Raises:
        OSError: Also of every call, with the file's name: the disk is full.
    """

    def __init__(self, folder: str | pathlib.Path) -> None:
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        begun = time.time_ns()
        name = f"events.out.tfevents.{begun // 10**9}.{socket.gethostname()}"
        self.path = folder / f"{name}.{os.getpid()}.{begun % 10**9}.v2"
        self._file = self.path.open("wb")
        self._records = RecordWriter(self._file)
        self._write(
            event_pb2.Event(wall_time=time.time(), file_version="brain.Event:2")
        )

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Write {name: number}."""
        for name, value in values.items():
            self._add(scalar_pb(name, np.float32(value)), step)

    def text(self, name: str, line: str, step: int) -> None:
        """Write a line of text."""
        self._add(text_pb(name, line), step)

    def gif(self, name: str, gif: bytes, size: tuple[int, int], step: int) -> None:
        """Write the bytes of a GIF of (width, height).

        TensorBoard has no plug-in for video; its image plug-in shows a GIF as it is.
        """
        summary = summary_pb2.Summary()
        metadata = summary_pb2.SummaryMetadata(
            plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="images"),
            data_class=summary_pb2.DATA_CLASS_BLOB_SEQUENCE,
        )
        parts = [*(str(side).encode() for side in size), gif]
        tensor = tensor_util.make_tensor_proto(parts, dtype=np.object_)
        summary.value.add(tag=name, metadata=metadata, tensor=tensor)
        self._add(summary, step)

    def _add(self, summary, step):
        self._write(
            event_pb2.Event(wall_time=time.time(), step=int(step), summary=summary)
        )

    def _write(self, event):
        try:
            self._records.write(event.SerializeToString())
            self._file.flush()
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from error
