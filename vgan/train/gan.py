"""The two networks, and the step that trains them.

One step trains the discriminator, then the generator, then moves the averaged
generator, which is the one that ships. How gradients are taken depends on the backend:
`gradients_tensorflow` and `gradients_jax`. A step is a function of weights and batch:
what chance it needs comes as noise with the batch.
"""

import typing
from collections.abc import Callable, Iterable

import keras
from keras import KerasTensor, ops

from vgan import InputError
from vgan.checks import number, shown
from vgan.losses.adversarial import Adversarial
from vgan.losses.base import Loss
from vgan.losses.features import FeatureNetwork
from vgan.train import optimizers, state, teacher
from vgan.train.forward import Forward
from vgan.train.objectives import Objectives, adversarial_of, list_of

if keras.backend.backend() == "jax":
    from vgan.train import gradients_jax as gradients
else:
    from vgan.train import gradients_tensorflow as gradients

make_deterministic = gradients.make_deterministic
accelerator = gradients.accelerator

SEEDS = 2**32
SHUFFLE = 7  # place of that argument of `fit`, after x
FAILURE_MODES = ("flood", "oscillation", "discriminator", "style", "content")


def _only_trains(name: str) -> Callable[..., typing.NoReturn]:
    """Method that raises InputError, in the place of one that makes no sense here."""

    def refuse(self, *_, **__):
        raise InputError(
            f"VideoGAN.{name}: a VideoGAN is there for training; take its "
            "ema_generator, which is the model that ships"
        )

    return refuse


class VideoGAN(Objectives, gradients.Gradients, keras.Model):
    """A generator and a discriminator of clips, trained against each other by `fit`.

    Args:
        generator: Any Keras model that is called as `vgan.models.Generator` is:
            (content [B, T, H, W, 3], code [B, D], state) -> (frames [B, T, H, W, 3],
            state), with `encode_style(style [B, T', h, w, 3]) -> code`,
            `initial_state(B, H, W) -> {name: tensor}` and `get_config`. With
            `encode_noise(noise [B, Z]) -> code` and `noise_size`, it learns codes
            from noise, too.
        discriminator: Any Keras model that is called as `vgan.models.Discriminator`
            is: (frames, code) -> patch logits [B, t, h, w, 1], without a sigmoid. With
            an adversarial loss of pairs: (frames, code, reference).

    Attributes:
        ema_generator: Moving average of the generator in float32, which ships.
        base: Model whose style codes alone learn, or None: what ships is this model,
            unchanged, with the run's styles among its named ones.
        make_batch: Function (batch, pictures) that the step begins with, where `fit` is
            given draws; or None.
        pictures: Its second argument, tensors in tuples: they are arguments of the
            compiled step, too, not part of it, and no part of the trained state.
        step: Number of steps so far, a variable.

    Raises:
        InputError: A network is none, or is not of its kind.

    Example:
        gan = VideoGAN(Generator(), Discriminator(code_size=64))
        gan.compile(
            g_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.99),
            d_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.99),
            adversarial=losses.Relativistic(0.2),
            losses=[losses.Content(0.5), losses.Style(10.0), losses.Temporal(20.0)],
        )
        gan.fit(clips, steps_per_epoch=1000)
        gan.ema_generator.save("generator.keras")
    """

    __call__ = _only_trains("call")
    evaluate = _only_trains("evaluate")
    predict = _only_trains("predict")
    save = _only_trains("save")

    def __init__(self, generator: keras.Model, discriminator: keras.Model) -> None:
        self.check_contract(generator, discriminator)
        super().__init__(name="video_gan")
        self.generator = generator
        self.discriminator = discriminator
        plain = {**generator.get_config(), "dtype": "float32"}
        self.ema_generator = type(generator).from_config(plain)
        self.ema_generator.set_weights(generator.get_weights())
        self.make_batch = self.base = None

    def compile(
        self,
        g_optimizer: keras.optimizers.Optimizer | str,
        d_optimizer: keras.optimizers.Optimizer | str,
        adversarial: Adversarial | None = None,
        losses: Iterable[Loss] = (),
        *,
        features: str | FeatureNetwork = "random",
        teacher: keras.Model | None = None,
        ema_decay: float = 0.999,
        g_every: int = 1,
        d_every: int = 1,
        d_skip_above: float = 1.0,
        burn_in: int = 0,
        carry: tuple[int, int, int] | None = None,
        cooldown: float = 0.0,
        steps: int | None = None,
        seed: int = 0,
    ) -> None:
        """Say what is minimized, and how.

        Args:
            g_optimizer: Of the generator, a `keras.optimizers.Optimizer`, or what
                `keras.optimizers.get` takes, such as "adam".
            d_optimizer: Of the discriminator; not the same object.
            adversarial: A `losses.Adversarial`, such as `losses.Relativistic(0.2)`;
                None where `losses` holds one, or where the discriminator is not used.
            losses: What else the generator minimizes: `losses.Loss` objects, summed in
                this order.
            features: What `losses.features.FeatureNetwork` takes, or one; it gives the
                features of content and style.
            teacher: Model that the distillation losses learn from, as
                `teacher.load_teacher` gives it.
            ema_decay: Decay per step of the averaged generator, 0 to below 1.
            g_every: The generator learns at every so many steps only, 1 or more.
            d_every: The discriminator likewise.
            d_skip_above: The discriminator skips its update while its advantage, -1 to
                1, is on average over this; 1 never skips, 0.4 is TecoGAN's.
            burn_in: Passes, forth and back, that clips take before they are judged, so
                that the state is older: half of the clips take one, a quarter two, ...;
                0 to 8.
            carry: (B, H, W) of batches whose clips go on over steps with their state;
                None where every clip is new.
            cooldown: Part of `steps`, the last ones, over which both learning rates
                fall to 0; 0 to 1.
            steps: Number of steps in all; needed with `cooldown`.
            seed: Of the first codes that noise is compared with; 0 to below 2**32.

        Raises:
            InputError: An argument is out of its range, a loss lacks what it needs, or
                the networks do not fit.
        """
        g_optimizer, d_optimizer = optimizers.pair_of(g_optimizer, d_optimizer)
        self.ema_decay = number("ema_decay", ema_decay, most=1, below=True)
        self.d_skip_above = number("d_skip_above", d_skip_above, -1, 1, above=True)
        self.g_every = number("g_every", g_every, 1, whole=True)
        self.d_every = number("d_every", d_every, 1, whole=True)
        self.burn_in = number("burn_in", burn_in, most=8, whole=True)
        cooldown = number("cooldown", cooldown, most=1)
        seed = number("seed", seed, most=SEEDS, below=True, whole=True)
        if steps is not None:
            steps = number("steps", steps, 1, whole=True)
        elif cooldown:
            raise InputError(f"steps: is needed with cooldown={cooldown}; give it")
        if teacher is not None and not isinstance(teacher, keras.Model):
            raise InputError(
                "teacher: takes a Keras model, as vgan.train.teacher.load_teacher "
                f"gives it, got {shown(teacher)}"
            )
        terms = list_of(losses)
        if adversarial is not None:
            if not isinstance(adversarial, Adversarial):
                raise InputError(
                    "adversarial: takes an object such as losses.Hinge(0.2), got "
                    f"{shown(adversarial)}"
                )
            terms.append(adversarial)
        self.adversarial = adversarial_of(terms)
        self.terms = terms
        self.teacher = teacher
        if carry is not None:
            carry = self._sizes_of_carry(carry)
        if not isinstance(features, FeatureNetwork):
            features = FeatureNetwork(features, "features")
        self.features = features
        self._check_networks()

        self.g_optimizer, self.d_optimizer = g_optimizer, d_optimizer
        g_optimizer.build(self.generator.trainable_variables)
        d_optimizer.build(self.discriminator.trainable_variables)

        self.step = state.variable(0, "step", "int32")
        self.rates = state.LearningRates(g_optimizer, d_optimizer, cooldown, steps)
        none = [0] * len(FAILURE_MODES)
        self.failure_modes = state.variable(none, "failure_modes", "int32")
        self.advantage = state.Advantage()
        self.penalties = state.LazyPenalties(self.adversarial)
        self.multipliers = state.Multipliers(terms)
        self.codes = None
        mapping = getattr(self.generator, "mapping", self.generator)
        if hasattr(self.generator, "encode_noise") and mapping.trainable_variables:
            self.codes = state.RecentCodes(self.generator, seed)
        self.carried = {}  # state of clips that go on at the next step
        if carry is not None:
            first = self.generator.initial_state(*carry)
            self.carried = {name: state.variable(x, name) for name, x in first.items()}
        # Keras finds variables in lists that are attributes.
        self.counters = [
            *(self.step, *self.rates.variables, self.failure_modes),
            *(*self.advantage.variables, *self.penalties.variables),
            *(self.codes.variables if self.codes else ()),
            *self.multipliers.variables,
        ]
        self._unsaved = [self.rates.time_left]
        self._compiled_update = None
        self.built = True
        super().compile(
            optimizer=optimizers.PairOptimizer(g_optimizer, d_optimizer),
            # Without it, JAX runs one operation after the other; with it, Keras warns
            # on TensorFlow that deterministic operations are not compiled by XLA.
            jit_compile=keras.backend.backend() == "jax",
        )

    def saved_variables(self) -> dict[str, list]:
        """All that a resumed run needs, {group: [variables]}."""
        return {
            "generator": self.generator.weights,
            "ema_generator": self.ema_generator.weights,
            "discriminator": self.discriminator.weights,
            "g_optimizer": optimizers.slot_variables(self.g_optimizer),
            "d_optimizer": optimizers.slot_variables(self.d_optimizer),
            **({"carried": [*self.carried.values()]} if self.carried else {}),
            "counters": [*self.counters],
        }

    def stylize(
        self,
        content: KerasTensor,
        style: KerasTensor,
        generator: keras.Model | None = None,
    ) -> tuple[KerasTensor, KerasTensor]:
        """Return the clip [B, T, H, W, 3] and the style code [B, D]."""
        generator = generator or self.generator
        code = generator.encode_style(style)
        return teacher.generate(generator, content, code)[0], code

    def fit(
        self, x: typing.Any = None, *args: typing.Any, **kwargs: typing.Any
    ) -> keras.callbacks.History:
        """Train on batches; see `keras.Model.fit`, whose other arguments it takes.

        Args:
            x: A data set of batches, such as `vgan.datasets.clips` makes, or whatever
                else Keras takes that gives dicts as `update` describes.
            *args: As of Keras.
            **kwargs: As of Keras.

        Raises:
            InputError: There are no batches, or the first does not fit.
        """
        self._check_compiled()
        if x is None or isinstance(x, (str, bytes, list, tuple, int, float)):
            raise InputError(
                "x: takes batches {'content', 'style', ...}, as vgan.datasets.clips "
                f"makes them, got {shown(x)}"
            )
        if hasattr(x, "as_numpy_iterator"):  # Keras warns that it shuffles none of it
            kwargs = kwargs if len(args) > SHUFFLE else {"shuffle": False, **kwargs}
        return super().fit(x, *args, **kwargs)

    @gradients.compiled
    def update(self, batch: dict, pictures: tuple | None = None) -> dict:
        """Train on one batch: discriminator, generator, EMA; return scalars to log.

        Args:
            batch: {"content" [B, T, H, W, 3], "style" [B, T', h, w, 3], in [-1, 1],
                and what the losses need}, as `vgan.datasets` gives it; or draws, which
                `make_batch` makes such a batch of.
            pictures: What `make_batch` needs for that.

        Raises:
            InputError: The batch lacks something, or its shapes or types do not fit.
        """
        self._check_compiled()
        if isinstance(batch, tuple | list) and batch:  # x of x, y, sample_weight
            batch = batch[0]
        if self.make_batch is not None:
            batch = self.make_batch(batch, pictures)
        self._check_batch(batch)
        self.rates.update(self.step)

        def loss():
            forward = Forward(self, batch)
            d_logs = self._update_discriminator(forward)
            # The same frames, against the discriminator that has just learned of them.
            value, g_logs = self.generator_loss(forward)
            for name, variable in self.carried.items():
                variable.assign(ops.stop_gradient(forward.state[name]))
            return value, {**g_logs, **d_logs}

        variables = self.generator.trainable_variables
        found, logs = self.gradients(loss, variables, self.g_optimizer)
        self._apply(self.g_every, True, self.g_optimizer, found, variables)
        self.step.assign(self.step + 1)
        self._update_ema()
        self.multipliers.update(logs)
        return logs

    def _update_discriminator(self, forward):
        if self.adversarial is None:
            return {}
        real, fake, code, reference = (
            None if x is None else ops.stop_gradient(x)
            for x in (forward.style, forward.frames, forward.code, forward.reference)
        )
        share = forward.chance(0) if "noise" in forward.batch else None

        def loss():
            real_logits = self.judge(real, code, reference)
            fake_logits = self.judge(fake, code, reference)
            value, logs = self.discriminator_loss(real_logits, fake_logits)

            def gradient_at(clips):
                return self.logit_gradient(clips, code, reference)

            penalty, penalty_logs = self.penalties.update(
                self.step,
                lambda: self.adversarial.penalty(gradient_at, real, fake, share),
            )
            return value + penalty, {**logs, **penalty_logs}

        variables = self.discriminator.trainable_variables
        found, logs = self.gradients(loss, variables, self.d_optimizer)
        limit = self.d_skip_above
        learns = True if limit == 1 else self.advantage.mean <= limit
        self._apply(self.d_every, learns, self.d_optimizer, found, variables)
        self.advantage.update(logs["d/advantage"], self.step)
        return logs

    def _apply(self, every, learns, optimizer, found, variables):
        """Let a network learn if its turn has come and it may."""
        if every == 1 and learns is True:
            self.apply(optimizer, found, variables)
        else:
            due = ops.logical_and(self.step % every == 0, learns)
            self.apply_if(due, optimizer, found, variables)

    def _update_ema(self):
        """Move the averaged generator; the average is short while it is young."""
        step = ops.cast(self.step, "float32")
        decay = ops.minimum(self.ema_decay, (1.0 + step) / (10.0 + step))
        # The decay is meant per update of the weights, which not every step brings.
        updates = optimizers.accumulation_steps(self.g_optimizer) * self.g_every
        rate = (1.0 - decay) / updates
        pairs = zip(self.ema_generator.weights, self.generator.weights, strict=True)
        for average, weight in pairs:
            average.assign(average + rate * (weight - average))
