r"""Make a teacher of Magenta's arbitrary stylizer (Ghiasi et al., 2017) for training.

    python tools/magenta_teacher.py --transfer magenta_transfer.npz \
        --encoder painter.keras --output data/magenta.keras

The transformer's weights come as arrays (Apache-2.0): conv0 to conv15, HWIO, and cin0
to cin12, the conditional instance normalizations. Its style codes, 100 numbers, come
from the style encoder of a painter that has learnt to predict them. The result is a
Keras model of pictures, `content` and `style`, as `train.teacher` takes it.
"""

import argparse
import zipfile

import keras
import numpy as np
from keras import ops

from vgan.runtime.engines.keras_engine import load_generator

STRIDES = {1: 2, 2: 2}  # of convolutions; all others have 1
BLOCKS = 5  # residual, of convolutions 3 to 12


def transformer(content, code, weights):
    """Pictures [N, H, W, 3] in [-1, 1] and codes [N, 100] -> stylized pictures."""

    def conv(index, x):
        kernel = weights[f"conv{index}/kernel"]
        margin = kernel.shape[0] // 2
        pads = [[0, 0], [margin, margin], [margin, margin], [0, 0]]
        layer = keras.layers.Conv2D(
            kernel.shape[-1],
            kernel.shape[0],
            strides=STRIDES.get(index, 1),
            name=f"conv{index}",
        )
        x = layer(ops.pad(x, pads, mode="reflect"))
        layer.set_weights([kernel, weights[f"conv{index}/bias"]])
        return x

    def of_code(name):
        kernel, bias = weights[f"{name}_kernel"], weights[f"{name}_bias"]
        layer = keras.layers.Dense(kernel.shape[-1], name=name.replace("/", "_"))
        made = layer(code)
        layer.set_weights([kernel, bias])
        return ops.expand_dims(ops.expand_dims(made, 1), 1)

    def norm(index, x):
        mean, variance = ops.moments(x, axes=(1, 2), keepdims=True)
        x = (x - mean) * ops.rsqrt(variance + 1e-5)
        return x * of_code(f"cin{index}/gamma") + of_code(f"cin{index}/beta")

    def enlarge(x):
        return keras.layers.UpSampling2D(2)(x)

    x = (content + 1.0) / 2.0
    for index in range(3):
        x = ops.relu(conv(index, x))
    for block in range(BLOCKS):
        first = ops.relu(norm(2 * block, conv(2 * block + 3, x)))
        x = x + norm(2 * block + 1, conv(2 * block + 4, first))
    for index in (10, 11):
        x = ops.relu(norm(index, conv(index + 3, enlarge(x))))
    return 2.0 * ops.sigmoid(norm(12, conv(15, x))) - 1.0


def main():
    """Read, build, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("transfer", "encoder", "output"):
        parser.add_argument(f"--{name}", required=True)
    arguments = parser.parse_args()
    try:
        with np.load(arguments.transfer, allow_pickle=False) as file:
            weights = {name: file[name] for name in file.files}
        weights["conv15/kernel"]  # the last
        trained = load_generator(arguments.encoder).style_encoder
    except (OSError, ValueError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        parser.error(f"--transfer or --encoder cannot be read: {error}")
    encoder = type(trained).from_config({**trained.get_config(), "name": "encoder"})
    encoder.set_weights(trained.get_weights())
    content, style = (
        keras.Input((None, None, 3), name=name) for name in ("content", "style")
    )
    code = encoder(ops.expand_dims(style, 1))
    made = transformer(content, code, weights)
    keras.Model([content, style], made, name="magenta").save(arguments.output)


if __name__ == "__main__":
    main()
