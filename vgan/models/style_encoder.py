"""Where a style code comes from: a picture or clip, or noise."""

import itertools
import typing
from collections.abc import Sequence

import keras
import numpy as np
from keras import KerasTensor, ops

from vgan.models.layers import ReflectConv2D, fold_time, rms_normalize, unfold_time


@keras.saving.register_keras_serializable("vgan")
class StyleEncoder(keras.layers.Layer):
    """Style image or clip [B, T', h, w, 3] in [-1, 1] -> style code [B, D].

    A stack of strided convolutions; means and standard deviations of every stage over
    space (what a style is, after Huang and Belongie, 2017), averaged over the frames,
    are projected to the code. The code has a root mean square of 1.

    Args:
        code_size: D.
        filters: Channels of the stages; each halves h and w.
    """

    def __init__(
        self,
        code_size: int = 64,
        filters: Sequence[int] = (16, 32, 64, 64),
        **kwargs: typing.Any,
    ) -> None:
        super().__init__(**kwargs)
        self.code_size = code_size
        self.filters = tuple(filters)
        sizes = (3, *self.filters)
        self.stages = [
            ReflectConv2D(a, b, strides=2, name=f"stage{i}")
            for i, (a, b) in enumerate(itertools.pairwise(sizes))
        ]
        self.project = keras.layers.Dense(code_size, name="project")
        self.project.build((None, 2 * sum(sizes)))
        self.built = True

    def call(self, style: KerasTensor) -> KerasTensor:
        """[B, T', h, w, 3] -> [B, D]; h and w divide by 2 ** stages."""
        num_frames = ops.shape(style)[1]
        x = fold_time(style)
        statistics = _mean_and_std(x)
        for stage in self.stages:
            x = ops.leaky_relu(stage(x), 0.2)
            statistics += _mean_and_std(x)
        statistics = ops.concatenate(statistics, axis=-1)
        statistics = ops.mean(unfold_time(statistics, num_frames), axis=1)
        return rms_normalize(self.project(statistics))

    def get_config(self) -> dict[str, typing.Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "code_size": self.code_size,
            "filters": self.filters,
        }


def _mean_and_std(x):
    std = ops.sqrt(ops.var(x, axis=(1, 2)) + 1e-5)
    return [ops.mean(x, axis=(1, 2)), std]


@keras.saving.register_keras_serializable("vgan")
class PretrainedStyleEncoder(keras.layers.Layer):
    """Style image or clip [B, T', h, w, 3] in [-1, 1] -> style latent [B, L].

    The convolutions of a VGG-19, or of one with fewer channels, up to conv5_1
    (Simonyan and Zisserman, 2015); means and standard deviations of nine of its layers
    over space, averaged over the frames; their logarithms, which are comparable from
    one layer to the next, go through a perceptron. The convolutions are not trained
    here: `load_vgg` gives them weights.

    Args:
        latent_size: L.
        filters: Channels of the five blocks.
        hidden_size: Channels of the perceptron's hidden layer.
    """

    depths = (2, 2, 4, 4, 1)  # convolutions of each block
    read = ("1_1", "1_2", "2_1", "2_2", "3_1", "3_3", "4_1", "4_3", "5_1")

    def __init__(
        self,
        latent_size: int = 100,
        filters: Sequence[int] = (16, 32, 64, 128, 128),
        hidden_size: int = 512,
        **kwargs: typing.Any,
    ) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        if len(filters) != len(self.depths):
            raise ValueError(
                f"style_filters takes {len(self.depths)} numbers, got {filters}"
            )
        self.latent_size = latent_size
        self.filters = tuple(filters)
        self.hidden_size = hidden_size
        self.to_bgr = ReflectConv2D(3, 3, 1, dtype="float32", name="preprocess")
        self.convolutions, size = {}, 3  # "1_1" is the first of the first block
        for block, (depth, channels) in enumerate(
            zip(self.depths, filters, strict=True), start=1
        ):
            for index in range(1, depth + 1):
                name = f"{block}_{index}"
                self.convolutions[name] = ReflectConv2D(
                    size, channels, dtype="float32", name=f"conv{name}"
                )
                size = channels
        for layer in (self.to_bgr, *self.convolutions.values()):
            layer.trainable = False
        size = 2 * sum(self.convolutions[name].filters for name in self.read)
        # What the statistics of pictures are like: they are brought to 0 and 1.
        self.center = self.add_weight((size,), "zeros", name="center", trainable=False)
        self.spread = self.add_weight((size,), "ones", name="spread", trainable=False)
        self.hidden = keras.layers.Dense(
            hidden_size,
            kernel_initializer="he_normal",
            dtype="float32",
            name="hidden",
        )
        self.project = keras.layers.Dense(latent_size, dtype="float32", name="project")
        self.hidden.build((None, size))
        self.project.build((None, hidden_size))
        self.built = True

    def load_vgg(self, weights: dict[str, np.ndarray]) -> None:
        """Take the weights of a VGG.

        Args:
            weights: {"conv1_1/kernel": HWIO, "conv1_1/bias", ..., "conv5_1/bias", and
                "preprocess/kernel", "preprocess/bias", from RGB in [0, 1]}.
        """
        layers = {f"conv{name}": layer for name, layer in self.convolutions.items()}
        for name, layer in {"preprocess": self.to_bgr, **layers}.items():
            layer.kernel.assign(weights[f"{name}/kernel"])
            layer.bias.assign(weights[f"{name}/bias"])

    def vgg(self) -> dict[str, np.ndarray]:
        """The weights of the VGG, as `load_vgg` takes them."""
        layers = {f"conv{name}": layer for name, layer in self.convolutions.items()}
        return {
            f"{name}/{part}": np.asarray(getattr(layer, part))
            for name, layer in {"preprocess": self.to_bgr, **layers}.items()
            for part in ("kernel", "bias")
        }

    def statistics(self, style: KerasTensor) -> KerasTensor:
        """Logarithms of means and standard deviations [B, S] of [B, T', h, w, 3]."""
        num_frames = ops.shape(style)[1]
        x = self.to_bgr((fold_time(style) + 1.0) / 2.0)
        found = []
        for name, conv in self.convolutions.items():
            if name.endswith("_1") and name != "1_1":
                x = ops.max_pool(x, 2, 2, "valid", "channels_last")
            x = ops.relu(conv(x))
            if name in self.read:
                found += _mean_and_std(x)
        found = unfold_time(ops.concatenate(found, axis=-1), num_frames)
        return ops.log(ops.mean(found, axis=1) + 1e-3)

    def call(self, style: KerasTensor) -> KerasTensor:
        """[B, T', h, w, 3] -> [B, L]; h and w divide by 16."""
        x = (self.statistics(ops.cast(style, "float32")) - self.center) / self.spread
        return self.project(ops.leaky_relu(self.hidden(x), 0.2))

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Said, since JAX cannot trace reflection padding of sizes that vary."""
        return (input_shape[0], self.latent_size)

    def get_config(self) -> dict[str, typing.Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "latent_size": self.latent_size,
            "filters": self.filters,
            "hidden_size": self.hidden_size,
        }


@keras.saving.register_keras_serializable("vgan")
class MappingNetwork(keras.layers.Layer):
    """Noise z [B, Z] -> style code [B, D] (Karras et al., StyleGAN, 2019).

    Args:
        code_size: D.
        noise_size: Z.
        depth: Number of dense layers.
        normalized: Whether codes get a root mean square of 1.
    """

    def __init__(
        self,
        code_size: int = 64,
        noise_size: int = 32,
        depth: int = 3,
        normalized: bool = True,
        **kwargs: typing.Any,
    ) -> None:
        super().__init__(**kwargs)
        self.normalized = normalized
        self.code_size = code_size
        self.noise_size = noise_size
        self.depth = depth
        self.stages = []
        size = noise_size
        for i in range(depth):
            layer = keras.layers.Dense(
                code_size, kernel_initializer="he_normal", name=f"dense{i}"
            )
            layer.build((None, size))
            self.stages.append(layer)
            size = code_size
        self.built = True

    def call(self, noise: KerasTensor) -> KerasTensor:
        """[B, Z], standard normal -> [B, D]."""
        x = rms_normalize(noise)
        for layer in self.stages[:-1]:
            x = ops.leaky_relu(layer(x), 0.2)
        x = self.stages[-1](x)
        return rms_normalize(x) if self.normalized else x

    def get_config(self) -> dict[str, typing.Any]:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "code_size": self.code_size,
            "noise_size": self.noise_size,
            "depth": self.depth,
            "normalized": self.normalized,
        }
