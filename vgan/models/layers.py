"""Building blocks of the generator: reflection-padded and style-modulated convolutions.

Layers see frames one by one: time is folded into the batch, [B, T, ...] as
[N = B * T, ...], so that a clip gives what its frames would give one at a time, and no
axis more than convolutions take stands in the way of the engines that run exports.
"""

import typing
from collections.abc import Sequence

import keras
import numpy as np
from keras import KerasTensor, ops

from vgan import DEEPEST, LARGEST


def check_sizes(**arguments: int | Sequence[int]) -> None:
    """Raise ValueError, naming the argument, for what no network can be made with.

    A size is a whole number from 1 to `LARGEST`; a sequence has at most `DEEPEST`.

    Args:
        **arguments: Sizes, or sequences of sizes.
    """
    for name, value in arguments.items():
        sizes = value if isinstance(value, list | tuple) else [value]
        if not sizes or any(type(size) is not int or size < 1 for size in sizes):
            raise ValueError(f"{name} takes whole numbers of at least 1, got {value!r}")
        if max(sizes) > LARGEST or len(sizes) > DEEPEST:
            raise ValueError(
                f"{name} takes at most {DEEPEST} sizes up to {LARGEST}, "
                f"got {value!r:.50}"
            )


def fold_time(x: KerasTensor) -> KerasTensor:
    """[B, T, ...] -> [B * T, ...]."""
    shape = ops.shape(x)
    return ops.reshape(x, (shape[0] * shape[1], *shape[2:]))


def unfold_time(x: KerasTensor, num_frames: int) -> KerasTensor:
    """[B * T, ...] -> [B, T, ...]."""
    shape = ops.shape(x)
    return ops.reshape(x, (shape[0] // num_frames, num_frames, *shape[1:]))


def running_average(
    values: KerasTensor, average: KerasTensor, ages: list[KerasTensor], momentum: float
) -> tuple[KerasTensor, KerasTensor]:
    """Average values over the frames so far; the first counts in full.

    Args:
        values: Of each frame, [B * T, C].
        average: Over the frames before, [B, C].
        ages: How many frames there are with each, T of [B, 1].
        momentum: Weight of the past, once there is enough of it.

    Returns:
        The averages at each frame [B * T, C], and the last one [B, C].
    """
    values, averages = unfold_time(values, len(ages)), []
    for t, age in enumerate(ages):
        rate = ops.maximum(1.0 / age, 1.0 - momentum)
        average = average + rate * (values[:, t] - average)
        averages.append(average)
    return fold_time(ops.stack(averages, axis=1)), average


def _broadcast(x):
    """[N, C], the same for all pixels -> [N, 1, 1, C]."""
    return x[:, None, None, :]


def enlarge(x: KerasTensor) -> KerasTensor:
    """Double H and W by bilinear interpolation.

    Each of the four pixels of a patch is a weighted mean of the nearest 2 x 2; as a
    depthwise convolution and `depth_to_space`, since `keras.ops.image.resize` does not
    export with sizes that vary. Repeated pixels would show as blocks.

    Args:
        x: [N, H, W, C].

    Returns:
        [N, 2 H, 2 W, C].
    """
    near = ((0.25, 0.75, 0.0), (0.0, 0.75, 0.25))  # of the left pixel, of the right
    kernel = np.einsum("iy,jx->yxij", near, near).reshape(3, 3, 4)
    kernel = kernel.repeat(x.shape[-1], axis=-1)[..., None]
    x = ops.concatenate([x] * 4, axis=-1)
    x = ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="symmetric")
    kernel = ops.cast(ops.array(kernel), x.dtype)
    x = ops.depthwise_conv(x, kernel, 1, "valid", "channels_last")
    return ops.depth_to_space(x, 2)


def local_contrast(x: KerasTensor, radius: int = 3, floor: float = 0.05) -> KerasTensor:
    """Deviation from the surroundings, in units of how much these vary.

    (x - mean) / sqrt(variance + floor^2) over a window around each pixel (Jarrett et
    al., 2009): faint texture comes out as strong as an edge, flat areas stay 0.

    Args:
        x: [N, H, W, C], H and W over `radius`.
        radius: The window has 2 radius + 1 pixels a side.
        floor: Spread below which a surface counts as flat, in units of x.
    """
    window = 2 * radius + 1

    def blur(x):
        x = ops.pad(x, [[0, 0], [radius] * 2, [radius] * 2, [0, 0]], mode="reflect")
        x = ops.average_pool(x, (window, 1), 1, "valid", "channels_last")
        return ops.average_pool(x, (1, window), 1, "valid", "channels_last")

    deviation = x - blur(x)
    return deviation * ops.rsqrt(blur(ops.square(deviation)) + floor**2)


def rms_normalize(x: KerasTensor) -> KerasTensor:
    """Scale each vector of [B, D] to a root mean square of 1."""
    return x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + 1e-6)


@keras.saving.register_keras_serializable("vgan")
class ReflectConv2D(keras.layers.Layer):
    """Convolution with reflection padding, any H and W.

    Zero padding draws bright borders that a style loss then exploits.

    Args:
        in_filters: Channels of the input.
        filters: Channels of the output.
        kernel_size: Odd size of the square kernel.
        strides: Step of the kernel.
        gain: Factor on the He-normal initial weights.
        use_bias: Whether to add a bias.
        upsample: Whether to double H and W of the result; see `enlarge`. Different
            channels per sub-pixel would leave a fixed grid in flat areas.
        separable: Whether each channel has a kernel of its own, and 1 x 1 convolutions
            mix them (Howard et al., 2017): for 40 channels a seventh of the work.
    """

    def __init__(
        self,
        in_filters: int,
        filters: int,
        kernel_size: int = 3,
        strides: int = 1,
        gain: float = 1.0,
        use_bias: bool = True,
        upsample: bool = False,
        separable: bool = False,
        **kwargs: typing.Any,
    ) -> None:
        super().__init__(**kwargs)
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {kernel_size}")
        self.in_filters = in_filters
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.gain = gain
        self.use_bias = use_bias
        self.upsample = upsample
        self.separable = separable
        sides = kernel_size, kernel_size
        self.depthwise_kernel = None
        if separable:
            scale = 1.0 / in_filters  # the initializer counts all channels
            self.depthwise_kernel = self.add_weight(
                shape=(*sides, in_filters, 1),
                initializer=keras.initializers.VarianceScaling(scale),
                name="depthwise_kernel",
            )
            sides = 1, 1
        self.kernel = self.add_weight(
            shape=(*sides, in_filters, filters),
            initializer=keras.initializers.VarianceScaling(2.0 * gain**2),
            name="kernel",
        )
        self.bias = (
            self.add_weight(shape=(filters,), initializer="zeros", name="bias")
            if use_bias
            else None
        )
        self.built = True

    def call(self, x: KerasTensor) -> KerasTensor:
        """[N, H, W, in_filters] -> [N, H / strides, W / strides, filters].

        With `upsample`, twice that height and width.
        """
        margin = self.kernel_size // 2
        if margin:
            pads = [[0, 0], [margin, margin], [margin, margin], [0, 0]]
            x = ops.pad(x, pads, mode="reflect")
        if self.separable:
            x = ops.depthwise_conv(
                x, self.depthwise_kernel, self.strides, "valid", "channels_last"
            )
        strides = 1 if self.separable else self.strides
        x = ops.conv(x, self.kernel, strides, "valid", "channels_last")
        x = x if self.bias is None else x + self.bias
        return enlarge(x) if self.upsample else x

    def get_config(self) -> dict[str, typing.Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "in_filters": self.in_filters,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "gain": self.gain,
            "use_bias": self.use_bias,
            "upsample": self.upsample,
            "separable": self.separable,
        }


@keras.saving.register_keras_serializable("vgan")
class StyledConv2D(keras.layers.Layer):
    """Convolution whose output statistics the style code sets.

    `modulation="weight"`: the code scales the kernel per input channel, the result is
    divided by the norm of the scaled kernel, and the code adds a bias (Karras et al.,
    StyleGAN2, 2020; the bias by the code is ours, it carries color). Scaling the
    input and the output is the same and needs no kernel per sample. Nothing depends
    on the frame's own statistics, so nothing can flicker with them.

    `modulation="adain"`: channels are normalized and get the code's scale and bias
    (Huang and Belongie, 2017). Statistics of single frames flicker: here they are
    running averages over the frames seen so far, carried in the state.

    Args:
        in_filters: Channels of the input.
        filters: Channels of the output.
        code_size: D of the style code.
        modulation: "weight" or "adain".
        momentum: Weight of the past in the running statistics of "adain".
    """

    def __init__(
        self,
        in_filters: int,
        filters: int,
        code_size: int,
        modulation: str = "weight",
        momentum: float = 0.9,
        **kwargs: typing.Any,
    ) -> None:
        super().__init__(**kwargs)
        if modulation not in ("weight", "adain"):
            raise ValueError(f"modulation must be weight or adain, got {modulation!r}")
        self.in_filters = in_filters
        self.filters = filters
        self.code_size = code_size
        self.modulation = modulation
        self.momentum = momentum
        self.conv = ReflectConv2D(in_filters, filters, use_bias=False, name="conv")
        self.scale = keras.layers.Dense(
            in_filters if modulation == "weight" else filters,
            kernel_initializer=keras.initializers.RandomNormal(0.5 * code_size**-0.5),
            bias_initializer="ones",
            name="scale",
        )
        self.shift = keras.layers.Dense(
            filters,
            kernel_initializer=keras.initializers.RandomNormal(0.5 * code_size**-0.5),
            name="shift",
        )
        self.scale.build((None, code_size))
        self.shift.build((None, code_size))
        self.built = True

    def initial_state(self, batch_size: int) -> dict[str, KerasTensor]:
        """State before the first frame: {} or {"mean", "variance", "age"}."""
        if self.modulation == "weight":
            return {}
        return {
            "mean": ops.zeros((batch_size, self.filters)),
            "variance": ops.zeros((batch_size, self.filters)),
            "age": ops.zeros((batch_size, 1)),
        }

    def call(
        self,
        x: KerasTensor,
        code: KerasTensor,
        state: dict[str, KerasTensor],
        num_frames: int,
    ) -> tuple[KerasTensor, dict[str, KerasTensor]]:
        """Convolve each frame under the style.

        Args:
            x: Frames' features [N, H, W, in_filters].
            code: Style code of each frame [N, code_size].
            state: As `initial_state` or the last call gave it.
            num_frames: T of N = B * T.

        Returns:
            Features [N, H, W, filters] and the new state.
        """
        scale, shift = self.scale(code), self.shift(code)
        if self.modulation == "weight":
            x = self.conv(x * _broadcast(scale))
            power = ops.sum(ops.square(self.conv.kernel), axis=(0, 1))
            norm = ops.rsqrt(ops.matmul(ops.square(scale), power) + 1e-6) * 2**0.5
            return x * _broadcast(norm) + _broadcast(shift), state
        x = self.conv(x)
        mean, variance, state = self._running_statistics(x, state, num_frames)
        x = (x - mean) * ops.rsqrt(variance + 1e-4)
        return x * _broadcast(scale) + _broadcast(shift), state

    def _running_statistics(self, x, state, num_frames):
        """Average the statistics of the frames so far; the first counts in full."""
        ages = [state["age"] + 1.0 + t for t in range(num_frames)]
        new, averages = {"age": ages[-1]}, []
        for name, function in (("mean", ops.mean), ("variance", ops.var)):
            values = function(x, axis=(1, 2))
            average, new[name] = running_average(
                values, state[name], ages, self.momentum
            )
            averages.append(_broadcast(average))
        return *averages, new

    def get_config(self) -> dict[str, typing.Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "in_filters": self.in_filters,
            "filters": self.filters,
            "code_size": self.code_size,
            "modulation": self.modulation,
            "momentum": self.momentum,
        }
