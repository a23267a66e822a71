"""The fields of an experiment: what each of them means, and what it may hold."""

import dataclasses
import math
import typing

from vgan import InputError
from vgan.config import checks
from vgan.datasets.spec import BATCH_SIZE, ClipSpec


@dataclasses.dataclass(frozen=True)
class Data(ClipSpec):
    """Where clips come from and what shape they get.

    Attributes: the arguments of the same names of `vgan.datasets.clips`
    (vgan/datasets/batches.py), from content to validation, and

        where: Where batches are made: on the "host", by tf.data, or on the "device":
            there, photos and frames of the videos of folders lie in the accelerator's
            memory, and the training step itself cuts windows that move over them, with
            exact flow; in half of the clips something passes in front. Videos are
            stills then. Validation is the host's.
    """

    where: str = "host"

    section = "data"

    def __post_init__(self) -> None:
        super().__post_init__()
        places = ("host", "device")
        rules = [("host or device", lambda x: x in places, ("where",))]
        checks.check_values("data", self, rules)


def default_losses() -> dict[str, typing.Any]:
    """Losses of an experiment that names none: any style, sharp and steady."""
    return {
        "features": "random",
        "content": 0.5,
        "style": 10.0,
        "adversarial": {"name": "relativistic", "weight": 0.2},
        "temporal": 20.0,
    }


def full_losses(losses: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """Write a number as the weight that it is, and a word as the name that it is."""
    full = {"features": "random"}
    for name, value in losses.items():
        if name == "features":
            full[name] = checks.check_type(str, value, "losses.features")
        elif isinstance(value, str) and name == "adversarial":
            full[name] = {"name": value}
        elif isinstance(value, dict):
            full[name] = value
        else:
            full[name] = {"weight": checks.check_type(float, value, f"losses.{name}")}
    return full


@dataclasses.dataclass(frozen=True)
class Train:
    """How long and how fast, and what keeps the two networks in balance.

    Attributes:
        start: Path of a generator.keras, or name of a model that ships, whose weights
            the generator begins with; "" for random ones. Its networks have the same
            arguments.
        start_layers: Layers that are taken from there, as ["style", "filter"]; the
            other layers may be of another size. All, where none is named.
        only: Layers of the generator that learn, as ["filter"], or weights of them, as
            ["modulate/bias"], or layers that do not, as ["-filter"]; the others keep
            their weights, or learn. All learn, where none is named.
        teacher: Path of the model that the distillation losses learn from: a
            generator.keras of any kind and size, or a `.keras` file whose inputs
            "content" and "style" are pictures [N, H, W, 3] in [-1, 1], as its output.
        steps: Steps in all, resumed ones included; each takes a new batch.
        minutes: Stop after so many, saved and ready to go on, though steps are left; 0
            for no such end. Each start of the command has as many, from its first line
            on; `cooldown` is then of these minutes, if they end first.
        distribution: "none", or "data_parallel": each step's clips are shared by all
            devices of this machine, or of several processes (docs/many_machines.md);
            results are those of one device but for rounding. On JAX.
        batch_size: Clips per step, over all devices.
        schedule: Stages that come before the full size: dicts of "until", a step, and
            any of "image_size", "clip_length", "style_length" and "batch_size", as in
            [{"until": 500, "image_size": 64, "clip_length": 2}].
        g_learning_rate: Adam's rate for the generator.
        d_learning_rate: Adam's rate for the discriminator.
        g_every: The generator learns at every so many steps only.
        d_every: The discriminator likewise.
        d_skip_above: The discriminator skips its update while its advantage, -1 to 1,
            is on average over this; 1 never skips, 0.4 is TecoGAN's.
        clip_norm: Bound on the norm of each network's gradient; 0 for none.
        accumulate: Steps whose gradients are averaged for one update.
        precision: "float32", "bfloat16", or "float16", of the two networks' layers.
        cooldown: Part of all steps, the last ones, over which both rates fall to 0.
        burn_in: Times that clips are played forth and back before they are judged, so
            that the state is older: half of the clips once, a quarter twice, and so
            on. It costs the generator's work, no gradients.
        unroll: Steps over which a clip goes on with the generator's state, each of
            `data.clip_length` frames: back-propagation through time, truncated at the
            step. Clips of a batch differ in age. Needs `data.where` "device".
        ema_decay: Decay per step of the averaged generator that ships.
        alarm: What happens when training shows a failure mode: "warn", "reduce_lr",
            which halves both learning rates too, or "stop".
        alarm_every: Steps between looks for failure modes.
        log_every: Steps between scalars in TensorBoard.
        sample_every: Steps between moving samples in TensorBoard.
        evaluate_every: Steps between figures of validation clips; best.keras is the
            generator with the best of them.
        checkpoint_every: Steps between checkpoints; a killed run loses at most these.
    """

    start: str = ""
    start_layers: list[str] = dataclasses.field(default_factory=list)
    only: list[str] = dataclasses.field(default_factory=list)
    teacher: str = ""
    steps: int = 1000
    minutes: float = 0.0
    distribution: str = "none"
    batch_size: int = BATCH_SIZE
    schedule: list[dict] = dataclasses.field(default_factory=list)
    g_learning_rate: float = 1e-3
    d_learning_rate: float = 1e-3
    g_every: int = 1
    d_every: int = 1
    d_skip_above: float = 1.0
    clip_norm: float = 0.0
    accumulate: int = 1
    precision: str = "float32"
    cooldown: float = 0.0
    burn_in: int = 0
    unroll: int = 1
    ema_decay: float = 0.999
    alarm: str = "warn"
    alarm_every: int = 50
    log_every: int = 20
    sample_every: int = 500
    evaluate_every: int = 250
    checkpoint_every: int = 250

    def __post_init__(self) -> None:
        every = [f.name for f in dataclasses.fields(self) if f.name.endswith("_every")]
        counts = ("steps", "batch_size", "accumulate", "unroll", *every)
        rates = ("g_learning_rate", "d_learning_rate")
        precisions = ("float32", "bfloat16", "float16")
        alarms = ("warn", "reduce_lr", "stop")
        kinds = ("none", "data_parallel")
        rules = [
            ("names of layers", _all_text, ("start_layers", "only")),
            ("at least 1", lambda x: x >= 1, counts),
            ("above 0", lambda x: 0 < x < math.inf, rates),
            ("from 0 to below 1", lambda x: 0 <= x < 1, ("ema_decay",)),
            ("from 0 to 1", lambda x: 0 <= x <= 1, ("cooldown",)),
            ("from 0 to 8", lambda x: 0 <= x <= 8, ("burn_in",)),
            ("above -1, at most 1", lambda x: -1 < x <= 1, ("d_skip_above",)),
            ("at most train.steps", lambda x: x <= self.steps, ("accumulate",)),
            ("0 or more", lambda x: 0 <= x < math.inf, ("clip_norm", "minutes")),
            (", ".join(precisions), lambda x: x in precisions, ("precision",)),
            (", ".join(alarms), lambda x: x in alarms, ("alarm",)),
            (" or ".join(kinds), lambda x: x in kinds, ("distribution",)),
        ]
        checks.check_values("train", self, rules)


@dataclasses.dataclass(frozen=True)
class Experiment:
    """All that decides what a run computes.

    Attributes:
        data: Where clips come from.
        generator: Arguments of the generator, and "network", its kind in
            `vgan.models.NETWORKS`.
        discriminator: Arguments of `vgan.models.Discriminator`.
        losses: {name: weight, or a dict of arguments}, in the order in which they are
            summed. A name is that of a class in `vgan.losses`, in snake case; the
            adversarial loss is {"adversarial": {"name": "hinge", "weight": 0.2}}.
            "features" is the network of content and style: "random" (fixed random
            filters, no download), "vgg19" (keras.applications) or an .npz file.
        train: How long and how fast.
        seed: Of all that is random.
    """

    data: Data = dataclasses.field(default_factory=Data)
    generator: dict = dataclasses.field(default_factory=dict)
    discriminator: dict = dataclasses.field(default_factory=dict)
    losses: dict = dataclasses.field(default_factory=default_losses)
    train: Train = dataclasses.field(default_factory=Train)
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "losses", full_losses(self.losses))
        rules = [("from 0 to below 2**32", lambda x: 0 <= x < 2**32, ("seed",))]
        checks.check_values("experiment", self, rules)
        self.stages()  # raises where the schedule does not fit

    def stages(self) -> list[tuple[int, typing.Self]]:
        """Return [(step where it ends, Experiment with that stage's sizes)], in order.

        The last one ends where the run does. A shorter run is the beginning of a longer
        one.

        Raises:
            InputError: The schedule has an unknown field, a size that is out of range,
                or stages that are out of order.
        """
        stages, last, steps = [], 0, self.train.steps
        for number, stage in enumerate(self.train.schedule):
            name = f"train.schedule[{number}]"
            sizes = _stage_sizes(stage, name)
            until = sizes.pop("until")
            if not last < until:
                raise InputError(
                    f"{name}: until must be above {last}, where the stage before ends, "
                    f"got {until}"
                )
            batch_size = sizes.pop("batch_size", self.train.batch_size)
            try:
                data = dataclasses.replace(self.data, **sizes)
                train = dataclasses.replace(
                    self.train, batch_size=batch_size, schedule=[]
                )
            except InputError as error:
                raise InputError(f"{name}: {error}") from error
            if last < steps:
                part = dataclasses.replace(self, data=data, train=train)
                stages.append((min(until, steps), part))
            last = until
        if last < steps:
            full = dataclasses.replace(self.train, schedule=[])
            whole = (
                self if full == self.train else dataclasses.replace(self, train=full)
            )
            stages.append((steps, whole))
        return stages


def _all_text(values):
    return all(isinstance(value, str) for value in values)


def _stage_sizes(stage, name):
    """The fields of a stage, if each of them is known and a whole number."""
    known = ("until", "image_size", "clip_length", "style_length", "batch_size")
    if not isinstance(stage, dict) or "until" not in stage:
        raise InputError(f"{name}: must be a dict with 'until', got {stage!r}")
    for key, value in stage.items():
        if key not in known:
            raise InputError(f"{name}: no {key!r} there; known: {', '.join(known)}")
        checks.check_type(int, value, f"{name}.{key}")
    return dict(stage)
