"""What remembers: state in, state out, any H and W.

`keras.layers.ConvLSTM2D` pins H and W, keeps its state inside and runs eight small
convolutions a step; the cells here run one or two. `RecursiveFilter` remembers the
picture itself.
"""

import typing

import keras
import numpy as np
from keras import KerasTensor, ops

from vgan.models.layers import ReflectConv2D, fold_time, unfold_time

REACH = 1  # pixels that a RecursiveFilter looks for the past, each way
PLACES = (2 * REACH + 1) ** 2
HALF = 0.1  # difference of two pixels, of 2, that counts half
STILL, STEEP = 2.5, 6.0  # logit of the past's weight, and how it falls with change


class _Cell(keras.layers.Layer):
    """What both cells share: sizes and the loop over time."""

    state_names = ()

    def __init__(self, in_filters, filters, **kwargs):
        super().__init__(**kwargs)
        self.in_filters = in_filters
        self.filters = filters

    def initial_state(self, batch_size, height, width):
        """Zero state, each [batch_size, height, width, filters]."""
        shape = (batch_size, height, width, self.filters)
        return {name: ops.zeros(shape) for name in self.state_names}

    def call(self, x, state, num_frames):
        """Run over the frames.

        Args:
            x: Features [B * T, H, W, in_filters].
            state: Dict of [B, H, W, filters].
            num_frames: T; the loop is unrolled.

        Returns:
            Hidden features [B * T, H, W, filters] and the new state.
        """
        if num_frames == 1:
            state = self.step(x, state)
            return state["hidden"], state
        x, outputs = unfold_time(x, num_frames), []
        for t in range(num_frames):
            state = self.step(x[:, t], state)
            outputs.append(state["hidden"])
        return fold_time(ops.stack(outputs, axis=1)), state

    def get_config(self):
        """Constructor arguments."""
        return {
            **super().get_config(),
            "in_filters": self.in_filters,
            "filters": self.filters,
        }


@keras.saving.register_keras_serializable("vgan")
class ConvLSTMCell(_Cell):
    """Convolutional LSTM (Shi et al., 2015), without peepholes.

    Args:
        in_filters: Channels of the input.
        filters: Channels of the hidden and the cell state.
        separable: As of ReflectConv2D (bottleneck LSTM: Liu & Zhu, 2018).
    """

    state_names = ("hidden", "cell")

    def __init__(
        self,
        in_filters: int,
        filters: int,
        separable: bool = False,
        **kwargs: typing.Any,
    ) -> None:
        super().__init__(in_filters, filters, **kwargs)
        self.separable = separable
        self.gates = ReflectConv2D(
            *(in_filters + filters, 4 * filters),
            gain=0.5**0.5,
            separable=separable,
            name="gates",
        )
        # Forget gates start open, as is usual, so that gradients reach far back.
        bias = [0.0] * filters + [1.0] * filters + [0.0] * 2 * filters
        self.gates.bias.assign(bias)
        self.built = True

    def step(
        self, x: KerasTensor, state: dict[str, KerasTensor]
    ) -> dict[str, KerasTensor]:
        """[B, H, W, in_filters] and state -> new state."""
        gates = self.gates(ops.concatenate([x, state["hidden"]], axis=-1))
        write, keep, read, candidate = ops.split(gates, 4, axis=-1)
        cell = ops.sigmoid(keep) * state["cell"]
        cell = cell + ops.sigmoid(write) * ops.tanh(candidate)
        return {"hidden": ops.sigmoid(read) * ops.tanh(cell), "cell": cell}

    def get_config(self) -> dict[str, typing.Any]:
        """Constructor arguments."""
        return {**super().get_config(), "separable": self.separable}


@keras.saving.register_keras_serializable("vgan")
class ConvGRUCell(_Cell):
    """Convolutional GRU (Ballas et al., 2016).

    Args:
        in_filters: Channels of the input.
        filters: Channels of the hidden state.
    """

    state_names = ("hidden",)

    def __init__(self, in_filters: int, filters: int, **kwargs: typing.Any) -> None:
        super().__init__(in_filters, filters, **kwargs)
        size = in_filters + filters
        self.gates = ReflectConv2D(size, 2 * filters, gain=0.5**0.5, name="gates")
        self.candidate = ReflectConv2D(size, filters, gain=0.5**0.5, name="candidate")
        self.built = True

    def step(
        self, x: KerasTensor, state: dict[str, KerasTensor]
    ) -> dict[str, KerasTensor]:
        """[B, H, W, in_filters] and state -> new state."""
        hidden = state["hidden"]
        gates = ops.sigmoid(self.gates(ops.concatenate([x, hidden], axis=-1)))
        update, reset = ops.split(gates, 2, axis=-1)
        candidate = self.candidate(ops.concatenate([x, reset * hidden], axis=-1))
        return {"hidden": hidden + update * (ops.tanh(candidate) - hidden)}


@keras.saving.register_keras_serializable("vgan")
class RecursiveFilter(keras.layers.Layer):
    """Averages a picture with its own past, where that is found again.

    Each pixel becomes a weighted mean of itself and of 3 x 3 pixels of the last
    filtered picture. Two convolutions predict the weights (kernel prediction: Jia et
    al., Dynamic Filter Networks, 2016; Bako et al., 2017) from how much the content's
    luma, and the picture, differ at each of the nine places: what stands still or
    moves slowly keeps its strokes, whatever the noise, and what is new is painted anew.
    As a mean, it has no way to drift: a picture that stays is what it converges to.
    The result stays within the colors that the new picture has around, or fast things
    would drag copies of their outlines (neighborhood clamping: Karis, High-Quality
    Temporal Supersampling, 2014).

    Args:
        stride: Pixels of the picture to one of the state, a side: the state is packed,
            so that all states of a network have one height and width.
        filters: Channels between the two convolutions.
    """

    def __init__(self, stride: int, filters: int = 16, **kwargs: typing.Any) -> None:
        super().__init__(**kwargs)
        self.stride = stride
        self.filters = filters
        self.compare = ReflectConv2D(4 * PLACES, filters, name="compare")
        self.choose = ReflectConv2D(filters, 1 + PLACES, gain=0.5, name="choose")
        # The picture itself first, then the same place: no smear to begin with.
        bias = [2.0] + [-2.0] * PLACES
        bias[1 + PLACES // 2] = 1.5
        self.choose.bias.assign(bias)
        self.built = True

    def initial_state(
        self, batch_size: int, height: int, width: int
    ) -> dict[str, KerasTensor]:
        """No past, for a state of this height and width: {"past"}."""
        channels = 5 * self.stride**2
        return {"past": ops.zeros((batch_size, height, width, channels))}

    def call(
        self,
        picture: KerasTensor,
        luma: KerasTensor,
        state: dict[str, KerasTensor],
        num_frames: int,
    ) -> tuple[KerasTensor, dict[str, KerasTensor]]:
        """Filter each frame.

        Args:
            picture: Frames [B * T, H, W, 3].
            luma: Luma of the content, of the same places, [B * T, H, W, 1].
            state: As `initial_state` or the last call gave it.
            num_frames: T; the loop is unrolled.

        Returns:
            Frames [B * T, H, W, 3] and the new state.
        """
        past = ops.depth_to_space(state["past"], self.stride)
        if num_frames == 1:
            past = self._step(picture, luma, past)
            filtered = past[..., :3]
        else:
            pictures, lumas = (unfold_time(x, num_frames) for x in (picture, luma))
            results = []
            for t in range(num_frames):
                past = self._step(pictures[:, t], lumas[:, t], past)
                results.append(past[..., :3])
            filtered = fold_time(ops.stack(results, axis=1))
        return filtered, {"past": ops.space_to_depth(past, self.stride)}

    def _step(self, picture, luma, past):
        """One frame and the past [B, H, W, 5]: a picture, its luma, whether it is."""
        now = ops.concatenate([picture, luma], axis=-1)
        pair = ops.concatenate([now, past[..., :4]], axis=-1)
        margin = [REACH, REACH]
        pair = ops.pad(pair, [[0, 0], margin, margin, [0, 0]], mode="reflect")
        # Slices say the same, and take engines twice as long as convolutions.
        change = _convolve(pair, _CHANGES)
        cost = ops.abs(change)
        seen = ops.leaky_relu(self.compare(cost / (cost + HALF)), 0.2)
        weights = ops.softmax(self.choose(seen), axis=-1) * past[..., 4:5]
        result = picture + _convolve(_convolve(weights, _WEIGHTS) * change, _SUMS)
        near = pair[..., :3]
        result = ops.minimum(result, _highest(near))
        result = ops.maximum(result, -_highest(-near))
        return ops.concatenate([result, luma, ops.ones_like(luma)], axis=-1)

    def get_config(self) -> dict[str, typing.Any]:
        """Constructor arguments."""
        return {**super().get_config(), "stride": self.stride, "filters": self.filters}


@keras.saving.register_keras_serializable("vgan")
class MotionAdaptiveFilter(keras.layers.Layer):
    """Averages patches of a picture with their own past, where nothing moves.

    What boils on a still wall under a camera's noise settles; what moves, or changes
    its brightness, is painted anew. Two convolutions choose the weight of the past,
    place by place, from how much picture and content differ from it; the result stays
    within the values that the new picture has around (neighborhood clamping: Karis,
    High-Quality Temporal Supersampling, 2014). `RecursiveFilter` also looks for what
    has moved, at some twenty times the work.

    Args:
        channels: Of the picture, whose patches are folded into channels.
        stride: Patches of the picture to one of the state, a side: the state is packed,
            so that all states of a network have one height and width.
        filters: Channels between the two convolutions.
    """

    def __init__(
        self, channels: int, stride: int, filters: int = 8, **kwargs: typing.Any
    ) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.stride = stride
        self.filters = filters
        policy = {"dtype": self.dtype_policy}
        self.compare = ReflectConv2D(channels, filters, name="compare", **policy)
        self.compare_light = ReflectConv2D(
            1, filters, use_bias=False, name="compare_light", **policy
        )
        self.choose = ReflectConv2D(filters, 1, name="choose", **policy)
        # It works before it learns: the more changes around a place, the less past.
        for conv, sum_of_kernel in (
            (self.compare, 1.0),
            (self.compare_light, 1.0),
            (self.choose, -STEEP),
        ):
            size = np.prod(conv.kernel.shape[:3])
            conv.kernel.assign(0.05 * conv.kernel + sum_of_kernel / size)
        self.choose.bias.assign([STILL])
        self.built = True

    def initial_state(
        self, batch_size: int, height: int, width: int
    ) -> dict[str, KerasTensor]:
        """No past, for a state of this height and width: {"past", "past_light"}."""
        shape, patches = (batch_size, height, width), self.stride**2
        return {
            "past": ops.zeros((*shape, self.channels * patches)),
            "past_light": ops.zeros((*shape, patches)),
        }

    def call(
        self,
        picture: KerasTensor,
        brightness: KerasTensor,
        state: dict[str, KerasTensor],
        ages: list[KerasTensor],
    ) -> tuple[KerasTensor, dict[str, KerasTensor]]:
        """Filter each frame.

        Args:
            picture: Frames [B * T, h, w, channels].
            brightness: Brightness of the content, of the same places, [B * T, h, w, 1].
            state: As `initial_state` or the last call gave it.
            ages: How many frames each frame has before it, T of [B, 1]; what has none
                is left as it is.

        Returns:
            Frames [B * T, h, w, channels] and the new state.
        """
        # The memory alone has the state's height and width: its numbers stay in their
        # order, as to sort them into places would take longer than the convolutions.
        num_clips = ops.shape(picture)[0] // len(ages)
        past, before = (
            ops.reshape(state[name], (num_clips, *ops.shape(x)[1:]))
            for name, x in (("past", picture), ("past_light", brightness))
        )
        if len(ages) == 1:
            past, before = (
                self._step(picture, brightness, past, before, ages[0]),
                brightness,
            )
            filtered = past
        else:
            pictures, levels = (
                unfold_time(x, len(ages)) for x in (picture, brightness)
            )
            results = []
            for t, age in enumerate(ages):
                past = self._step(pictures[:, t], levels[:, t], past, before, age)
                before = levels[:, t]
                results.append(past)
            filtered = fold_time(ops.stack(results, axis=1))
        return filtered, {
            "past": ops.reshape(past, ops.shape(state["past"])),
            "past_light": ops.reshape(before, ops.shape(state["past_light"])),
        }

    def _step(self, picture, brightness, past, before, age):
        change = past - picture
        found = self.compare(_bounded(change)) + self.compare_light(
            _bounded(before - brightness)
        )
        weight = ops.sigmoid(self.choose(ops.leaky_relu(found, 0.2)))
        weight = weight * ops.cast(age > 0, picture.dtype)[:, :, None, None]
        near = ops.pad(picture, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="reflect")
        result = picture + weight * change
        return ops.maximum(ops.minimum(result, _highest(near)), -_highest(-near))

    def get_config(self) -> dict[str, typing.Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "channels": self.channels,
            "stride": self.stride,
            "filters": self.filters,
        }


def _bounded(change):
    """How much differs, from 0 to 1."""
    cost = ops.abs(change)
    return cost / (cost + HALF)


def _highest(x):
    """Of all places around; [B, H + 2 REACH, W + 2 REACH, 3] -> [B, H, W, 3]."""
    return ops.max_pool(x, 2 * REACH + 1, 1, "valid", "channels_last")


def _convolve(x, kernel):
    return ops.conv(x, ops.cast(kernel, x.dtype), 1, "valid", "channels_last")


def _kernels():
    """How the past differs at each place, weights by color, and sums by color.

    [h, w, 8, 4 PLACES] of (picture, luma, past picture, past luma), which gives
    differences of the pictures, place by place, then of luma;
    [1, 1, 1 + PLACES, 4 PLACES] and [1, 1, 4 PLACES, 3], where luma weighs nothing.
    """
    side = 2 * REACH + 1
    changes = np.zeros((side, side, 8, 4 * PLACES), np.float32)
    weights = np.zeros((1, 1, 1 + PLACES, 4 * PLACES), np.float32)
    sums = np.zeros((1, 1, 4 * PLACES, 3), np.float32)
    for place in range(PLACES):
        for channel in range(4):
            out = 3 * place + channel if channel < 3 else 3 * PLACES + place
            changes[place // side, place % side, 4 + channel, out] = 1
            changes[REACH, REACH, channel, out] -= 1
        weights[0, 0, 1 + place, 3 * place : 3 * place + 3] = 1
        sums[0, 0, 3 * place : 3 * place + 3] = np.eye(3)
    return changes, weights, sums


_CHANGES, _WEIGHTS, _SUMS = _kernels()
