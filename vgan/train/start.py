"""Training that begins with the weights of another model."""

import pathlib
import typing
from collections.abc import Sequence

import keras

from vgan import InputError, pretrained
from vgan.runtime.engines.keras_engine import load_generator
from vgan.train.build import check_layers

if typing.TYPE_CHECKING:
    from vgan.train.gan import VideoGAN


FREE = ("name", "named_styles", "style_size", "dtype")  # what may differ


def start_from(
    path: str | pathlib.Path, gan: "VideoGAN", layers: Sequence[str] = ()
) -> None:
    """Give the generator and its average the weights of a model.

    Args:
        path: A generator.keras, or the name of a model that ships.
        gan: The VideoGAN.
        layers: Names of the layers to take; all, of a model of the same arguments,
            where none is named.

    Raises:
        InputError: There is no such model, or it does not fit.
    """
    try:
        generator = load_generator(pretrained.find(path))
    except InputError as error:
        raise InputError(f"train.start: {error}") from error
    take_weights(path, generator, gan, layers)


def base_of(
    path: str | pathlib.Path, only: Sequence[str], generator: keras.Model
) -> keras.Model | None:
    """The model to which a run adds styles, where nothing but style codes learns.

    Args:
        path: `train.start`.
        only: `train.only`.
        generator: Of the run.
    """
    makes_codes = getattr(generator, "code_layers", ())
    if path and only and {name.partition("/")[0] for name in only} <= set(makes_codes):
        return load_generator(pretrained.find(path))
    return None


def take_weights(
    path: str | pathlib.Path,
    generator: keras.Model,
    gan: "VideoGAN",
    layers: Sequence[str] = (),
) -> None:
    """The same of a model that is loaded; `path` is what messages call it."""
    networks = (gan.generator, gan.ema_generator)
    if layers:
        for network in networks:
            _take_layers(path, generator, network, layers)
        return
    if type(generator) is not type(gan.ema_generator):
        raise InputError(
            f"train.start: {path} holds a {type(generator).__name__}; set "
            "generator.network to its kind"
        )
    own, others = gan.ema_generator.get_config(), generator.get_config()
    for name in own:
        if name not in FREE and own[name] != others[name]:
            raise InputError(
                f"train.start: {path} has {name}={others[name]}, and the experiment "
                f"{own[name]}; set generator.{name} to the file's"
            )
    for network in networks:
        network.set_weights(generator.get_weights())


def _take_layers(path, generator, network, layers):
    theirs, own = (
        {layer.name: layer for layer in model.layers} for model in (generator, network)
    )
    check_layers(f"train.start_layers: {path}", layers, theirs)
    check_layers("train.start_layers", layers, own)
    for name in layers:
        try:
            own[name].set_weights(theirs[name].get_weights())
        except ValueError as error:
            raise InputError(
                f"train.start_layers: {name} of {path} is of another size than "
                "the experiment's; leave it out, or give both the same arguments"
            ) from error
