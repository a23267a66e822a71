"""From `generator.keras` to a folder of another format, checked before it is there."""

import os
import pathlib
import shutil

from vgan import InputError, files
from vgan.export import formats, guide, parity, quantize
from vgan.export.graphs import Graphs
from vgan.export.web.write import write_web
from vgan.runtime.engines import describe
from vgan.runtime.engines.exported import MANIFEST, Manifest
from vgan.runtime.engines.keras_engine import load_generator

FORMATS = {
    "tf_saved_model": formats.write_tf_saved_model,
    "onnx": formats.write_onnx,
    "openvino": formats.write_openvino,
    "litert": formats.write_litert,
    "web": write_web,
}


LEAST_SPACE = 2**20  # bytes: with fewer a disk counts as full


def export(
    model: str | pathlib.Path,
    folder: str | pathlib.Path,
    format: str,
    size: tuple[int, int] | None = None,
    int8: str | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Write a generator in another format.

    Args:
        model: Path of a generator.keras.
        folder: Folder to make. It appears when it is complete and was checked.
        format: A key of FORMATS.
        size: (H, W) of frames, multiples of the generator's stride; None for any, which
            LiteRT and pages cannot.
        int8: None, "weights" or "full"; see `vgan.export.quantize`.
        overwrite: Replace an export that is there.

    Returns:
        A list of lines that say what was checked, and how well it agrees with Keras.

    Raises:
        InputError: The model cannot be read, the folder cannot be written, a library is
            missing, or the format cannot do what is asked.
        RuntimeError: The export computes something else than Keras.
    """
    info = describe(model)
    folder = pathlib.Path(folder)
    _check_target(folder, overwrite)
    quantize.check(int8, format)
    generator = load_generator(model)
    if size and any(side % info.stride or side < 16 for side in size):
        raise InputError(
            f"size={size[0]}x{size[1]}: height and width must be multiples of "
            f"{info.stride}, from 16; vgan.generate pads frames to that by itself"
        )
    graphs = Graphs(generator, size)
    manifest = Manifest(
        format=format,
        model=info,
        num_parameters=generator.count_params(),
        state=graphs.state,
        size=size,
        int8=int8,
    )
    try:
        with files.replacing(folder) as made:
            made.mkdir()
            if int8:
                quantize.write(graphs, made, format, int8)
            else:
                FORMATS[format](graphs, made)
            if format != "web":  # whose page needs no loop
                guide.write(manifest, made)
            manifest.write(made)
            lines = parity.check(generator, manifest, made)
    except (OSError, RuntimeError) as error:
        # Libraries that write in C++ raise the latter when the disk is full.
        full = shutil.disk_usage(folder.parent).free < LEAST_SPACE
        if isinstance(error, RuntimeError) and not full:
            raise
        reason = getattr(error, "strerror", None) or "the disk is full"
        raise InputError(
            f"{folder}: cannot be written ({reason}); free space on the disk or give "
            "another folder"
        ) from error
    return lines


def _check_target(folder, overwrite):
    if not folder.parent.is_dir():
        raise InputError(f"{folder}: there is no folder {folder.parent}; make it first")
    if not os.access(folder.parent, os.W_OK):
        raise InputError(f"{folder}: cannot be written; give another folder")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder}: is a file; an export is a folder, give a new name")
    if any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise InputError(f"{folder}: holds something else; give a new folder")
    if any(folder.iterdir()) and not overwrite:
        raise InputError(f"{folder}: exists; give another name or overwrite=True")
