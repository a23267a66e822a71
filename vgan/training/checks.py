"""What an experiment must hold for its networks, games and terms to work together."""

from vgan import InputError

SMALLEST = 32  # pixels; below, the deeper features have no area


def check(config, gan):
    """Raise InputError where fields of the experiment do not fit one another.

    Args:
        config: The Experiment.
        gan: The VideoGAN; its networks, features and game count.
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
    if losses.label_smoothing and not gan.game.labels:
        raise InputError(
            f"losses.label_smoothing: {losses.adversarial} has no labels to smooth; "
            "set it to 0"
        )
    for name in ("reconstruction_l1", "reconstruction_l2"):
        if getattr(losses, name) and not config.data.target:
            raise InputError(
                f"losses.{name}: needs stylised clips to compare with; name their "
                "folder in data.target"
            )
    for _, stage in config.stages():
        _check_sizes(stage, gan)


def _check_sizes(config, gan):
    data, game, losses = config.data, gan.game, config.losses
    if data.image_size < SMALLEST:
        raise InputError(
            f"data.image_size: {data.image_size} is too small for the networks; give "
            f"at least {SMALLEST}"
        )
    if data.image_size % gan.generator.stride:
        raise InputError(
            f"data.image_size: {data.image_size} does not divide by the generator's "
            f"stride {gan.generator.stride}"
        )
    joined = game.pair or game.penalty == "one"
    if losses.gan and joined and data.clip_length != data.style_length:
        raise InputError(
            f"data.style_length: losses.adversarial={losses.adversarial} joins "
            f"clips of one length, got clip_length {data.clip_length} and "
            f"style_length {data.style_length}"
        )
    if losses.gan and game.pair and config.train.batch_size < 2:
        raise InputError(
            f"train.batch_size: losses.adversarial={losses.adversarial} sets clips of "
            "a batch beside each other; give at least 2"
        )
