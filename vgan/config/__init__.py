"""What an experiment is: frozen dataclasses, read from a file, changed by --set.

An experiment is a Python file with a docstring and `get_config() -> Experiment`.
`generator` and `discriminator` go straight into the constructors in vgan.models, so
a default is written once, there.
"""

import dataclasses
import json
import math
import pathlib
import runpy
import typing

from vgan import InputError
from vgan.config import checks


@dataclasses.dataclass(frozen=True)
class Data:
    """Where clips come from and what shape they get.

    Attributes:
        content: A source, or sources with weights {source: weight}. A source is
            "synthetic" (rendered, with exact flow), a folder of videos, or a folder
            of still images (made into clips by a moving window, with exact flow).
        style: The same for style clips; "synthetic" gives procedural paintings.
        image_size: Height and width of a clip in pixels.
        clip_length: Frames per content clip, T.
        style_length: Frames per style clip, T'; the discriminator sees these clips
            as real.
        fps: Frames per second that videos are resampled to.
        flip: Mirror half of the training clips.
        validation: Fraction of each source's files that is never trained on.
    """

    content: str | dict[str, float] = "synthetic"
    style: str | dict[str, float] = "synthetic"
    image_size: int = 128
    clip_length: int = 4
    style_length: int = 4
    fps: float = 12.0
    flip: bool = True
    validation: float = 0.1

    def __post_init__(self):
        counts = ("clip_length", "style_length")
        rules = [
            ("at least 8", lambda x: x >= 8, ("image_size",)),
            ("at least 1", lambda x: x >= 1, counts),
            ("from 0.001 to 1000", lambda x: 1e-3 <= x <= 1000, ("fps",)),
            ("from 0 to below 1", lambda x: 0 <= x < 1, ("validation",)),
        ]
        checks.check_values("data", self, rules)


@dataclasses.dataclass(frozen=True)
class Losses:
    """Which terms the two networks minimise, and their weights (0 leaves one out).

    Attributes:
        adversarial: The game; see vgan.losses.adversarial.
        features: Network of the perceptual terms: "random" (fixed random filters,
            no download), "vgg19" (keras.applications), or the path of an .npz file.
        content: Weight of the relative feature error against the content.
        style: Weight of the Gram and mean/spread errors against the style.
        temporal: Weight of the warped difference of neighbouring frames.
        gan: Weight of the adversarial term.
        r1: Gamma of the R1 penalty of the discriminator.
        r1_interval: Steps from one R1 penalty to the next (lazy regularisation).
    """

    adversarial: str = "non_saturating"
    features: str = "random"
    content: float = 0.5
    style: float = 10.0
    temporal: float = 20.0
    gan: float = 0.2
    r1: float = 1.0
    r1_interval: int = 4

    def __post_init__(self):
        weights = ("content", "style", "temporal", "gan", "r1")
        rules = [
            ("0 or more", lambda x: 0 <= x < math.inf, weights),
            ("at least 1", lambda x: x >= 1, ("r1_interval",)),
        ]
        checks.check_values("losses", self, rules)


@dataclasses.dataclass(frozen=True)
class Train:
    """How long and how fast.

    Attributes:
        steps: Generator steps in all, resumed ones included.
        batch_size: Clips per step, over all devices.
        g_learning_rate: Adam's rate for the generator.
        d_learning_rate: Adam's rate for the discriminator.
        ema_decay: Decay per step of the averaged generator that ships.
        log_every: Steps between scalars in TensorBoard.
        sample_every: Steps between moving samples in TensorBoard.
        evaluate_every: Steps between figures of validation clips; best.keras is the
            generator with the best of them.
        checkpoint_every: Steps between checkpoints; a killed run loses at most these.
        jit_compile: Compile the step with XLA; slower on a CPU, faster on a GPU.
    """

    steps: int = 1000
    batch_size: int = 4
    g_learning_rate: float = 1e-3
    d_learning_rate: float = 1e-3
    ema_decay: float = 0.999
    log_every: int = 20
    sample_every: int = 500
    evaluate_every: int = 250
    checkpoint_every: int = 250
    jit_compile: bool = False

    def __post_init__(self):
        every = ("log_every", "sample_every", "evaluate_every", "checkpoint_every")
        rates = ("g_learning_rate", "d_learning_rate")
        rules = [
            ("at least 1", lambda x: x >= 1, ("steps", "batch_size", *every)),
            ("above 0", lambda x: 0 < x < math.inf, rates),
            ("from 0 to below 1", lambda x: 0 <= x < 1, ("ema_decay",)),
        ]
        checks.check_values("train", self, rules)


@dataclasses.dataclass(frozen=True)
class Experiment:
    """All that decides what a run computes."""

    data: Data = dataclasses.field(default_factory=Data)
    generator: dict = dataclasses.field(default_factory=dict)
    discriminator: dict = dataclasses.field(default_factory=dict)
    losses: Losses = dataclasses.field(default_factory=Losses)
    train: Train = dataclasses.field(default_factory=Train)
    seed: int = 0

    def __post_init__(self):
        checks.check_values(
            "experiment", self, [("0 or more", lambda x: x >= 0, ("seed",))]
        )


def load(experiment, overrides=()):
    """Return the Experiment that a name or a file gives, with overrides applied.

    Args:
        experiment: Name of a file in experiments/, or the path of a .py file.
        overrides: Strings "section.field=value", as --set takes them.

    Raises:
        InputError: No such experiment, its file fails, a value is of another type or
            out of range, or an override does not fit.
    """
    path = pathlib.Path(experiment)
    if path.suffix != ".py":
        path = pathlib.Path("experiments") / f"{experiment}.py"
    if not path.is_file():
        known = sorted(p.stem for p in path.parent.glob("*.py") if p.stem[0] != "_")
        raise InputError(
            f"experiment {experiment!r}: there is no {path}; "
            f"known here: {', '.join(known) or 'none'}"
        )
    try:
        config = runpy.run_path(str(path))["get_config"]()
        config = from_json(to_json(config))  # checks, and makes lists of tuples
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except KeyError as error:
        raise InputError(
            f"{path}: has no {error}; copy a get_config() from another experiment"
        ) from error
    except (Exception, SystemExit) as error:  # whatever a user's file may do
        raise InputError(f"{path}: {type(error).__name__}: {error}") from error
    return override(config, overrides)


def override(config, assignments):
    """Return `config` with each "a.b=value" applied and checked by type."""
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise InputError(f"--set {assignment}: write it as section.field=value")
        try:
            config = _replace(config, name.strip().split("."), text.strip(), name)
        except InputError as error:
            raise InputError(f"--set {error}") from error
    return config


def to_json(config):
    """Return the experiment as readable JSON text."""
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"


def from_json(text):
    """Return the Experiment that `to_json` wrote.

    Raises:
        InputError: It is no JSON, or a field is unknown or of another type.
    """
    try:
        values = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"no JSON: {error}") from error
    return _from_dict(Experiment, values, "")


def _from_dict(cls, values, prefix):
    hints = typing.get_type_hints(cls)
    fields = {}
    if not isinstance(values, dict):
        raise InputError(f"{prefix or 'config'}: expected fields, got {values!r}")
    for name, value in values.items():
        checks.check_name(cls, name, prefix + name)
        if dataclasses.is_dataclass(hints[name]):
            fields[name] = _from_dict(hints[name], value, f"{prefix}{name}.")
        else:
            fields[name] = checks.check_type(hints[name], value, prefix + name)
    return cls(**fields)


def _replace(config, keys, text, name):
    key, *rest = keys
    if isinstance(config, dict):
        if rest:
            inner = config.get(key, {})
            if not isinstance(inner, dict):
                raise InputError(f"{name}: {key!r} is a value and has no fields")
            inner = _replace(inner, rest, text, name)
            return {**config, key: inner}
        return {**config, key: checks.parse(text)}
    checks.check_name(type(config), key, name)
    hint = typing.get_type_hints(type(config))[key]
    value = getattr(config, key)
    if rest:
        if not (dataclasses.is_dataclass(value) or isinstance(value, dict)):
            raise InputError(f"{name}: {key!r} is a value and has no fields")
        value = _replace(value, rest, text, name)
    elif dataclasses.is_dataclass(value):
        raise InputError(
            f"{name}: is a section; name one of its fields: "
            + ", ".join(f.name for f in dataclasses.fields(value))
        )
    else:
        value = checks.check_type(
            hint, text if hint is str else checks.parse(text), name
        )
    return dataclasses.replace(config, **{key: value})
