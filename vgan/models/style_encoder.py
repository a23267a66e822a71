"""Where a style code comes from: a picture or clip, or noise."""

import itertools

import keras
from keras import ops

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

    def __init__(self, code_size=64, filters=(16, 32, 64, 64), **kwargs):
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

    def call(self, style):
        """[B, T', h, w, 3] -> [B, D]; h and w divide by 2 ** stages."""
        num_frames = ops.shape(style)[1]
        x = fold_time(style)
        statistics = _mean_and_spread(x)
        for stage in self.stages:
            x = ops.leaky_relu(stage(x), 0.2)
            statistics += _mean_and_spread(x)
        statistics = ops.concatenate(statistics, axis=-1)
        statistics = ops.mean(unfold_time(statistics, num_frames), axis=1)
        return rms_normalize(self.project(statistics))

    def get_config(self):
        """Constructor arguments."""
        return {
            **super().get_config(),
            "code_size": self.code_size,
            "filters": self.filters,
        }


def _mean_and_spread(x):
    spread = ops.sqrt(ops.var(x, axis=(1, 2)) + 1e-5)
    return [ops.mean(x, axis=(1, 2)), spread]


@keras.saving.register_keras_serializable("vgan")
class MappingNetwork(keras.layers.Layer):
    """Noise z [B, Z] -> style code [B, D] (Karras et al., StyleGAN, 2019).

    Args:
        code_size: D.
        noise_size: Z.
        depth: Number of dense layers.
    """

    def __init__(self, code_size=64, noise_size=32, depth=3, **kwargs):
        super().__init__(**kwargs)
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

    def call(self, noise):
        """[B, Z], standard normal -> [B, D] with a root mean square of 1."""
        x = rms_normalize(noise)
        for layer in self.stages[:-1]:
            x = ops.leaky_relu(layer(x), 0.2)
        return rms_normalize(self.stages[-1](x))

    def get_config(self):
        """Constructor arguments."""
        return {
            **super().get_config(),
            "code_size": self.code_size,
            "noise_size": self.noise_size,
            "depth": self.depth,
        }
