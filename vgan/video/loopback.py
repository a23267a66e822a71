"""A virtual camera: frames that other programs see as a webcam.

By a device of v4l2loopback (Linux), which takes raw frames with write(), once it was
told their size; the numbers are those of the kernel's <linux/videodev2.h>. Or by
whatever this computer has.
"""

import os
import struct
import sys
import typing
from fractions import Fraction

import numpy as np

from vgan import InputError
from vgan.video import tags
from vgan.video.codecs import Coding
from vgan.video.color import BT601, ToYUV

if typing.TYPE_CHECKING:
    from vgan.video.reader import VideoReader

_QUERYCAP = 0x80685600  # _IOR('V', 0, struct v4l2_capability), 104 bytes
_S_FMT = 0xC0D05605  # _IOWR('V', 5, struct v4l2_format), 208 bytes
_CAN_OUTPUT = 0x2
_DEVICE_CAPS = 0x80000000  # the second word tells of this node, not of all
_OUTPUT = 2  # enum v4l2_buf_type
_PROGRESSIVE = 1
_SMPTE170M = 1
_YUYV = int.from_bytes(b"YUYV", "little")


class VirtualCamera:
    """Frames as YUYV to /dev/videoN; times and sound are not kept, it shows what comes.

    An odd column at the right is cut off.

    Args:
        address: The device file.
        like: VideoReader that the frames come from, or None.
        fps: Not used.
        coding: Of which there is nothing to choose.

    Raises:
        InputError: There is no such device, or it is no virtual camera.
    """

    def __init__(
        self,
        address: str | os.PathLike,
        like: "VideoReader | None",
        fps: Fraction,
        coding: Coding,
    ) -> None:
        coding.refuse("a virtual camera")
        self._address, self._file, self._size = str(address), None, None
        try:
            self._file = os.open(self._address, os.O_RDWR)
            capability = self._control(_QUERYCAP, bytes(104))
        except FileNotFoundError:
            number = self._address.removeprefix("/dev/video")
            raise InputError(
                f"{self._address}: there is no such device; install v4l2loopback and "
                f"make it: sudo modprobe v4l2loopback video_nr={number} "
                "exclusive_caps=1"
            ) from None
        except OSError as error:
            self.abandon()
            raise InputError(
                f"{self._address}: cannot be opened as a camera ({error.strerror}); "
                "is it a v4l2loopback device, and may you write to it?"
            ) from error
        every, own = struct.unpack_from("<II", capability, 84)
        if not (own if every & _DEVICE_CAPS else every) & _CAN_OUTPUT:
            self.abandon()
            raise InputError(
                f"{self._address}: is a real camera, or has a writer already; make a "
                "virtual one: sudo modprobe v4l2loopback video_nr=9 exclusive_caps=1"
            )
        tags.leave_out(like, "a virtual camera")

    def _control(self, request, data):
        import fcntl  # there is none on Windows

        return fcntl.ioctl(self._file, request, data)

    def write(self, frame: np.ndarray, seconds: Fraction) -> None:
        """Show a uint8 RGB frame `[H, W, 3]` at once."""
        frame = frame[:, : frame.shape[1] // 2 * 2]
        height, width = frame.shape[:2]
        try:
            if self._size is None:
                self._size = width, height
                self._set_format(width, height)
            os.write(self._file, pack(frame))
        except OSError as error:
            raise InputError(
                f"{self._address}: the virtual camera takes no frame of {width} x "
                f"{height} ({error.strerror}); is another program writing to it?"
            ) from error

    def _set_format(self, width, height):
        answer = self._control(_S_FMT, format_request(width, height))
        _, *got = struct.unpack_from("<I4x3I", answer)
        if got != [width, height, _YUYV]:
            raise OSError(None, f"it insists on {got[0]} x {got[1]}")

    def finish(self, complete: bool) -> None:
        """Close the device; viewers keep its last frame."""
        self.abandon()

    def abandon(self) -> None:
        """Close the device."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class SystemCamera:
    """Frames to this computer's virtual camera, by pyvirtualcam: OBS's on Windows and
    macOS, the first of v4l2loopback on Linux.

    Times and sound are not kept, it shows what comes. An odd row or column at the
    bottom or right is cut off.

    Args:
        address: "camera".
        like: Not used.
        fps: Frames per second, which viewers are told.
        coding: Of which there is nothing to choose.

    Raises:
        InputError: pyvirtualcam is missing; or, from write, there is no camera, or it
            does not take frames of that size.
    """

    def __init__(
        self,
        address: str | os.PathLike,
        like: "VideoReader | None",
        fps: Fraction,
        coding: Coding,
    ) -> None:
        coding.refuse("a virtual camera")
        try:
            import pyvirtualcam
        except ImportError as error:
            raise InputError(
                f"{address}: pyvirtualcam is not installed; pip install -e '.[camera]'"
            ) from error
        self._make = pyvirtualcam.Camera
        self._address, self._fps, self._camera = str(address), float(fps), None

    def write(self, frame: np.ndarray, seconds: Fraction) -> None:
        """Show a uint8 RGB frame `[H, W, 3]` at once."""
        height, width = (side // 2 * 2 for side in frame.shape[:2])
        try:
            if self._camera is None:
                self._camera = self._make(width, height, self._fps)
            self._camera.send(frame[:height, :width])
        except RuntimeError as error:
            reason = "; ".join(str(error).splitlines()) or "there is none"
            raise InputError(
                f"{self._address}: no virtual camera takes frames of {width} x "
                f"{height} ({reason}); {_advice()}"
            ) from error

    def finish(self, complete: bool) -> None:
        """Close the camera."""
        self.abandon()

    def abandon(self) -> None:
        """Close the camera."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None


def _advice():
    if sys.platform == "linux":
        return (
            "install v4l2loopback and make one: "
            "sudo modprobe v4l2loopback exclusive_caps=1"
        )
    return (
        "install OBS, start and stop its virtual camera once, and end other programs "
        "that write to it"
    )


def format_request(width: int, height: int) -> bytes:
    """The `struct v4l2_format` (64 bit) that asks for YUYV frames of this size."""
    stride = 2 * width
    fields = (width, height, _YUYV, _PROGRESSIVE, stride, stride * height, _SMPTE170M)
    return struct.pack("<I4x7I", _OUTPUT, *fields).ljust(208, b"\0")


def pack(frame: np.ndarray) -> bytes:
    """Bytes Y0 U Y1 V ... of a uint8 RGB frame `[H, W, 3]`, W even: 2 W H of them."""
    return ToYUV("yuyv422", BT601)(frame).to_ndarray().tobytes()
