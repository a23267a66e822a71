"""The two networks, what each of them minimises, and the step that trains them.

One step trains the discriminator, then the generator, then moves the averaged
generator, which is the one that ships. How gradients are taken depends on the backend:
`gradients_tensorflow` and `gradients_jax`. A step is a function of weights and batch:
what chance it needs comes as noise with the batch.
"""

import contextlib
import inspect
import math

import keras
import numpy as np
from keras import ops

from vgan import InputError, models
from vgan.config.checks import check_where
from vgan.losses import adversarial
from vgan.losses.features import FeatureNetwork
from vgan.train import checks, optimizers, terms

if keras.backend.backend() == "jax":
    from vgan.train import gradients_jax as gradients
else:
    from vgan.train import gradients_tensorflow as gradients

make_deterministic = gradients.make_deterministic
accelerator = gradients.accelerator

DISEASES = ("flood", "oscillation", "discriminator", "style", "content")  # of alarm.py
WATCH_RATE = 0.01  # of the moving averages of the advantage, as in TecoGAN
STEER_RATE = 0.005  # of the logarithm of a weight, per step
STEER_MOST = 10.0  # times more or less than the weight that was given
PENALTIES = (  # weight, for which games, function of the discriminator's slope
    ("r1", "zero", adversarial.zero_centred_penalty),
    ("r2", "zero", adversarial.zero_centred_penalty),
    ("gradient_penalty", "one", adversarial.one_centred_penalty),
)


class VideoGAN(gradients.Gradients, keras.Model):
    """Generator, discriminator, and their losses; trained by `fit`.

    Args:
        config: The `vgan.config.Experiment`.
        teacher: What `losses.distillation` learns from, of `teacher.load_teacher`.

    Attributes:
        make_batch: Function (batch, pictures) that the step begins with, where `fit` is
            given draws, as `vgan.datasets.windows.make_batch`; or None.
        pictures: Its second argument, tensors in tuples: they are arguments of the
            compiled step, too, not part of it, and no part of the trained state.
        advantage: The discriminator's, -1 to 1, a moving average; see
            `adversarial.advantage`.
        advantage_variance: Moving average of its squared deviation.

    Raises:
        InputError: A network does not take an argument that the experiment gives, a
            loss is unknown, or fields of the experiment do not fit one another.
    """

    def __init__(self, config, teacher=None):
        super().__init__(name="video_gan")
        self.teacher = teacher
        self.weights_of_losses = config.losses
        self.train_config = config.train
        self.game = adversarial.game(config.losses.adversarial)
        checks.check_losses(config)
        check_where(config)
        self.make_batch = None
        self.features = FeatureNetwork(config.losses.features)
        if config.losses.second_style:
            self.second_features = FeatureNetwork(
                config.losses.second_features, "losses.second_features"
            )
        with _precision(config.train.precision):
            self.generator = _generator(config)
        with _precision(gradients.conv3d_precision(config.train.precision)):
            self.discriminator = _construct(
                models.Discriminator,
                "discriminator",
                {"code_size": self.generator.code_size, "pair": self.game.pair},
                config.discriminator,
            )
        checks.check_networks(config, self)
        plain = {**self.generator.get_config(), "dtype": "float32"}
        self.ema_generator = type(self.generator).from_config(plain)
        self.ema_generator.set_weights(self.generator.get_weights())

        self.learning = checks.learning_variables(self.generator, config.train.only)

        self.step = _counter(0, "step", "int32")
        self.advantage = _counter(0.0, "advantage")
        self.advantage_variance = _counter(0.0, "advantage_variance")
        self.rate_scale = _counter(1.0, "rate_scale")
        self.time_left = _counter(1.0, "time_left")  # of this start; not kept
        self.diseases = _counter([0] * len(DISEASES), "diseases", "int32")
        self.penalties = _counter([0.0] * len(PENALTIES), "penalties")
        self.steering = _counter([0.0] * len(config.losses.targets), "steering")
        random = np.random.default_rng(config.seed)
        noise = random.normal(size=(terms.CODES, self.generator.noise_size))
        self.codes = _counter(self.generator.encode_noise(noise), "codes")
        self.carried = {}  # state of clips that go on at the next step
        if config.train.unroll > 1:
            size = config.data.image_size
            state = self.generator.initial_state(config.train.batch_size, size, size)
            self.carried = {name: _counter(x, name) for name, x in state.items()}
        # Little momentum and a short memory, as is usual for GANs (StyleGAN2, 2020).
        self.g_optimizer = optimizers.adam(config.train, "g_learning_rate", beta_1=0.5)
        self.d_optimizer = optimizers.adam(config.train, "d_learning_rate", beta_1=0.0)
        self.g_optimizer.build(self.learning)
        self.d_optimizer.build(self.discriminator.trainable_variables)
        self.built = True
        self.compile(
            optimizer=optimizers.PairOptimizer(self.g_optimizer, self.d_optimizer),
            # Without it, JAX runs one operation after the other; with it, Keras warns
            # on TensorFlow that deterministic operations are not compiled by XLA.
            jit_compile=keras.backend.backend() == "jax",
        )

    def saved_variables(self):
        """All that a resumed run needs, {group: [variables]}."""
        alarm = [self.rate_scale, self.diseases]
        game = [self.advantage, self.advantage_variance, self.penalties]
        steering = [self.steering] if self.weights_of_losses.targets else []
        return {
            "generator": self.generator.weights,
            "ema_generator": self.ema_generator.weights,
            "discriminator": self.discriminator.weights,
            "g_optimizer": optimizers.memory(self.g_optimizer),
            "d_optimizer": optimizers.memory(self.d_optimizer),
            **({"carried": [*self.carried.values()]} if self.carried else {}),
            "counters": [self.step, *alarm, *game, self.codes, *steering],
        }

    def stylise(self, content, style, generator=None):
        """Return the clip [B, T, H, W, 3] and the style code [B, D]."""
        generator = generator or self.generator
        code = generator.encode_style(style)
        return terms.generate(generator, content, code)[0], code

    def update(self, batch, pictures=None):
        """Train on one batch: discriminator, generator, EMA; return scalars to log.

        Args:
            batch: As `vgan.datasets.clips` gives it, or draws, which
                `make_batch` makes such a batch of.
            pictures: What `make_batch` needs for that.
        """
        batch = keras.utils.unpack_x_y_sample_weight(batch)[0]
        if self.make_batch is not None:
            batch = self.make_batch(batch, pictures)
        self.set_learning_rates()

        def loss():
            forward = terms.Forward(self, batch)
            d_logs = self._update_discriminator(forward)
            # The same frames, against the discriminator that has just learned of them.
            value, g_logs = self.generator_loss(forward)
            for name, variable in self.carried.items():
                variable.assign(ops.stop_gradient(forward.state[name]))
            return value, {**g_logs, **d_logs}

        variables, train = self.learning, self.train_config
        slopes, logs = self.gradients(loss, variables, self.g_optimizer)
        self._apply(train.g_every, True, self.g_optimizer, slopes, variables)
        self.step.assign(self.step + 1)
        self._update_ema()
        self._steer(logs)
        return logs

    def _update_discriminator(self, forward):
        if not self.weights_of_losses.gan:
            return {}
        real, fake, code, reference = (
            None if x is None else ops.stop_gradient(x)
            for x in (forward.style, forward.frames, forward.code, forward.reference)
        )

        def loss():
            real_logits = self.discriminator(real, code, reference)
            fake_logits = self.discriminator(fake, code, reference)
            value, logs = self.discriminator_loss(real_logits, fake_logits)
            share = forward.chance(0)
            penalty, penalty_logs = self._penalty(real, fake, share, code, reference)
            return value + penalty, {**logs, **penalty_logs}

        variables, train = self.discriminator.trainable_variables, self.train_config
        slopes, logs = self.gradients(loss, variables, self.d_optimizer)
        awake = True if train.balance == 1 else self.advantage <= train.balance
        self._apply(train.d_every, awake, self.d_optimizer, slopes, variables)
        self._watch(logs["d/advantage"])
        return logs

    def _apply(self, every, awake, optimizer, slopes, variables):
        """Let a network learn if its turn has come and it is awake."""
        if every == 1 and awake is True:
            self.apply(optimizer, slopes, variables)
        else:
            due = ops.logical_and(self.step % every == 0, awake)
            self.apply_if(due, optimizer, slopes, variables)

    def _watch(self, advantage):
        """Follow the discriminator's advantage."""
        step = ops.cast(self.step, "float32")
        rate = ops.maximum(WATCH_RATE, 1.0 / (1.0 + step))
        deviation = advantage - self.advantage
        self.advantage.assign(self.advantage + rate * deviation)
        spread = (1.0 - rate) * ops.square(deviation) - self.advantage_variance
        self.advantage_variance.assign(self.advantage_variance + rate * spread)

    def _update_ema(self):
        """Move the averaged generator; the average is short while it is young."""
        step, train = ops.cast(self.step, "float32"), self.train_config
        decay = ops.minimum(train.ema_decay, (1.0 + step) / (10.0 + step))
        # The decay is meant per update of the weights, which not every step brings.
        rate = (1.0 - decay) / (train.accumulate * train.g_every)
        pairs = zip(self.ema_generator.weights, self.generator.weights, strict=True)
        for average, weight in pairs:
            average.assign(average + rate * (weight - average))

    def discriminator_loss(self, real, fake):
        """Loss of the game, without penalties, of patch logits; and what to log."""
        smoothing = self.weights_of_losses.label_smoothing
        labels = {"smoothing": smoothing} if smoothing else {}
        loss = self.game.discriminator(real, fake, **labels)
        return loss, {
            "d/loss": loss,
            "d/real": ops.mean(ops.sigmoid(real)),
            "d/fake": ops.mean(ops.sigmoid(fake)),
            "d/advantage": adversarial.advantage(real, fake),
        }

    def _penalty(self, real, fake, share, code, reference):
        """The weighted sum of the gradient penalties that the game takes; logs."""
        weights = self.weights_of_losses
        kinds = [
            (index, name, penalty)
            for index, (name, kind, penalty) in enumerate(PENALTIES)
            if kind == self.game.penalty and getattr(weights, name)
        ]
        if not kinds:
            return 0.0, {}

        def fresh():
            clips = {"r1": real, "r2": fake}
            if self.game.penalty == "one":
                mixed = real + share[:, None, None, None, None] * (fake - real)
                clips["gradient_penalty"] = mixed
            values = [ops.zeros(())] * len(PENALTIES)
            for index, name, penalty in kinds:
                gradient = self.slope(clips[name], code, reference)
                values[index] = penalty(gradient)
            return ops.stack(values)

        # Lazy: what is taken rarely weighs more; what is old has no gradient.
        due = self.step % weights.penalty_interval == 0
        values = ops.cond(due, fresh, lambda: self.penalties + 0.0)
        self.penalties.assign(ops.stop_gradient(values))
        total = sum(getattr(weights, name) * values[index] for index, name, _ in kinds)
        logs = {f"d/{name}": values[index] for index, name, _ in kinds}
        return weights.penalty_interval * total, logs

    def slope(self, clips, code, reference=None):
        """Gradient of each clip's mean patch logit by the clip, [B, T, h, w, 3]."""

        def score(clips):
            # Patches are averaged, clips are summed: each clip has its own gradient.
            logits = self.discriminator(clips, code, reference)
            return ops.sum(ops.mean(logits, axis=(1, 2, 3, 4)))

        return self.input_gradient(score, clips)

    def generator_loss(self, forward):
        """Weighted sum of the generator's terms, and each of them to log."""
        weights = self.weights_of_losses
        loss, logs = terms.mapping(forward), {}
        logs["g/mapping"] = loss
        for name, term in terms.TERMS.items():
            if getattr(weights, name):
                logs[f"g/{name}"] = term(forward)
                loss = loss + self.weight_of(name) * logs[f"g/{name}"]
        return loss, {"g/loss": loss, **logs}

    def weight_of(self, name):
        """Return what a term weighs at this step: as given, warmed up, steered."""
        weights = self.weights_of_losses
        weight = getattr(weights, name)
        if name == "gan" and weights.gan_warmup:
            step = ops.cast(self.step, "float32")
            weight *= ops.minimum(1.0, (step + 1.0) / weights.gan_warmup)
        if name in weights.targets:
            held = sorted(weights.targets).index(name)
            weight *= ops.exp(self.steering[held])
        return weight

    def _steer(self, logs):
        """Let the weights of terms that are held follow how far off these are.

        Ascent on the multipliers of constraints (Platt and Barr, 1987), of their
        logarithms, by errors relative to the targets, which may be of any scale.
        """
        if not self.weights_of_losses.targets:
            return
        errors = [
            ops.clip(logs[f"g/{name}"] / target - 1.0, -1.0, 1.0)
            for name, target in sorted(self.weights_of_losses.targets.items())
        ]
        most = math.log(STEER_MOST)
        moved = self.steering + STEER_RATE * ops.stack(errors)
        self.steering.assign(ops.clip(moved, -most, most))

    def set_learning_rates(self):
        """Set both rates to the experiment's, lowered by alarms and at the end."""
        train = self.train_config
        scale = self.rate_scale + 0.0
        if train.cooldown:
            left = 1.0 - ops.cast(self.step, "float32") / train.steps
            left = ops.minimum(left, self.time_left)
            scale *= ops.clip(left / train.cooldown, 0.0, 1.0)
        self.g_optimizer.learning_rate = scale * train.g_learning_rate
        self.d_optimizer.learning_rate = scale * train.d_learning_rate


def _counter(value, name, dtype="float32"):
    return keras.Variable(value, dtype=dtype, trainable=False, name=name)


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
