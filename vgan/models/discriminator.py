"""The spatio-temporal discriminator."""

import typing
from collections.abc import Sequence

import keras
from keras import KerasTensor, ops

from vgan.models.layers import check_sizes


@keras.saving.register_keras_serializable("vgan")
class Discriminator(keras.Model):
    """Judges clips by 3-D convolutions over space and time.

    Frames [B, T, H, W, 3] in [-1, 1] and a style code [B, D] give patch logits
    [B, T, h, w, 1], without a sigmoid: how real the clip looks there, and how well it
    fits the style (projection, Miyato and Koyama, 2018). With `pair=True` it judges
    a clip beside a reference one, D(X_gen, X_real).

    Args:
        filters: Channels of the stages; each halves H and W, none T.
        temporal_size: Frames that each convolution spans, odd; 1 judges frames one by
            one.
        code_size: D of the style code.
        pair: Whether a reference clip comes with the judged one.
    """

    def __init__(
        self,
        filters: Sequence[int] = (32, 64, 128),
        temporal_size: int = 3,
        code_size: int = 64,
        pair: bool = False,
        **kwargs: typing.Any,
    ) -> None:
        super().__init__(**kwargs)
        check_sizes(filters=filters, temporal_size=temporal_size, code_size=code_size)
        if temporal_size % 2 == 0:
            raise ValueError(f"temporal_size must be odd, got {temporal_size}")
        self.filters = tuple(filters)
        self.temporal_size = temporal_size
        self.code_size = code_size
        self.pair = pair
        self.stages = []
        channels = 6 if pair else 3
        for i, size in enumerate(self.filters):
            stage = keras.layers.Conv3D(
                size,
                (temporal_size, 4, 4),
                strides=(1, 2, 2),
                padding="same",
                kernel_initializer="he_normal",
                name=f"stage{i}",
            )
            stage.build((None, None, None, None, channels))
            self.stages.append(stage)
            channels = size
        self.head = keras.layers.Conv3D(
            1, (temporal_size, 3, 3), padding="same", name="head"
        )
        self.head.build((None, None, None, None, channels))
        self.project = keras.layers.Dense(channels, use_bias=False, name="project")
        self.project.build((None, code_size))
        self.built = True

    def call(
        self,
        frames: KerasTensor,
        style_code: KerasTensor,
        reference: KerasTensor | None = None,
    ) -> KerasTensor:
        """Return patch logits [B, T, h, w, 1], float32.

        Args:
            frames: The judged clip [B, T, H, W, 3] in [-1, 1].
            style_code: [B, D].
            reference: With `pair`, the real clip beside it, of the same shape.
        """
        if (reference is not None) != self.pair:
            raise ValueError(
                f"a reference clip goes with pair=True, and pair is {self.pair}"
            )
        x = ops.concatenate([frames, reference], axis=-1) if self.pair else frames
        for stage in self.stages:
            x = ops.leaky_relu(stage(x), 0.2)
        weights = self.project(style_code)[:, None, None, None, :]
        match = ops.mean(x * weights, axis=-1, keepdims=True)
        return ops.cast(self.head(x) + match, "float32")

    def get_config(self) -> dict[str, typing.Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "temporal_size": self.temporal_size,
            "code_size": self.code_size,
            "pair": self.pair,
        }
