"""Convolutional recurrent cells: state in, state out, any H and W.

`keras.layers.ConvLSTM2D` pins H and W, keeps its state inside and runs eight small
convolutions a step; these cells run one or two.
"""

import keras
from keras import ops

from vgan.models.layers import ReflectConv2D, fold_time, unfold_time


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
    """

    state_names = ("hidden", "cell")

    def __init__(self, in_filters, filters, **kwargs):
        super().__init__(in_filters, filters, **kwargs)
        self.gates = ReflectConv2D(
            in_filters + filters, 4 * filters, gain=0.5**0.5, name="gates"
        )
        # Forget gates start open, as is usual, so that gradients reach far back.
        bias = [0.0] * filters + [1.0] * filters + [0.0] * 2 * filters
        self.gates.bias.assign(bias)
        self.built = True

    def step(self, x, state):
        """[B, H, W, in_filters] and state -> new state."""
        gates = self.gates(ops.concatenate([x, state["hidden"]], axis=-1))
        write, keep, read, candidate = ops.split(gates, 4, axis=-1)
        cell = ops.sigmoid(keep) * state["cell"]
        cell = cell + ops.sigmoid(write) * ops.tanh(candidate)
        return {"hidden": ops.sigmoid(read) * ops.tanh(cell), "cell": cell}


@keras.saving.register_keras_serializable("vgan")
class ConvGRUCell(_Cell):
    """Convolutional GRU (Ballas et al., 2016).

    Args:
        in_filters: Channels of the input.
        filters: Channels of the hidden state.
    """

    state_names = ("hidden",)

    def __init__(self, in_filters, filters, **kwargs):
        super().__init__(in_filters, filters, **kwargs)
        size = in_filters + filters
        self.gates = ReflectConv2D(size, 2 * filters, gain=0.5**0.5, name="gates")
        self.candidate = ReflectConv2D(size, filters, gain=0.5**0.5, name="candidate")
        self.built = True

    def step(self, x, state):
        """[B, H, W, in_filters] and state -> new state."""
        hidden = state["hidden"]
        gates = ops.sigmoid(self.gates(ops.concatenate([x, hidden], axis=-1)))
        update, reset = ops.split(gates, 2, axis=-1)
        candidate = self.candidate(ops.concatenate([x, reset * hidden], axis=-1))
        return {"hidden": hidden + update * (ops.tanh(candidate) - hidden)}
