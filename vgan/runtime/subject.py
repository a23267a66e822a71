"""Where people are in the frames of one video.

MediaPipe's selfie segmentation (Apache-2.0; 250 kB, 36 to 64 million multiplications a
frame) finds them, run by LiteRT. It is read out of MediaPipe's own package, which need
not be installed: that would ask for NumPy 1.
"""

import importlib.metadata
import importlib.util
import os
import pathlib
import typing
import zipfile

import cv2
import numpy as np

from vgan import InputError
from vgan.video.cuts import CutDetector
from vgan.video.masks import SHARES, soften

NAMES = ("person", "background")
PACKAGE = "mediapipe==0.10.21"  # the last one with the networks inside
_FOLDER = "mediapipe/modules/selfie_segmentation/"
_SQUARE, _WIDE = "selfie_segmentation.tflite", "selfie_segmentation_landscape.tflite"
# Any system's file will do, as only the network is read.
_GET = (
    "pip download --no-deps --python-version 3.12 --platform manylinux_2_28_x86_64 "
    f"{PACKAGE}"
)
_LEAST = 0.25  # share of the new mask where the network is least sure


class Subject:
    """How much of each pixel belongs to people, or to all else.

    Masks are averaged along time where the network is not sure, as it is at edges,
    which would tremble else; where it is sure, the new one counts at once. At a scene
    cut it starts afresh.

    Args:
        name: One of NAMES: what the mask is 1 on.
        path: A .tflite, float32 [1, h, w, 3] from 0 to 1 -> [1, h, w, 1], the share of
            a person, or [1, h, w, 2], background and person; or MediaPipe's wheel,
            which is a .whl; or None: that of the package, where it is installed.
        soft: Standard deviation in pixels of a Gaussian that softens edges more.
        size: (H, W) of the frames to come: of two networks, which one.

    Raises:
        InputError: There is no such network, or LiteRT is not installed.

    Example:
        where = Subject("person", size=(720, 1280))
        for frame in frames:                            # uint8 RGB [H, W, 3]
            blend(frame, stylizer(frame), where(frame))
    """

    def __init__(
        self,
        name: str,
        path: str | os.PathLike | None = None,
        soft: float = 0,
        *,
        size: tuple[int, int],
    ) -> None:
        self._name, self._soft = name, soft
        wide = size[1] > 1.2 * size[0]
        self._run, self._size = _load(name, path, _WIDE if wide else _SQUARE)
        self._is_cut = CutDetector()
        self._share = None  # of a person, float32 [h, w]
        self._mask = None

    def reset(self) -> None:
        """Forget the frames so far."""
        self._share = None
        self._is_cut.reset()

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Return the share of the next frame, uint8 RGB [H, W, 3].

        Returns:
            float32 [H, W, 1] in [0, 1], overwritten by the next call.
        """
        height, width = self._size
        # In two steps, each of them fast, as one from large areas is not.
        small = cv2.resize(frame, (2 * width, 2 * height))
        small = cv2.resize(small, (width, height), interpolation=cv2.INTER_AREA)
        if self._is_cut(small):
            self._share = None
        share = self._run(small)
        if self._share is not None:
            sure = _LEAST + (1 - _LEAST) * (2 * share - 1) ** 2
            share = self._share + sure * (share - self._share)
        self._share = share
        if self._name == "background":
            share = 1 - share
        gray = cv2.convertScaleAbs(share, alpha=255)
        gray = cv2.resize(gray, frame.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        if self._soft:
            gray = soften(gray, self._soft)
        self._mask = cv2.LUT(gray, SHARES, self._mask)  # new memory is slow
        return self._mask[..., None]

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return what is remembered, {name: array}, for `restore`."""
        kept = {f"cut_{name}": v for name, v in self._is_cut.snapshot().items()}
        return kept if self._share is None else {**kept, "share": self._share}

    def restore(self, kept: dict[str, np.ndarray]) -> None:
        """Go on from where `snapshot` was taken."""
        cut = {n[4:]: value for n, value in kept.items() if n.startswith("cut_")}
        self._is_cut.restore(cut)
        self._share = kept.get("share")


def _load(name, path, part):
    """Function uint8 RGB [h, w, 3] -> share of a person float32 [h, w], and (h, w)."""
    content, path = _read(name, path, part)
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise InputError(
            f"subject={name}: LiteRT is not installed; pip install -e '.[fast]'"
        )
    from ai_edge_litert.interpreter import Interpreter

    try:
        # One thread: a second one saves little time and doubles the processor's.
        network = Interpreter(model_content=content, num_threads=1)
        network.allocate_tensors()
        (into,), (out,) = network.get_input_details(), network.get_output_details()
        one, *size, colors = into["shape"]
        kinds = into["dtype"], out["dtype"]
        fits = (one, colors, *kinds) == (1, 3, np.float32, np.float32)
        shares = [(1, *size, count) for count in (1, 2)]
        if not fits or tuple(out["shape"]) not in shares:
            raise ValueError
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"subject_model={path}: is no network that takes float32 [1, h, w, 3] and "
            "gives [1, h, w, 1] or [1, h, w, 2]"
        ) from error

    def run(frame):
        network.set_tensor(into["index"], frame[None] * np.float32(1 / 255))
        network.invoke()
        return network.get_tensor(out["index"])[0, ..., -1]

    return run, tuple(map(int, size))


def _read(name, path, part):
    """Bytes of the network, and where they are from."""
    if path is None:
        path = _installed(part)
        if path is None:
            raise InputError(
                f"subject={name}: needs the network of {PACKAGE}, which is not "
                f"installed; {_GET} and give subject_model=FILE, what that fetches"
            )
    path = pathlib.Path(path)
    try:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                return wheel.read(_FOLDER + part), path
        return path.read_bytes(), path
    except OSError as error:
        raise InputError(f"subject_model={path}: {error.strerror}") from error
    except (KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"subject_model={path}: has no {part} inside; give the wheel of {PACKAGE}"
        ) from error


def _installed(part) -> typing.Any:
    """Its file in the installed package, which is not imported, or None."""
    try:
        found = importlib.metadata.files("mediapipe") or ()
    except importlib.metadata.PackageNotFoundError:
        return None
    own = [file.locate() for file in found if str(file) == _FOLDER + part]
    return next((file for file in own if os.path.exists(file)), None)
