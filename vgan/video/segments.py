"""Write a long video so that what is finished survives an interruption.

Each segment is encoded from fresh and saved as packets (`segment_file`), which keeps
their times to the tick; at the end the packets go, as they are, into one container.
Of a folder, pictures are what they will be; see `segmented_pictures`.
"""

import contextlib
import dataclasses
import itertools
import json
import logging
import os
import typing
from collections.abc import Callable, Iterator
from fractions import Fraction

import av
import numpy as np

from vgan import InputError, files
from vgan.video import outlets
from vgan.video.codecs import Coding
from vgan.video.segmented_movie import ENCODED_LIKE, FORMATS, SegmentedMovie
from vgan.video.segmented_pictures import SegmentedPictures
from vgan.video.writer import VideoWriter, segments_of

if typing.TYPE_CHECKING:
    from vgan.video.reader import VideoReader

_NO_SEGMENTS = f"cannot be made in segments; give {', '.join(FORMATS)} or a folder"
_log = logging.getLogger("vgan")


class SegmentedWriter(VideoWriter):
    """A VideoWriter that goes on where an earlier run of the same task was stopped.

    Frames go to segments in a hidden folder beside the result, `.<name>.segments`.
    Whatever ends the run (Ctrl-C, an error, kill -9, a power cut), the complete ones
    are kept, each with what `snapshot` returned after its last frame. At the end they
    are joined without encoding again, the sound is copied as VideoWriter does, the file
    gets its final name and the folder is removed. An interrupted and resumed run makes
    the same file as an uninterrupted one. Until then the disk holds the segments, and
    while they are joined the result too.

    Args:
        path: The .mp4, .mkv, .mov or .webm file, or the folder of pictures, to make.
        like: A VideoReader, as for VideoWriter.
        fingerprint: JSON-able value of all that the result depends on (the input's
            name, size and time, the model, styles, options). Segments made with
            another one are removed.
        snapshot: Function without arguments, called in `write` after the last frame of
            each segment: the recurrent state then, as a flat dict of NumPy arrays and
            plain JSON values. A caller who stylizes ahead of `write` keeps that state
            aside where `ends_segment` says so, and hands it out here.
        quality: As for VideoWriter.
        overwrite: As for VideoWriter; segments of the same task are kept even so.
        segment_frames: Frames in a segment: at most so many are lost.
        coding: As for VideoWriter.

    Attributes:
        path: Where the result goes.
        num_frames: Frames of the result so far, those of earlier runs included.
        done: Frames that earlier runs finished: as many are to be skipped.
        resume_time: Timestamp (Fraction) of the last of them, or None: what comes
            later is still to be written. `remaining` does the skipping.
        snapshot: The snapshot after that frame, or None where nothing is done, or
            where every frame is.

    Raises:
        InputError: As VideoWriter; or another run is writing to the same path.

    Example:
        with SegmentedWriter("out.mp4", reader, fingerprint, save_state) as writer:
            if writer.snapshot:
                restore_state(writer.snapshot)
            for frame, timestamp in writer.remaining(reader):
                writer.write(stylizer(frame), timestamp)
    """

    def __init__(
        self,
        path: str | os.PathLike,
        like: "VideoReader",
        fingerprint: object,
        snapshot: Callable[[], dict[str, object]],
        quality: float | None = None,
        overwrite: bool = False,
        segment_frames: int = 250,
        coding: Coding | None = None,
    ) -> None:
        if segment_frames < 1:
            raise ValueError(f"segment_frames must be positive, not {segment_frames}")
        if outlets.find(path) is not None:
            raise InputError(f"{outlets.public(path)}: {_NO_SEGMENTS}")
        self._segment_frames = segment_frames
        self._fingerprint = fingerprint
        self._take_snapshot = snapshot
        super().__init__(path, like, None, quality, overwrite, coding)
        last = self._encoder.segments[-1] if self._encoder.segments else None
        self.num_frames = self.done = self._encoder.num_kept
        self.resume_time = last and last.last_timestamp
        self.snapshot = last and last.snapshot()
        self._shape = last and last.shape
        if last:
            _log.warning("%s: going on after %d frames", self.path, self.done)

    def ends_segment(self, index: int) -> bool:
        """Whether frame `index` (from 0, of the whole video) is followed by a snapshot.

        `snapshot` is called once for each such frame, in order.
        """
        return (index + 1) % self._segment_frames == 0

    def remaining(self, reader: "VideoReader") -> Iterator[tuple[np.ndarray, Fraction]]:
        """Yield the (frame, timestamp) of a fresh VideoReader that are not done yet.

        What is done is decoded and dropped. To jump there would be faster, but after a
        jump some videos give other frames, or the same ones at other times.

        Raises:
            InputError: Its frames are not those of the earlier run.
        """
        if self._encoder.is_whole:
            return
        timestamp = None
        for _, timestamp in itertools.islice(reader, self.done):  # noqa: B007
            pass
        if timestamp != self.resume_time:
            raise InputError(
                f"{reader.source}: is not what {self.path} was begun with; "
                f"remove the folder {self._segments}"
            )
        yield from reader

    def _choose_encoder(self, path):
        encoder = super()._choose_encoder(path)
        if not self._folder and self.path.suffix.lower() not in FORMATS:
            raise InputError(f"{path}: {_NO_SEGMENTS}")
        self._of_pictures = encoder if self._folder else None
        self._segments = segments_of(self.path)
        return self._make_encoder

    def _make_temporary(self):
        with files.writing(self.path, "give another folder"):
            self._segments.mkdir(exist_ok=True)
        self._temporary = self._segments / f"joined{self.path.suffix}"

    def _make_encoder(self, path, like, fps, coding):
        made_of = {
            "task": self._fingerprint,
            "result": [path.suffix, str(fps), self._segment_frames],
            "coding": dataclasses.asdict(coding),
            "like": [str(getattr(like, name, None)) for name in ENCODED_LIKE],
            # Another version's packets may not fit what is there.
            "encoder": [av.__version__, *av.library_versions["libavcodec"]],
        }
        if self._folder:
            made_of["names"] = [self._pattern, sorted(self._names)]
        arguments = (
            *(like, fps, coding, json.loads(json.dumps(made_of))),
            *(self._take_snapshot, self._segment_frames),
        )
        try:
            if self._folder:
                return SegmentedPictures(path, self._of_pictures, *arguments)
            return SegmentedMovie(path, *arguments)
        except OSError as error:
            raise self._cannot_write(error) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: object,
    ) -> None:
        try:
            if kind is None:
                self._finish(complete=True)
            else:
                self._abandon()
        except KeyboardInterrupt:
            kind = KeyboardInterrupt
            raise
        finally:
            if kind is not None and issubclass(kind, KeyboardInterrupt):
                _log.warning(
                    "stopped: %d frames are kept; the same command again goes on "
                    "from there",
                    self._encoder.num_kept,
                )

    def _put_in_place(self, complete):
        files.sync(self._temporary)
        super()._put_in_place(complete)
        files.sync(self.path.parent)
        self._encoder.remove_segments()
        self._remove_folder()

    def _remove_temporary(self):
        if not (self._folder and self._encoder.segments):  # which are whole
            super()._remove_temporary()
        self._remove_folder()

    def _remove_folder(self):
        """Unless a segment is in it."""
        if self._encoder is None or not self._encoder.segments:
            with contextlib.suppress(OSError):  # what is not ours stays
                self._segments.rmdir()

    def _cannot_write(self, error):
        line = super()._cannot_write(error)
        return InputError(f"{line}; what is done is kept for the same command again")
