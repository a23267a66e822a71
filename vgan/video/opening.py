"""Opening what FFmpeg demuxes: a file, an address, a camera, standard input."""

import os
import pathlib
import re
import sys
import typing
from collections.abc import Iterator, Sequence

import av

from vgan import InputError

_OPTIONS = {"rtsp": {"rtsp_transport": "tcp"}}  # UDP loses packets in most networks


def public(address: str | os.PathLike | int) -> str:
    """The address without what is secret in it: a password, the key of a stream."""
    address = re.sub(r"//[^/@]*@", "//", str(address))
    if not address.lower().startswith("rtmp"):
        return address
    # rtmp://host/app/key: who knows the key may broadcast under that name.
    kept = "/".join(address.split("/")[:4])
    return address if address == kept else f"{kept}/..."


class StandardInput:
    """What is piped into this process, as a file that cannot seek.

    Reading by Python, not by FFmpeg, lets Ctrl-C through while nothing comes.
    """

    name = "-"

    def __init__(self) -> None:
        self.head = b""  # the first bytes, which tell what it is
        if os.isatty(0):
            raise InputError(
                "-: nothing is piped in; "
                "give a file, or pipe one: ffmpeg -i in.mp4 -f nut - | ..."
            )

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes as soon as there are some; none at the end."""
        data = os.read(0, size)
        self.head += data[: 16 - len(self.head)]
        return data

    def excuse(self) -> str | None:
        """Why it cannot be read as a video, where that is due to the pipe."""
        if not self.head:
            return (
                "is not a video: nothing came through the pipe; see what the program "
                "before it says, or give a file"
            )
        if self.head[4:8] in (b"ftyp", b"mdat", b"wide", b"free"):
            return (
                "is an MP4 with its index at the end, to which a pipe cannot jump; "
                "give the file, or pipe ffmpeg -i in.mp4 -c copy -f nut -"
            )
        return None


def for_ffmpeg(path: pathlib.Path) -> str:
    """The file's name as FFmpeg takes it: `a:b.mp4` alone would be of protocol a."""
    return str(path.absolute())


def of_program(
    container: av.container.InputContainer,
    picture: av.VideoStream,
    streams: Sequence[av.stream.Stream],
) -> list[av.stream.Stream]:
    """Those of some streams that are of the picture's program.

    A broadcast may carry several; where none is known to be of it, all are.

    Args:
        container: av.InputContainer.
        picture: av.VideoStream.
        streams: Other streams of the container.

    Returns:
        List of av.Stream.
    """
    own = [s for s in streams if container.streams.best("video", s) is picture]
    return own or list(streams)


def demuxed(
    container: av.container.InputContainer, streams: Sequence[av.stream.Stream]
) -> Iterator[av.Packet]:
    """Yield the packets of some streams, as `container.demux` does.

    A stream that appears on the way (broadcasts, damage) is left out; PyAV may be at a
    loss about it, once it has given all packets of the others.
    """
    try:
        yield from container.demux(streams)
    except IndexError:
        return


def open_container(
    location: pathlib.Path | str | StandardInput | typing.BinaryIO,
    name: str,
    timeout: float,
    camera: bool = False,
) -> av.container.InputContainer:
    """Open a source of frames.

    Args:
        location: A pathlib.Path, the address or the number of a camera as a string,
            StandardInput, or a binary file.
        name: What messages call it.
        timeout: Seconds to wait for a network, now and for each packet.
        camera: Whether `location` is the number of a camera.

    Returns:
        av.InputContainer.

    Raises:
        InputError: It does not exist, does not respond or is not a video.
    """
    format_name, options = None, {}
    network = not camera and isinstance(location, str)
    if camera:
        location, format_name, options = _camera(location, name)
    elif network:
        options = _OPTIONS.get(location.split("://")[0], {})
    elif isinstance(location, pathlib.Path):
        location = for_ffmpeg(location)
    try:
        opened = av.open(
            location, format=format_name, options=options, timeout=timeout,
            metadata_errors="replace",
        )  # fmt: skip
        if opened.format.name == "tty":  # FFmpeg draws a text, letter by letter
            opened.close()
            raise ValueError("it is a text")
        return opened
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, av.error.ExitError):
            error = TimeoutError(0, f"nothing came for {timeout:g} s")
        raise InputError(
            _cannot_open(name, location, network, camera, error)
        ) from error


def refuse_unknown(address: str, name: str) -> None:
    """Raise InputError where this FFmpeg was built without an address's protocol.

    Args:
        address: Such as "srt://host:9000".
        name: What the message calls it.
    """
    if not address.lower().startswith("srt://"):  # all others are in every build
        return
    try:
        av.open("srt://", "w", format="mpegts").close()
    except av.error.ProtocolNotFoundError as error:
        raise InputError(
            f"{name}: the FFmpeg of this PyAV was built without SRT; let "
            "srt-live-transmit hand it on from or to udp://127.0.0.1:9000, or build "
            "PyAV on an FFmpeg with libsrt"
        ) from error
    except (OSError, ValueError, av.FFmpegError):  # it is there, and wants a host
        return


def _is_list(path):
    with open(path, "rb") as file:
        head = file.read(512).lstrip(b"\xef\xbb\xbf")
    return head.startswith((b"ffconcat", b"file ", b"#EXTM3U"))


def _camera(number, name):
    """File, format and options of camera `number` for FFmpeg, by operating system."""
    if sys.platform == "darwin":
        return f"{number}:none", "avfoundation", {"framerate": "30"}
    if sys.platform == "win32":
        devices = av.device.enumerate_input_devices("dshow")
        cameras = [d.name for d in devices if "video" in d.media_types]
        if int(number) >= len(cameras):
            raise InputError(f"{name}: there are {len(cameras)} cameras; plug it in")
        return f"video={cameras[int(number)]}", "dshow", {}
    device = pathlib.Path(f"/dev/video{number}")
    if not device.exists():
        raise InputError(
            f"{name}: there is no camera {device}; plug it in or give another number"
        )
    return str(device), "v4l2", {}


def _cannot_open(name, location, network, camera, error):
    reason = getattr(error, "strerror", None) or str(error)
    if isinstance(location, StandardInput) and location.excuse():
        what = location.excuse()
    elif camera:
        what = f"the camera cannot be opened ({reason}); is another program using it?"
    elif network:
        what = f"cannot be reached ({reason}); check the address and the network"
    elif isinstance(error, PermissionError) and not os.access(location, os.R_OK):
        what = "may not be read; change its permissions"
    elif isinstance(location, str) and _is_list(location):
        what = f"is a list of files that cannot all be used ({reason}); join them first"
    else:
        what = f"is not a video that can be read ({reason}); convert or copy it again"
    return f"{name}: {what}"
