"""The one way out: frames to a file or a folder, atomically, or live to an outlet."""

import contextlib
import dataclasses
import errno
import functools
import logging
import os
import pathlib
import shutil
import typing
from fractions import Fraction

import av
import numpy as np

from vgan import InputError, files
from vgan.video import outlets
from vgan.video.codecs import FOLDER, Coding
from vgan.video.encoders import Gif, Movie, Playlist, Pngs
from vgan.video.images import NUMBER, numbered
from vgan.video.opening import public
from vgan.video.planes import EnlargedPicture
from vgan.video.spare import FULL

if typing.TYPE_CHECKING:
    from vgan.video.reader import VideoReader

_ENCODERS = {
    **dict.fromkeys((".mp4", ".mkv", ".mov", ".webm"), Movie), ".gif": Gif,
    **dict.fromkeys((".m4v", ".avi", ".ts"), Movie), ".m3u8": Playlist,
}  # fmt: skip
_log = logging.getLogger("vgan")


class VideoWriter:
    """Write frames with their timestamps, and the sound of what they came from.

    A film also gets the subtitles, chapters and tags that its container can hold.

    By the path's extension: .mp4, .mkv, .mov, .m4v, .avi, .ts (H.264, where `coding`
    says nothing else), .webm (VP9), .gif, .m3u8 (HLS, with one .ts beside), or a folder
    of numbered PNGs (no extension, or a slash at the end, or a pattern of their names
    as in `made/%04d.png` or `made/%04d.exr`; order only, no times). Pictures of a
    folder keep their names.
    Frames keep their size in pixels, odd ones too, and their timestamps to the tick.
    Or, while they come: `-` is raw video (y4m) on standard output, for a pipe;
    rtmp://, udp://, tcp:// and rtsp:// broadcast as H.264; ndi:NAME is an NDI source in
    the local network; `camera` and /dev/videoN are virtual cameras.

    Of a file or folder nothing stands under the final name before it is complete:
    frames go to a hidden file beside it, which is renamed at the end and removed after
    an exception; what a killed run left of it the next one removes. After Ctrl-C, or
    where the disk is full, what was made is finished as `<stem>.partial<suffix>`, and
    the log says so.

    Args:
        path: The file or the folder of PNGs to make, "-", an address or a camera.
        like: A VideoReader to take the sound, the frame rate, the time base, the
            aspect ratio of pixels, the color description, how long the last frame is
            shown and all else from.
        fps: Frames per second where there is no `like`; timestamps come with the
            frames, so this only tunes the encoder and lasts the final frame.
        quality: Constant rate factor, lower is better, on x264's scale 0..51
            (a GIF and PNGs have none). The default is visually lossless.
        overwrite: Replace what is there.
        coding: Codec, pixel format, preset, bit rate and quality, in place of
            `quality`.

    Attributes:
        path: Where the result goes (without passwords); after Ctrl-C, where it went.
        deep: Whether the encoder takes more than 8 bits; frames may be uint16 then.
        alpha: Whether frames may be RGBA `[H, W, 4]`, straight.
        num_frames: Frames written so far.
        approve: Function that is called before the result gets its name; where it
            raises, nothing is left behind.

    Raises:
        InputError: The path cannot be written, exists, is the input, or has an
            unknown extension; another run is writing it; or (at the end) no frame
            came, the disk is full, or who should take the frames does not.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        like: "VideoReader | None" = None,
        fps: Fraction | float | None = None,
        quality: float | None = None,
        overwrite: bool = False,
        coding: Coding | None = None,
    ) -> None:
        coding = coding or Coding(quality)
        rate = Fraction(fps or getattr(like, "fps", None) or 25)
        self._shape = None
        self.num_frames = 0
        self.approve = lambda: None
        self._closed = self._full = False
        self._lock = contextlib.ExitStack()
        self._encoder = None
        outlet = outlets.find(path)
        if outlet is None:
            self._pattern = None
            encoder = self._choose_encoder(path)
            if self._pattern:  # which says what the pictures are
                kind = pathlib.Path(self._pattern).suffix.lower()[1:]
                if coding.codec not in (None, kind):
                    raise InputError(
                        f"codec={coding.codec}: does not fit {path}; give codec={kind}"
                    )
                coding = dataclasses.replace(coding, codec=kind)
            coding.into(FOLDER if self._folder else self.path.suffix.lower())
            self._names = set((getattr(like, "names", None) or {}).values())
            self._check_target(like, overwrite)
            self._hold()
            try:
                self._make_temporary()
                self._encoder = encoder(self._temporary, like, rate, coding)
            except BaseException:
                self._remove_temporary()
                self._lock.close()
                raise
        else:
            self.path, self._folder, self._temporary = public(path), False, None
            self._encoder = outlet(path, like, rate, coding)
        self.deep = getattr(self._encoder, "deep", False)
        self.alpha = getattr(self._encoder, "alpha", False)

    def _choose_encoder(self, path):
        as_folder = str(path).endswith(("/", os.sep))
        self.path = pathlib.Path(path)
        kind = self.path.suffix.lower()
        if NUMBER.search(self.path.name) and kind in (".png", ".exr"):
            self._folder, self._pattern = True, self.path.name
            self.path = self.path.parent
            if not self.path.name:
                self.path = self.path.absolute()
            return functools.partial(Pngs, pattern=self._pattern)
        suffix = self.path.suffix.lower()
        as_folder |= self.path.is_dir() and suffix not in _ENCODERS
        if not as_folder and suffix and suffix not in _ENCODERS:
            raise InputError(
                f"{path}: unknown extension {suffix}; give {', '.join(_ENCODERS)}, "
                "or a folder for PNGs"
            )
        self._folder = as_folder or not suffix
        return Pngs if self._folder else _ENCODERS[suffix]

    def _hold(self):
        told = f"{self.path}: another run is writing it; wait, or give another output"
        lock = files.short_name(".", self.path.name, ".lock")
        with files.writing(self.path, "give another folder"):
            self._lock.enter_context(files.locked(self.path.parent, told, lock))

    def _make_temporary(self):
        name = files.short_name(".", self.path.stem, f".partial{self.path.suffix}")
        self._temporary = self.path.with_name(name)
        self._remove_temporary()  # of a run that was killed, as nobody holds it
        pieces = segments_of(self.path)
        if pieces.exists():
            _log.warning("%s: is of a run that was to be resumed; remove it", pieces)
        with files.writing(self.path, "give another folder"):
            if self._folder:
                self._temporary.mkdir()
            else:
                self._temporary.touch(exist_ok=False)

    def _check_target(self, like, overwrite):
        path, source = self.path, getattr(like, "path", None)
        if not path.parent.is_dir():
            raise InputError(f"{path}: there is no folder {path.parent}; make it first")
        for one in (path, *self._beside(path)):
            if one.exists():
                self._check_what_is_there(one, source, overwrite)

    def _beside(self, path):
        """The file that a playlist is of."""
        is_playlist = not self._folder and path.suffix.lower() == ".m3u8"
        return [Playlist.media(path)] if is_playlist else []

    def _check_what_is_there(self, path, source, overwrite):
        if source is not None and source.exists() and path.samefile(source):
            raise InputError(f"{path}: is the input itself; give another output")
        if not (path.is_dir() or path.is_file()):
            raise InputError(f"{path}: is a pipe or a device; give another name")
        if self._folder != path.is_dir():
            kind = "folder" if path.is_dir() else "file"
            raise InputError(f"{path}: a {kind} of that name exists; give another name")
        if self._folder and not any(path.iterdir()):
            return
        if not overwrite:
            raise InputError(f"{path}: exists; give another name or overwrite=True")
        if self._folder and not self._is_ours(path):
            raise InputError(
                f"{path}: holds more than numbered PNGs and is not overwritten; "
                "give a new folder"
            )

    def write(
        self, frame: np.ndarray | EnlargedPicture, timestamp: Fraction | float
    ) -> None:
        """Append a frame.

        Args:
            frame: RGB `[H, W, 3]`, of the same size every time: uint8, or uint16 where
                `deep`, 65535 being white; or an EnlargedPicture.
            timestamp: Seconds, preferably a Fraction; at least a tick after the last.

        Raises:
            InputError: The disk is full, the file cannot grow, the connection is lost.
        """
        takes_all = getattr(self._encoder, "takes_enlarged", False)
        if not (takes_all and isinstance(frame, EnlargedPicture)):
            frame = np.ascontiguousarray(frame)
        if self._shape is None:
            kinds = (np.uint8, np.uint16) if self.deep else (np.uint8,)
            channels = (3, 4) if self.alpha else (3,)
            is_array = isinstance(frame, np.ndarray)
            is_picture = len(frame.shape) == 3 and frame.shape[2] in channels
            if is_array and not (is_picture and frame.dtype in kinds):
                raise ValueError(
                    f"frame must be uint8 [H, W, 3], not {frame.dtype} {frame.shape}"
                )
            self._shape = frame.shape
        elif frame.shape != self._shape:
            raise ValueError(f"frame is {frame.shape}, the first was {self._shape}")
        try:
            self._encoder.write(frame, Fraction(timestamp))
        except (OSError, av.FFmpegError) as error:
            self._full = error.errno in FULL
            raise self._cannot_write(error) from error
        self.num_frames += 1

    def close(self) -> None:
        """Finish the file and put it under its final name."""
        self._finish(complete=True)

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: object,
    ) -> None:
        if kind is None:
            self._finish(complete=True)
        elif (self._full or issubclass(kind, KeyboardInterrupt)) and self.num_frames:
            self._finish(complete=False)
        else:
            self._abandon()

    def _finish(self, complete):
        if self._closed:
            return
        try:
            if not self.num_frames:
                raise InputError(f"{self.path}: nothing to write, no frame was made")
            unwritten = self._encoder.finish(complete) or 0
            self.num_frames -= unwritten
            full = complete and unwritten > 0
            complete = complete and not full
            if complete:
                self.approve()
            if self._temporary is not None:
                self._put_in_place(complete)
            self._closed = True
            self._lock.close()
        except (OSError, av.FFmpegError) as error:
            raise self._cannot_write(error) from error
        finally:
            self._abandon()
        if not complete:
            done = "are in" if self._temporary else "went to"
            _log.warning("stopped: %d frames %s %s", self.num_frames, done, self.path)
        if full:
            raise self._cannot_write(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    def _put_in_place(self, complete):
        if not complete:
            end = f".partial{self.path.suffix}"
            self.path = self.path.with_name(files.short_name("", self.path.stem, end))
        if self._folder and self.path.exists():
            if not self._is_ours(self.path):
                raise InputError(f"{self.path}: holds other files; move it away")
            shutil.rmtree(self.path)
        for media in self._beside(self.path):
            os.replace(*self._beside(self._temporary), media)
            Playlist.rename(self._temporary, media.name)
        os.replace(self._temporary, self.path)

    def _abandon(self):
        """Leave nothing behind, unless it is finished."""
        if self._closed:
            return
        self._closed = True
        try:
            self._encoder.abandon()
        finally:
            if self._temporary is not None:
                self._remove_temporary()
            self._lock.close()

    def _remove_temporary(self):
        if self._folder:
            shutil.rmtree(self._temporary, ignore_errors=True)
        else:
            for path in (self._temporary, *self._beside(self._temporary)):
                path.unlink(missing_ok=True)

    def _is_ours(self, folder):
        """Whether it holds such PNGs only, so that replacing it is harmless."""
        return all(
            path.suffix in (".png", ".exr")
            and (
                path.stem.isdecimal()
                or path.stem in self._names
                or (self._pattern and numbered(self._pattern).fullmatch(path.name))
            )
            for path in folder.iterdir()
        )

    def _cannot_write(self, error):
        advice = "give another output, or one of another kind"
        if error.errno in FULL:
            advice = "free space on the disk or give another output"
        elif error.errno == errno.EFBIG:
            advice = "no file may be so large there; give another disk or quality=20"
        return InputError(
            f"{self.path}: cannot be written ({error.strerror or error}); {advice}"
        )


def segments_of(path: pathlib.Path) -> pathlib.Path:
    """The folder of what a run that can be resumed has finished of a file."""
    return path.with_name(files.short_name(".", path.name, ".segments"))
