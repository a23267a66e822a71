"""From an experiment to the VideoGAN that it describes."""

import contextlib
import inspect
import typing
from collections.abc import Collection, Iterable

import keras

from vgan import InputError, losses, models, pretrained
from vgan.config import NOISE
from vgan.config.checks import check_where
from vgan.losses.features import FeatureNetwork
from vgan.runtime.engines.keras_engine import load_generator
from vgan.train import gan as gans
from vgan.train import optimizers
from vgan.train.objectives import adversarial_of

if typing.TYPE_CHECKING:
    from vgan.config import Experiment


SECTIONS = {"image_size": "data", "style_length": "data", "batch_size": "train"}


def build_gan(
    config: "Experiment", teacher: keras.Model | None = None
) -> gans.VideoGAN:
    """Return the compiled VideoGAN of an experiment.

    Args:
        config: The `vgan.config.Experiment`.
        teacher: What the distillation losses learn from, of `teacher.load_teacher`.

    Raises:
        InputError: A network or a loss does not take an argument that the experiment
            gives, or parts of the experiment do not fit one another.
    """
    train = config.train
    terms, adversarial = build_losses(config)
    check_where(config)
    features = _features(config.losses["features"])
    with _precision(train.precision):
        generator = _generator(config)
    with _precision(gans.gradients.conv3d_precision(train.precision)):
        pair = adversarial is not None and adversarial.pair
        discriminator = _construct(
            models.Discriminator,
            "discriminator",
            {"code_size": generator.code_size, "pair": pair},
            config.discriminator,
        )
    if generator.noise_size > NOISE // 2:
        raise InputError(
            f"generator.noise_size: must be at most {NOISE // 2}, got "
            f"{generator.noise_size}"
        )
    gan = gans.VideoGAN(generator, discriminator)
    _freeze(generator, train.only)
    if train.start_layers and not train.start:
        raise InputError(
            "train.start_layers: name the model that they are taken from in train.start"
        )

    def adam(rate, beta_1):
        return optimizers.adam(
            rate,
            beta_1,
            clip_norm=train.clip_norm,
            accumulate=train.accumulate,
            precision=train.precision,
        )

    size = config.data.image_size
    gan.compile(
        g_optimizer=adam(train.g_learning_rate, 0.5),
        d_optimizer=adam(train.d_learning_rate, 0.0),
        losses=terms,
        features=features,
        teacher=teacher,
        ema_decay=train.ema_decay,
        g_every=train.g_every,
        d_every=train.d_every,
        d_skip_above=train.d_skip_above,
        burn_in=train.burn_in,
        carry=(train.batch_size, size, size) if train.unroll > 1 else None,
        cooldown=train.cooldown,
        steps=train.steps,
        seed=config.seed,
    )
    for _, stage in config.stages():
        try:
            gan.check_sizes(
                batch_size=stage.train.batch_size,
                image_size=stage.data.image_size,
                clip_length=stage.data.clip_length,
                style_length=stage.data.style_length,
            )
        except InputError as error:
            raise InputError(f"{SECTIONS[str(error).split(':')[0]]}.{error}") from error
    return gan


def _features(name):
    """A FeatureNetwork; of a model of ours, the VGG in its style encoder."""
    if name not in pretrained.MODELS and not name.endswith(".keras"):
        return FeatureNetwork(name)
    try:
        generator = load_generator(pretrained.find(name))
    except InputError as error:
        raise InputError(f"losses.features: {error}") from error
    if not hasattr(generator.style_encoder, "vgg"):
        raise InputError(
            f"losses.features: {name} is no painter, whose style encoder is a VGG; "
            "give painterly, or an .npz file"
        )
    return FeatureNetwork(generator.style_encoder.vgg())


def build_losses(
    config: "Experiment",
) -> tuple[list[losses.Loss], losses.Adversarial | None]:
    """Return the losses of an experiment, and the adversarial one among them or None.

    Raises:
        InputError: There is no such loss, its arguments do not fit, or the experiment
            lacks the data that it needs.
    """
    given = {k: value for k, value in config.losses.items() if k != "features"}
    terms = losses.build(given)
    for term in terms:
        if "target" in term.needs and not config.data.target:
            raise InputError(
                f"losses.{term.name}: needs stylized clips to compare with; name their "
                "folder in data.target"
            )
        distills = isinstance(term, losses.Distillation | losses.DistillationTexture)
        if distills and not config.train.teacher:
            raise InputError(
                f"losses.{term.name}: needs a model to learn from; name its file in "
                "train.teacher"
            )
        if isinstance(term, losses.StateConsistency) and not config.train.burn_in:
            raise InputError(
                f"losses.{term.name}: needs old states; set train.burn_in to 1 or more"
            )
    return terms, adversarial_of(terms)


@contextlib.contextmanager
def _precision(name):
    """Construct networks whose layers work in this precision, on float32 weights."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name if name == "float32" else f"mixed_{name}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _generator(config):
    """The network that the experiment names, with the arguments that it gives."""
    arguments = {
        "style_size": config.data.style_size or config.data.image_size,
        **config.generator,
    }
    name = arguments.pop("network", "overlay")
    if name not in models.NETWORKS:
        raise InputError(
            f"generator.network: {name!r} is none of {', '.join(models.NETWORKS)}"
        )
    return _construct(models.NETWORKS[name], "generator", {}, arguments)


def _construct(network, section, defaults, arguments):
    # Styles are named when the model is saved.
    parameters = inspect.signature(network.__init__).parameters
    known = parameters.keys() - {"self", "kwargs", "named_styles"}
    if unknown := sorted(set(arguments) - known):
        raise InputError(
            f"{section}: a {network.__name__} takes no {', '.join(unknown)}; it takes "
            f"{', '.join(sorted(known))}"
        )
    try:
        return network(**{**defaults, **arguments})
    except (TypeError, ValueError) as error:
        raise InputError(f"{section}: {error}") from error


def _freeze(generator, only):
    """Let some layers of the generator learn.

    Args:
        generator: The generator.
        only: Names of its layers, or of weights of these, as "modulate/bias"; with a
            minus, of layers that do not learn; none means all.

    Raises:
        InputError: There is no such layer, or none is left that learns.
    """
    layers = {layer.name: layer for layer in generator.layers}
    names = [name.removeprefix("-").partition("/")[0] for name in only]
    check_layers("train.only", names, layers)
    chosen = [name for name in only if not name.startswith("-")] or layers
    for name, layer in layers.items():
        parts = {one.partition("/")[2] for one in chosen if one.startswith(f"{name}/")}
        known = {weight.name: weight for weight in layer.weights}
        for part in parts - known.keys():
            raise InputError(
                f"train.only: {name} has no weight {part!r}; it has {', '.join(known)}"
            )
        if (name not in chosen and not parts) or f"-{name}" in only:
            layer.trainable = False
        elif name not in chosen:
            for part in known.keys() - parts:
                known[part].trainable = False
    if not generator.trainable_variables:
        raise InputError("train.only: no layer is left that learns; name one")


def check_layers(field: str, names: Iterable[str], layers: Collection[str]) -> None:
    """Raise InputError where one of the names is not that of a layer."""
    for name in names:
        if name not in layers:
            raise InputError(
                f"{field}: the generator has no layer {name!r}; it has "
                + ", ".join(layers)
            )
