"""The fields of an experiment: what each of them means, and what it may hold."""

import dataclasses
import math

from vgan import InputError
from vgan.config import checks
from vgan.datasets.spec import ClipSpec


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

    def __post_init__(self):
        super().__post_init__()
        places = ("host", "device")
        rules = [("host or device", lambda x: x in places, ("where",))]
        checks.check_values("data", self, rules)


@dataclasses.dataclass(frozen=True)
class Losses:
    """Which terms the two networks minimise, and their weights (0 leaves one out).

    Formulas and sources: vgan/losses/ (adversarial.py: the games and penalties;
    perceptual.py: content and style; temporal.py; reconstruction.py; regularizers.py).

    Attributes:
        adversarial: The game: "relativistic", "non_saturating", "minimax", "pair",
            "least_squares", "hinge" or "wasserstein".
        gan: Weight of the game in what the generator minimises.
        gan_warmup: Steps over which this weight grows from 0.
        feature_matching: Weight of the discriminator's features, result against style.
        label_smoothing: Taken off the label 1 of real clips, in games that have labels.
        r1: Gamma of the discriminator's R1 penalty (on real clips); not in wasserstein.
        r2: The same of R2 (on generated clips).
        gradient_penalty: Weight of the gradient penalty of wasserstein.
        penalty_interval: Steps from one penalty to the next (lazy regularisation).
        features: Network of the perceptual terms: "random" (fixed random filters,
            no download), "vgg19" (keras.applications), or the path of an .npz file.
        content: Relative feature error against the content.
        layout: Whether light and dark patches lie as in the content.
        edges: Whether edges are strong and weak where the content's are.
        style: Gram and mean/spread errors against the style.
        second_features: Another network for `second_style`; "" for none.
        second_style: As `style`, in `second_features`, of each clip's last frame alone:
            a large network, which sees more, can be paid for one frame of several.
        second_grey: Part of the clips that `second_style` compares without colour, so
            that nothing but brushwork can please it.
        total_variation: Differences of neighbouring pixels.
        reconstruction_l1: Absolute error against `data.target`.
        reconstruction_l2: Squared error against `data.target`.
        distillation: Error against what `train.teacher` makes of the same, at several
            sizes and of edges.
        distillation_texture: As `style`, against what the teacher makes of the same.
        code: The style code of the result against the one that was asked for.
        identity: Content in its own style against the content.
        cycle: The result, in the content's style, against the content.
        diversity: Rewards that two random codes give different results.
        temporal: Warped difference of neighbouring frames.
        temporal_luminance: The same, but following the content's change of light.
        temporal_feature: Warped difference of the content encoder's features.
        temporal_long: Warped difference of each frame and the first.
        frame_difference: Change of the result against the change of the content.
        ping_pong: The clip played forward against the same played back.
        aging: The clip as a state of some laps paints it against how a fresh one does;
            needs `train.laps`.
        targets: Values to hold terms at, {term: value}: while a term is above its
            value, its weight grows, while below, it falls, to within ten times and a
            tenth of what is given. So what is not held goes as far as these let it.
    """

    adversarial: str = "relativistic"
    gan: float = 0.2
    gan_warmup: int = 0
    feature_matching: float = 0.0
    label_smoothing: float = 0.0
    r1: float = 1.0
    r2: float = 1.0
    gradient_penalty: float = 10.0
    penalty_interval: int = 4
    features: str = "random"
    content: float = 0.5
    layout: float = 0.0
    edges: float = 0.0
    style: float = 10.0
    second_features: str = ""
    second_style: float = 0.0
    second_grey: float = 0.0
    total_variation: float = 0.0
    reconstruction_l1: float = 0.0
    reconstruction_l2: float = 0.0
    distillation: float = 0.0
    distillation_texture: float = 0.0
    code: float = 0.0
    identity: float = 0.0
    cycle: float = 0.0
    diversity: float = 0.0
    temporal: float = 20.0
    temporal_luminance: float = 0.0
    temporal_feature: float = 0.0
    temporal_long: float = 0.0
    frame_difference: float = 0.0
    ping_pong: float = 0.0
    aging: float = 0.0
    targets: dict[str, float] = dataclasses.field(default_factory=dict, hash=False)

    def __post_init__(self):
        others = (
            *("adversarial", "features", "second_features", "targets"),
            *("label_smoothing", "penalty_interval", "second_grey"),
        )
        weights = [f.name for f in dataclasses.fields(self) if f.name not in others]
        rules = [
            ("0 or more", lambda x: 0 <= x < math.inf, weights),
            ("from 0 to below 1", lambda x: 0 <= x < 1, ("label_smoothing",)),
            ("from 0 to 1", lambda x: 0 <= x <= 1, ("second_grey",)),
            ("at least 1", lambda x: x >= 1, ("penalty_interval",)),
        ]
        checks.check_values("losses", self, rules)


@dataclasses.dataclass(frozen=True)
class Train:
    """How long and how fast, and what keeps the game in balance.

    Attributes:
        start: Path of a generator.keras, or name of a model that ships, whose weights
            the generator begins with; "" for random ones. Its networks have the same
            arguments.
        start_layers: Layers that are taken from there, as ["style", "filter"]; the
            other layers may be of another size. All, where none is named.
        only: Layers of the generator that learn, as ["filter"], or that do not, as
            ["-filter"]; the others keep their weights, or learn. All learn, where none
            is named.
        teacher: Path of the model that `losses.distillation` learns from: a
            generator.keras of any kind and size, or a `.keras` file whose inputs
            "content" and "style" are pictures [N, H, W, 3] in [-1, 1], as its output.
        steps: Steps in all, resumed ones included; each takes a new batch.
        minutes: Stop after so many, saved and ready to go on, though steps are left; 0
            for no such end. Each start of the command has as many, from its first line
            on; `cooldown` is then of these minutes, if they end first.
        batch_size: Clips per step, over all devices.
        schedule: Stages that come before the full size: dicts of "until", a step, and
            any of "image_size", "clip_length", "style_length" and "batch_size", as in
            [{"until": 500, "image_size": 64, "clip_length": 2}].
        g_learning_rate: Adam's rate for the generator.
        d_learning_rate: Adam's rate for the discriminator.
        g_every: The generator learns at every so many steps only.
        d_every: The discriminator likewise.
        balance: The discriminator rests while its advantage, -1 to 1, is on average
            over this; 1 lets it always learn, 0.4 is TecoGAN's.
        clip_norm: Bound on the norm of each network's gradient; 0 for none.
        accumulate: Steps whose gradients are averaged for one update.
        precision: "float32", "bfloat16", or "float16", of the two networks' layers.
        cooldown: Part of all steps, the last ones, over which both rates fall to 0.
        laps: Times that clips are played forth and back before they are judged, so that
            the state is older: half of the clips by one lap, a quarter by two, and so
            on. It costs the generator's work, no gradients.
        unroll: Steps over which a clip goes on with the generator's state, each of
            `data.clip_length` frames: back-propagation through time, truncated at the
            step. Clips of a batch differ in age. Needs `data.where` "device".
        ema_decay: Decay per step of the averaged generator that ships.
        alarm: What happens when the game goes wrong: "say" it, "lower" the learning
            rates too, or "stop" too.
        alarm_every: Steps between looks at how the game goes.
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
    batch_size: int = 4
    schedule: list[dict] = dataclasses.field(default_factory=list)
    g_learning_rate: float = 1e-3
    d_learning_rate: float = 1e-3
    g_every: int = 1
    d_every: int = 1
    balance: float = 1.0
    clip_norm: float = 0.0
    accumulate: int = 1
    precision: str = "float32"
    cooldown: float = 0.0
    laps: int = 0
    unroll: int = 1
    ema_decay: float = 0.999
    alarm: str = "say"
    alarm_every: int = 50
    log_every: int = 20
    sample_every: int = 500
    evaluate_every: int = 250
    checkpoint_every: int = 250

    def __post_init__(self):
        every = [f.name for f in dataclasses.fields(self) if f.name.endswith("_every")]
        counts = ("steps", "batch_size", "accumulate", "unroll", *every)
        rates = ("g_learning_rate", "d_learning_rate")
        precisions, alarms = (
            ("float32", "bfloat16", "float16"),
            ("say", "lower", "stop"),
        )
        rules = [
            ("names of layers", _all_text, ("start_layers", "only")),
            ("at least 1", lambda x: x >= 1, counts),
            ("above 0", lambda x: 0 < x < math.inf, rates),
            ("from 0 to below 1", lambda x: 0 <= x < 1, ("ema_decay",)),
            ("from 0 to 1", lambda x: 0 <= x <= 1, ("cooldown",)),
            ("from 0 to 8", lambda x: 0 <= x <= 8, ("laps",)),
            ("above -1, at most 1", lambda x: -1 < x <= 1, ("balance",)),
            ("at most train.steps", lambda x: x <= self.steps, ("accumulate",)),
            ("0 or more", lambda x: 0 <= x < math.inf, ("clip_norm", "minutes")),
            (", ".join(precisions), lambda x: x in precisions, ("precision",)),
            (", ".join(alarms), lambda x: x in alarms, ("alarm",)),
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
            "experiment",
            self,
            [("from 0 to below 2**32", lambda x: 0 <= x < 2**32, ("seed",))],
        )
        self.stages()  # raises where the schedule does not fit

    def stages(self):
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
