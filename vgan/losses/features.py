"""Fixed networks whose features say what a picture shows and how it is painted.

`FeatureNetwork` turns clips [B, T, H, W, 3] in [-1, 1] into lists of features
[B, T, h, w, C], for content and for style. Its weights are never trained.

The .npz layouts that it reads, kernels as HWIO, keys `layer/kernel` and `layer/bias`:

* VGG (Simonyan and Zisserman, 2015) as conv1_1, conv1_2, ..., with an optional 1x1
  `preprocess` that takes RGB in 0..1 (reflection padding), of any widths;
* VGG as Keras names it, block1_conv1, ..., that takes BGR minus the ImageNet means
  (zero padding);
* SqueezeNet 1.1 (Iandola et al., 2016): conv1, fire2/squeeze1x1, ...
"""

import os
import pathlib
import re
import zipfile

import keras
import numpy as np
from keras import KerasTensor, ops

from vgan import InputError
from vgan.checks import shown

BGR_MEAN = (103.939, 116.779, 123.68)


class FeatureNetwork:
    """Clips in, lists of features for content and style out.

    Args:
        network: "random" (fixed random filters at several scales, no download: shallow
            random filters carry texture, Ustyuzhaninov et al., 2016), "vgg19"
            (keras.applications, downloads once), the path of an .npz file, or what one
            with the layers of a VGG holds, {name: array}.
        argument: What the user calls `network`, for messages.

    Attributes:
        name: What it was given.
        roles: {layer: what it is read for, of "content" and "style"}, shallow first.

    Raises:
        InputError: The file is missing, is no .npz, or has another layout.
    """

    def __init__(
        self,
        network: str | pathlib.Path | dict[str, np.ndarray],
        argument: str = "losses.features",
    ) -> None:
        if isinstance(network, dict):
            self.name, self._stages = "weights", _vgg(network)
            self.roles = {name: roles for name, (_, roles) in self._stages.items()}
            return
        if not isinstance(network, str | os.PathLike) or not os.fspath(network):
            raise InputError(
                f"{argument}: takes a name or a file, random, vgg19 or an .npz file, "
                f"got {shown(network)}"
            )
        self.name = str(network)
        if network == "random":
            self._stages = _random_pyramid()
        elif network == "vgg19":
            self._stages = _vgg(_keras_vgg19_weights(argument))
        else:
            self._stages = _from_file(pathlib.Path(network), argument)
        self.roles = {name: roles for name, (_, roles) in self._stages.items()}
        if network not in ("random", "vgg19"):
            self._try(network, argument)

    def _try(self, path, argument):
        """Run it once: a damaged file is best noticed before hours of work."""
        try:
            seen = self.layers(np.zeros((1, 1, 64, 64, 3), "float32"))
            sound = all(np.all(np.isfinite(layer)) for layer in seen.values())
        except Exception as error:  # backends raise their own for shapes that misfit
            raise InputError(
                f"{argument}: {path} holds layers that do not fit one another; "
                "give an unchanged file"
            ) from error
        if not sound:
            raise InputError(f"{argument}: {path} holds weights that are not finite")

    def __call__(self, clip: KerasTensor) -> dict[str, list[KerasTensor]]:
        """Return {"content": [...], "style": [...]} of a clip [B, T, H, W, 3]."""
        features = {"content": [], "style": []}
        for name, seen in self.layers(clip).items():
            for role in self.roles[name]:
                features[role].append(seen)
        return features

    def layers(
        self, clip: KerasTensor, last: str | None = None
    ) -> dict[str, KerasTensor]:
        """Return the features by name, of a clip [B, T, H, W, 3] in [-1, 1].

        Names are relu1_1, relu2_1, ... of a VGG, conv1, fire3, ... of a SqueezeNet, and
        texture0, color0, edges1, ... of the random filters, numbered by scale.

        Args:
            clip: [B, T, H, W, 3] in [-1, 1].
            last: Stop after the layer of this name; all by default.

        Returns:
            {name: [B, T, h, w, C]}, shallow first.
        """
        batch, frames, *size = ops.shape(clip)
        x = ops.reshape(clip, (batch * frames, *size))
        found = {}
        for name, (stage, _) in self._stages.items():
            x, seen = stage(x)
            found[name] = ops.reshape(seen, (batch, frames, *ops.shape(seen)[1:]))
            if name == last:
                break
        return found


def _from_file(path, argument):
    if not path.is_file():
        raise InputError(
            f"{argument}: no file {path}; "
            "give random, vgg19 or the path of an .npz file"
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            weights = {key: file[key] for key in file.files}
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{argument}: {path} is not an .npz of arrays") from error
    odd = [key for key, array in weights.items() if array.dtype.kind != "f"]
    if odd:
        raise InputError(f"{argument}: {path} holds {odd[0]}, which is no float array")
    if "conv1_1/kernel" in weights or "block1_conv1/kernel" in weights:
        return _vgg(weights)
    if "fire2/squeeze1x1/kernel" in weights:
        return _squeezenet(weights)
    raise InputError(
        f"{argument}: {path} has neither VGG nor SqueezeNet layers "
        f"(its first: {', '.join(sorted(weights)[:3])})"
    )


def _keras_vgg19_weights(argument):
    try:
        model = keras.applications.VGG19(include_top=False, weights="imagenet")
    except Exception as error:  # Keras raises a bare one where there is no network
        raise InputError(
            f"{argument}=vgg19: its weights cannot be downloaded "
            f"({str(error).splitlines()[0][:80]}); give the path of an .npz, or random"
        ) from error
    weights = {}
    for layer in model.layers:
        if "conv" in layer.name:
            kernel, bias = layer.get_weights()
            weights[f"{layer.name}/kernel"] = kernel
            weights[f"{layer.name}/bias"] = bias
    return weights


def _conv(x, weights, name, strides=1, padding="valid"):
    x = ops.conv(x, weights[f"{name}/kernel"], strides, padding, "channels_last")
    return x + weights[f"{name}/bias"]


def _to_bgr(x):
    """[-1, 1] RGB -> 0..255 BGR minus the ImageNet means."""
    return ops.flip(x, axis=-1) * 127.5 + (127.5 - np.array(BGR_MEAN, "float32"))


def _vgg(weights):
    """Stages up to each first and the deepest layer of a block that the file holds."""
    keras_names = "block1_conv1/kernel" in weights
    pattern = r"block(\d)_conv(\d)/kernel" if keras_names else r"conv(\d)_(\d)/kernel"
    layers = sorted(
        (int(m[1]), int(m[2]), key.removesuffix("/kernel"))
        for key in weights
        if (m := re.fullmatch(pattern, key))
    )
    wanted = [layer for layer in layers if layer[1] == 1]
    # Content is read where VGG has lost color and stroke but not yet the place: at
    # relu4_1 alone, a relief of the contours would do.
    content = [(3, 1), (4, 1)]

    def relu_to(start, end):
        def stage(x):
            if start == 0:
                if "preprocess/kernel" in weights:
                    x = _conv((x + 1.0) / 2.0, weights, "preprocess")
                else:
                    x = _to_bgr(x)
            for block, index, name in layers[start:end]:
                if block > 1 and index == 1:
                    x = ops.max_pool(x, 2, 2, "same", "channels_last")
                if keras_names:
                    x = ops.relu(_conv(x, weights, name, padding="same"))
                else:
                    x = ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="reflect")
                    x = ops.relu(_conv(x, weights, name))
            return x, x

        return stage

    stages, start = {}, 0
    for layer in wanted:
        end = layers.index(layer) + 1
        roles = ("content", "style") if layer[:2] in content else ("style",)
        stages[f"relu{layer[0]}_1"] = (relu_to(start, end), roles)
        start = end
    return stages


def _squeezenet(weights):
    def pool(x):
        return ops.max_pool(x, 3, 2, "valid", "channels_last")

    def fire(x, name):
        x = ops.relu(_conv(x, weights, f"{name}/squeeze1x1"))
        one = _conv(x, weights, f"{name}/expand1x1")
        three = _conv(x, weights, f"{name}/expand3x3", padding="same")
        return ops.relu(ops.concatenate([one, three], axis=-1))

    def conv1(x):
        x = ops.relu(_conv(_to_bgr(x), weights, "conv1", strides=2))
        return x, x

    def fires(*names, pooled):
        def stage(x):
            x = pool(x) if pooled else x
            for name in names:
                x = fire(x, name)
            return x, x

        return stage

    return {
        "conv1": (conv1, ("style",)),
        "fire3": (fires("fire2", "fire3", pooled=True), ("style",)),
        "fire5": (fires("fire4", "fire5", pooled=True), ("content", "style")),
        "fire7": (fires("fire6", "fire7", pooled=True), ("style",)),
    }


def _random_pyramid(scales=4, filters=24, size=5, seed=0):
    """At each scale: 5x5 filters of the gray picture for content, of RGB for style.

    All filters have zero mean. Content responses are divided by their local strength,
    so that content is where edges are, whatever their color and contrast. Style keeps
    their strength, and the colors themselves.
    """
    random = np.random.default_rng(seed)
    window = np.outer(np.hanning(size + 2)[1:-1], np.hanning(size + 2)[1:-1])
    window = window[:, :, None, None]

    def bank(channels):
        kernel = random.normal(size=(size, size, channels, filters)) * window
        kernel -= window * kernel.sum((0, 1), keepdims=True) / window.sum()
        norm = np.sqrt(np.square(kernel).sum((0, 1, 2), keepdims=True))
        return (kernel / norm).astype("float32")

    gray, color = bank(1), bank(3)
    luma = np.array([0.299, 0.587, 0.114], "float32")

    def respond(x, kernel):
        margin = size // 2
        x = ops.pad(x, [[0, 0], [margin] * 2, [margin] * 2, [0, 0]], mode="reflect")
        return ops.conv(x, kernel, 1, "valid", "channels_last")

    def content(x):
        edges = ops.sum(x * luma, axis=-1, keepdims=True)
        edges = respond(edges, gray)
        strength = ops.mean(ops.square(edges), axis=-1, keepdims=True)
        strength = ops.average_pool(strength, 9, 1, "same", "channels_last")
        return x, edges * ops.rsqrt(strength + 3e-3)

    def style(x):
        return x, ops.relu(respond(x, color))

    def colors(x):
        smaller = ops.average_pool(x, 2, 2, "valid", "channels_last")
        return smaller, x

    stages = {}
    for scale in range(scales):
        if scale > 0:  # the finest scale belongs to the brush
            stages[f"edges{scale}"] = (content, ("content",))
        stages[f"texture{scale}"] = (style, ("style",))
        stages[f"color{scale}"] = (colors, ("style",))
    return stages
