"""The networks that measure: pictures in, named features out, as NumPy arrays.

A measure that the model was trained against flatters it: which network gave which layer
is therefore kept, to be written beside the figures.
"""

import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from vgan import InputError
from vgan.losses.features import FeatureNetwork
from vgan.video.resizing import resize

SHORT_SIDE = 256
FRAMES_AT_ONCE = 4  # 120 MB of VGG features at 256 x 256

VGG_STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
VGG_CONTENT = ("relu3_1", "relu4_1")


class MeasuringFeatures:
    """Features of pictures, each layer from the first network that has it.

    Where there are VGG layers, style is read from relu1_1, relu2_1, relu3_1, relu4_1
    and relu5_1 (Gatys et al., 2016) and content from relu3_1 and relu4_1, as far as
    they exist; otherwise from the network's own style and content layers.

    Args:
        networks: What `vgan.losses.features.FeatureNetwork` takes ("random", "vgg19" or
            paths of .npz files), or such networks; the most trusted first.
        argument: What the user calls `networks`, for messages.
        short_side: Pixels that pictures are scaled to before they are measured: by
            default 256, whatever their own size, so that figures of runs and models of
            different sizes compare.

    Attributes:
        sources: {layer: name of its network}, shallow first.
        content_layers: Names of the layers that content is read from.
        style_layers: Names of the layers that style is read from.

    Raises:
        InputError: There is no network, one cannot be read, or one adds no layer.

    Example:
        features = MeasuringFeatures(
            ["vgg19_keras_block1-3.npz", "vgg19_cd16x_5SE.npz"]
        )
        features(frames)["relu4_1"]    # of the second file: the first has three blocks
    """

    def __init__(
        self,
        networks: Sequence[str | pathlib.Path | FeatureNetwork] = ("random",),
        argument: str = "features",
        short_side: int = SHORT_SIDE,
    ) -> None:
        self.short_side = short_side
        if not networks:
            raise InputError(
                f"{argument}: no network; give random, vgg19 or paths of .npz files"
            )
        opened = [
            each if isinstance(each, FeatureNetwork) else FeatureNetwork(each, argument)
            for each in networks
        ]
        roles = {}
        for network in opened:
            roles = network.roles | roles
        self.content_layers, self.style_layers = _layers_to_read(roles)
        if not self.content_layers:
            raise InputError(
                f"{argument}: {opened[-1].name} ends before the layer that content is "
                "read from, conv3_1; give a deeper network, too"
            )
        wanted = {*self.content_layers, *self.style_layers}

        self.sources = {}
        self._networks = []
        for network in opened:
            name = network.name
            added = [
                layer
                for layer in network.roles
                if layer in wanted and layer not in self.sources
            ]
            if not added:
                raise InputError(
                    f"{argument}: {name} adds no layer to {', '.join(self.sources)}; "
                    "leave it out, or name it first"
                )
            self.sources |= dict.fromkeys(added, pathlib.Path(name).name)
            self._networks.append((network, added))

    def __call__(
        self, frames: np.ndarray, scaled: bool = True
    ) -> dict[str, np.ndarray]:
        """Measure all frames; they are held at once, 30 MB each of VGG at 256 x 256.

        Args:
            frames: uint8 RGB [N, H, W, 3].
            scaled: Whether to bring them to `short_side` first.

        Returns:
            {layer: float32 [N, h, w, C]}.
        """
        batches = list(self.batches(frames, scaled))
        return {name: np.concatenate([b[name] for b in batches]) for name in batches[0]}

    def batches(
        self, frames: np.ndarray, scaled: bool = True
    ) -> Iterator[dict[str, np.ndarray]]:
        """Yield the same a few frames at a time, in order, for any number of frames."""
        if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
            raise ValueError(
                f"expected uint8 [N, H, W, 3], got {frames.dtype} {list(frames.shape)}"
            )
        if not len(frames):
            raise ValueError("expected at least one frame")
        for start in range(0, len(frames), FRAMES_AT_ONCE):
            few = frames[start : start + FRAMES_AT_ONCE]
            if scaled:
                few = scale_to(few, self.short_side)
            clip = few[None] * np.float32(1 / 127.5) - np.float32(1)
            found = {}
            for network, layers in self._networks:
                seen = network.layers(clip, last=layers[-1])
                found |= {name: np.asarray(seen[name])[0] for name in layers}
            yield found


def scale_to(frames: np.ndarray, short_side: int) -> np.ndarray:
    """Frames [N, H, W, 3] -> the same with a short side of so many pixels.

    Shrinking averages areas, so that fine strokes do not alias; growing is cubic.
    """
    height, width = frames.shape[1:3]
    factor = short_side / min(height, width)
    if factor == 1:
        return frames
    size = round(height * factor), round(width * factor)
    return np.stack([resize(frame, *size) for frame in frames])


def _layers_to_read(roles):
    """{layer: roles} -> names of the content and of the style layers."""
    content, style = (
        [name for name in layers if name in roles]
        for layers in (VGG_CONTENT, VGG_STYLE)
    )
    if not style:
        content, style = (
            [name for name, uses in roles.items() if role in uses]
            for role in ("content", "style")
        )
    return content, style
