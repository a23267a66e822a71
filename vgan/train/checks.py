"""What an experiment must hold for its networks, games and terms to work together."""

from vgan import InputError
from vgan.config import NOISE
from vgan.losses import adversarial
from vgan.train.terms import TERMS

SMALLEST = 32  # pixels; below, the deeper features have no area


def check_losses(config):
    """Raise InputError where the losses, by themselves or with the data, do not fit.

    Args:
        config: The Experiment.
    """
    losses = config.losses
    game = adversarial.game(losses.adversarial)
    if losses.label_smoothing and not game.labels:
        raise InputError(
            f"losses.label_smoothing: {losses.adversarial} has no labels to smooth; "
            "set it to 0"
        )
    if losses.feature_matching and not losses.gan:
        raise InputError(
            "losses.feature_matching: needs the game; set losses.gan above 0"
        )
    if losses.second_style and not losses.second_features:
        raise InputError(
            "losses.second_style: needs a network; name it in losses.second_features, "
            "as in losses.features"
        )
    if losses.second_grey and not losses.second_style:
        raise InputError(
            "losses.second_grey: is a part of losses.second_style; set that above 0"
        )
    if config.train.start_layers and not config.train.start:
        raise InputError(
            "train.start_layers: name the model that they are taken from in train.start"
        )
    for name in ("distillation", "distillation_texture"):
        if getattr(losses, name) and not config.train.teacher:
            raise InputError(
                f"losses.{name}: needs a model to learn from; name its file "
                "in train.teacher"
            )
    if losses.aging and not config.train.laps:
        raise InputError("losses.aging: needs laps; set train.laps to 1 or more")
    for name, value in losses.targets.items():
        if name not in TERMS or not getattr(losses, name):
            raise InputError(
                f"losses.targets: {name!r} is no term that has a weight; give it one, "
                "or leave it out"
            )
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and 0 < value < 1e30):
            raise InputError(
                f"losses.targets: {name} takes a number above 0, got {value!r:.50}"
            )
    for name in ("reconstruction_l1", "reconstruction_l2"):
        if getattr(losses, name) and not config.data.target:
            raise InputError(
                f"losses.{name}: needs stylised clips to compare with; name their "
                "folder in data.target"
            )
    joined = game.pair or game.penalty == "one"
    for _, stage in config.stages() if losses.gan else ():
        data = stage.data
        if joined and data.clip_length != data.style_length:
            raise InputError(
                f"data.style_length: losses.adversarial={losses.adversarial} joins "
                f"clips of one length, got clip_length {data.clip_length} and "
                f"style_length {data.style_length}"
            )
        if game.pair and stage.train.batch_size < 2:
            raise InputError(
                f"train.batch_size: losses.adversarial={losses.adversarial} sets clips "
                "of a batch beside each other; give at least 2"
            )


def check_networks(config, gan):
    """Raise InputError where the networks do not fit the rest of the experiment.

    Args:
        config: The Experiment.
        gan: The VideoGAN; its networks, teacher, features and game count.
    """
    losses = config.losses
    for name, value in (
        ("code_size", gan.generator.code_size),
        ("pair", gan.game.pair),
    ):
        if getattr(gan.discriminator, name) != value:
            raise InputError(
                f"discriminator.{name}: must be {value}, as the generator and "
                f"losses.adversarial={losses.adversarial} have it; leave it out"
            )
    if not any("content" in roles for roles in gan.features.roles.values()):
        raise InputError(
            f"losses.features: {losses.features} ends before the layer that "
            "content is read from, conv3_1; give a deeper network"
        )
    if gan.generator.noise_size > NOISE // 2:
        raise InputError(
            f"generator.noise_size: must be at most {NOISE // 2}, got "
            f"{gan.generator.noise_size}"
        )
    for _, stage in config.stages():
        size = stage.data.image_size
        if size < SMALLEST:
            raise InputError(
                f"data.image_size: {size} is too small for the networks; give at "
                f"least {SMALLEST}"
            )
        for whose, network in (("generator", gan.generator), ("teacher", gan.teacher)):
            stride = getattr(network, "stride", 1)
            if size % stride:
                raise InputError(
                    f"data.image_size: {size} does not divide by the {whose}'s stride "
                    f"{stride}"
                )


def learning_variables(generator, only):
    """Return the variables of the generator that are trained.

    Args:
        generator: The generator.
        only: Names of its layers; with a minus, of those that do not learn; none
            means all.

    Raises:
        InputError: There is no such layer.
    """
    layers = {layer.name: layer for layer in generator.layers}
    check_layers("train.only", [name.removeprefix("-") for name in only], layers)
    chosen = [name for name in only if not name.startswith("-")] or layers
    variables = [
        variable
        for name in dict.fromkeys(chosen)
        if f"-{name}" not in only
        for variable in layers[name].trainable_variables
    ]
    if not variables:
        raise InputError("train.only: no layer is left that learns; name one")
    return variables


def check_layers(field, names, layers):
    """Raise InputError where one of the names is not that of a layer."""
    for name in names:
        if name not in layers:
            raise InputError(
                f"{field}: the generator has no layer {name!r}; it has "
                + ", ".join(layers)
            )
