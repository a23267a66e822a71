"""What a `.keras` file says about itself, read without importing Keras."""

import dataclasses
import json
import pathlib
import typing
import zipfile
import zlib

import numpy as np

from vgan import DEEPEST, LARGEST, InputError

# Weights hardly pack; a file that says it unpacks to much more would fill the memory.
_MOST_PACKED = 20
_SMALL = 2**20  # bytes, which may pack better


@dataclasses.dataclass(frozen=True)
class ModelInfo:
    """What styles can be named before the model is loaded.

    Attributes:
        code_size: D of a style code.
        noise_size: Z of the noise that stands for a style.
        style_size: Short side in pixels that style pictures are brought to.
        stride: H and W of frames divide by this.
        named_styles: Codes that are kept with the model, {name: D floats}.
    """

    code_size: int
    noise_size: int
    style_size: int
    stride: int
    named_styles: dict


def describe(path: str | pathlib.Path) -> ModelInfo:
    """Return the ModelInfo of the generator in a `.keras` file.

    Args:
        path: `generator.keras`.

    Raises:
        InputError: There is no such file, it is not a Keras file, or it holds another
            model than a vgan generator.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "there is no such file"
        raise InputError(f"model {path}: {what}; give the generator.keras of a run")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_packing(archive, path)
            config = json.loads(archive.read("config.json"))
            name, arguments = config["registered_name"], config["config"]
    except (
        *(zipfile.BadZipFile, KeyError, TypeError, ValueError, RecursionError),
        *(zlib.error, RuntimeError),  # damaged, encrypted, packed in a way unknown
    ) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"model {path}: is not a Keras model, or only a part of one; "
            "give the generator.keras of a run"
        ) from error
    except OSError as error:
        raise InputError(f"model {path}: cannot be read ({error.strerror})") from error
    if not isinstance(name, str) or name not in SIZES:
        raise InputError(
            f"model {path}: holds a {name or config.get('class_name')}, not a vgan "
            "generator; give the generator.keras of a run"
        )
    if isinstance(arguments, dict) and isinstance(arguments.get("filters"), list):
        _check_layers(arguments, path)
        try:
            arguments = {**arguments, **SIZES[name](arguments)}
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(misfit(path, f"argument {error}")) from error
    return model_info(arguments, path)


def _check_packing(archive, path):
    """Refuse sizes that no model has, before anything is unpacked to them."""
    for entry in archive.infolist():
        if entry.file_size > max(_SMALL, _MOST_PACKED * entry.compress_size):
            raise InputError(
                f"model {path}: its {entry.filename} would unpack to "
                f"{entry.file_size / 2**20:.0f} MB, which is no model's; give the "
                "generator.keras of a run"
            )


def _overlay_sizes(arguments):
    """What the arguments of a Generator imply."""
    patch = 2 if arguments.get("patch_size") == 2 else 1
    return {"stride": patch * 2 ** (len(arguments["filters"]) - 1)}


def _painter_sizes(arguments):
    """What the arguments of a Painter imply."""
    _, deep, up = arguments["filters"]
    channels = 2 * arguments["blocks"] * deep + up
    grain = deep if arguments.get("noise_channels") else 0
    colors = 13 if arguments.get("recolors") else 6
    return {"stride": 8, "code_size": 2 * channels + grain + colors}


SIZES = {"vgan>Generator": _overlay_sizes, "vgan>Painter": _painter_sizes}


def model_info(arguments: dict[str, typing.Any], path: str | pathlib.Path) -> ModelInfo:
    """Return the ModelInfo in the arguments of a Generator, checked.

    Args:
        arguments: dict, as read from a file, and "stride".
        path: The file, for messages.

    Raises:
        InputError: They are not those of a Generator of this version.
    """
    try:
        info = ModelInfo(
            int(arguments["code_size"]),
            int(arguments["noise_size"]),
            int(arguments["style_size"]),
            int(arguments["stride"]),
            dict(arguments["named_styles"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(misfit(path, f"argument {error}")) from error
    sizes = (info.code_size, info.noise_size, info.style_size, info.stride)
    if min(sizes) < 1 or max(sizes) > LARGEST:
        raise InputError(misfit(path, "its sizes are out of range"))
    for style, code in info.named_styles.items():
        if not _is_code(code, info.code_size):
            raise InputError(
                misfit(path, f"style {style!r} is no list of {info.code_size} numbers")
            )
    return info


def _is_code(code, size):
    """Whether it is a list of so many numbers, in float32 too."""
    if not isinstance(code, list) or not all(type(x) in (int, float) for x in code):
        return False
    try:
        with np.errstate(over="ignore"):
            code = np.array(code, np.float32)
    except OverflowError:  # of an integer
        return False
    return code.shape == (size,) and bool(np.all(np.isfinite(code)))


def _check_layers(arguments, path):
    """Refuse what would take all memory before it turns out to have no weights."""
    many = [arguments.get(name) or [] for name in ("filters", "style_filters")]
    if not all(isinstance(sizes, list) for sizes in many):
        raise InputError(misfit(path, "its sizes are no lists"))
    widths = [*many[0], *many[1]]
    ones = "hidden_filters", "latent_size", "noise_channels"
    widths += [arguments.get(name, 1) for name in ones]
    depths = [len(many[0]), len(many[1])]
    depths += [arguments.get(name, 0) for name in ("blocks", "fine_blocks")]
    for sizes, most in ((widths, LARGEST), (depths, DEEPEST)):
        if not all(type(size) is int and size <= most for size in sizes):
            raise InputError(misfit(path, "its sizes are out of range"))


def misfit(path: str | pathlib.Path, reason: object) -> str:
    """The line that says that a model belongs to another version of vgan."""
    return (
        f"model {path}: does not fit this version of vgan ({reason}); "
        "train it again, or use the version that made it"
    )
