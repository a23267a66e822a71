"""Does an export compute what Keras computes, over many frames?

An error in the state grows from frame to frame, which a single frame does not show.
"""

import pathlib
import typing

import cv2
import keras
import numpy as np

from vgan.runtime.engines.exported import ExportedEngine, Manifest
from vgan.runtime.engines.keras_engine import KerasEngine

FRAMES = 30
SIZE = 64, 96  # of frames, where the export takes any
BOUND = 1e-3  # in [-1, 1], of float exports


def check(
    generator: keras.Model, manifest: Manifest, folder: str | pathlib.Path
) -> list[str]:
    """Run both over the same frames, and both style encoders.

    Args:
        generator: The generator that was exported.
        manifest: Of the export.
        folder: Its files.

    Returns:
        A list of lines to show.

    Raises:
        RuntimeError: A float export is off by more than `BOUND`.
    """
    if manifest.format == "tf_saved_model":
        engine = SavedModel(folder, manifest)
    else:
        options = {"precision": "float32"} if manifest.format == "openvino" else {}
        engine = ExportedEngine(folder, **options)
    keras_engine = KerasEngine(generator)
    random = np.random.default_rng(0)
    picture = random.uniform(-1, 1, (1, 2, 64, 96, 3)).astype(np.float32)
    noise = random.standard_normal((1, generator.noise_size)).astype(np.float32)
    codes = [
        (one.encode_style(picture), one.encode_noise(noise))
        for one in (keras_engine, engine)
    ]
    errors = {
        "style code": np.abs(codes[0][0] - codes[1][0]).max(),
        "noise code": np.abs(codes[0][1] - codes[1][1]).max(),
    }
    code = codes[0][0]
    wanted, found = (
        _stylize(one, code, manifest.size or SIZE) for one in (keras_engine, engine)
    )
    errors[f"{FRAMES} recurrent frames"] = np.abs(wanted - found).max()
    if manifest.int8:
        last = wanted[-1], found[-1]
        gain = _strength(keras_engine, *last, picture)
        return [
            f"int8 ({manifest.int8}) against float: PSNR {_psnr(*last):.1f} dB after "
            f"{FRAMES} frames, style strength {gain:+.3f}"
        ]
    for what, error in errors.items():
        if not error <= BOUND:  # NaN too
            raise RuntimeError(
                f"the export to {manifest.format} is wrong: {what} differ from Keras "
                f"by {error:.2g}, more than {BOUND:g}; report this as a bug of vgan"
            )
    return [f"{what}: at most {error:.1e} from Keras" for what, error in errors.items()]


def pan(height: int, width: int) -> np.ndarray:
    """Return frames [FRAMES, height, width, 3] in [-1, 1], coarse and fine."""
    random = np.random.default_rng(1)
    picture = sum(
        cv2.resize(random.uniform(-1, 1, (n, n, 3)), (width + 2 * FRAMES, height))
        for n in (4, 16, 64)
    )
    picture = np.float32(picture / np.abs(picture).max())
    return np.stack([picture[:, 2 * t : 2 * t + width] for t in range(FRAMES)])


def _stylize(engine, code, size):
    state, frames = engine.initial_state(*size), []
    for frame in pan(*size):
        result, state = engine.step(frame[None, None], code, state)
        frames.append(np.array(result[0, 0]))
    return np.stack(frames)


def _psnr(one, two):
    """Peak signal-to-noise ratio of pictures in [-1, 1], in dB."""
    return 10 * np.log10(4 / max(np.mean((one - two) ** 2), 1e-12))


def _strength(engine, wanted, found, picture):
    """How much nearer the style's code the quantized result is than the float one.

    Cosines of the codes that the style encoder reads from either picture.
    """
    aim = engine.encode_style(picture)
    height, width = (side // 16 * 16 for side in wanted.shape[:2])
    cosines = []
    for frame in (wanted, found):
        code = engine.encode_style(frame[None, None, :height, :width])
        cosines.append(
            float(np.sum(code * aim) / np.sqrt(np.sum(code**2) * np.sum(aim**2)))
        )
    return cosines[1] - cosines[0]


class SavedModel:
    """A SavedModel under the interface of engines, as far as the check needs it."""

    def __init__(self, folder: str | pathlib.Path, manifest: Manifest) -> None:
        import tensorflow as tf

        self._module = tf.saved_model.load(str(folder))
        self._names = list(manifest.state)

    def _run(self, signature, **inputs):
        outputs = self._module.signatures[signature](**inputs)
        return {name: np.asarray(value) for name, value in outputs.items()}

    def initial_state(self, height: int, width: int) -> typing.Any:
        """As engines do."""
        import tensorflow as tf

        sizes = {"height": tf.constant(height), "width": tf.constant(width)}
        return self._run("initial_state", **sizes)

    def step(
        self, content: np.ndarray, code: np.ndarray, state: typing.Any
    ) -> tuple[np.ndarray, typing.Any]:
        """As engines do."""
        out = self._run("step", frame=content[:, 0], code=code, **state)
        return out["stylised"][:, None], {n: out[f"new_{n}"] for n in self._names}

    def encode_style(self, style: np.ndarray) -> np.ndarray:
        """As engines do."""
        return self._run("style", pictures=style[0])["code"]

    def encode_noise(self, noise: np.ndarray) -> np.ndarray:
        """As engines do."""
        return self._run("noise", noise=noise)["code"]
