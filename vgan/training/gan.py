"""The two networks, what each of them minimises, and the step that trains them.

One step trains the discriminator, then the generator, then moves the averaged
generator, which is the one that ships. How gradients are taken depends on the backend:
`gradients_tensorflow` and `gradients_jax`.
"""

import keras
from keras import ops

from vgan import InputError, models
from vgan.losses import adversarial, distribution, perceptual, temporal
from vgan.losses.features import FeatureNetwork

if keras.backend.backend() == "jax":
    from vgan.training.gradients_jax import Gradients, make_deterministic
else:
    from vgan.training.gradients_tensorflow import Gradients, make_deterministic

__all__ = ["VideoGAN", "make_deterministic"]

SMALLEST = 32  # pixels; below, the deeper features have no area
CODES = 64  # that are compared: of the last styles, and from noise


class VideoGAN(Gradients, keras.Model):
    """Generator, discriminator, and their losses; trained by `fit`.

    Args:
        config: The `vgan.config.Experiment`.

    Raises:
        InputError: A network does not take an argument that the experiment gives, or
            a loss is unknown.
    """

    def __init__(self, config):
        super().__init__(name="video_gan")
        self.weights_of_losses = config.losses
        self.train_config = config.train
        code_size = config.generator.get("code_size")
        shared = {} if code_size is None else {"code_size": code_size}
        self.generator = _construct(
            models.Generator,
            "generator",
            {"style_size": config.data.image_size, **config.generator},
        )
        self.discriminator = _construct(
            models.Discriminator, "discriminator", {**shared, **config.discriminator}
        )
        if self.discriminator.code_size != self.generator.code_size:
            raise InputError(
                f"discriminator.code_size: {self.discriminator.code_size} is not the "
                f"generator's {self.generator.code_size}; leave it out"
            )
        self.ema_generator = models.Generator.from_config(self.generator.get_config())
        self.ema_generator.set_weights(self.generator.get_weights())
        if config.data.image_size < SMALLEST:
            raise InputError(
                f"data.image_size: {config.data.image_size} is too small for the "
                f"networks; give at least {SMALLEST}"
            )
        if config.data.image_size % self.generator.stride:
            raise InputError(
                f"data.image_size: {config.data.image_size} does not divide by the "
                f"generator's stride {self.generator.stride}"
            )
        self.features = FeatureNetwork(config.losses.features)
        if not any("content" in roles for roles in self.features.roles.values()):
            raise InputError(
                f"losses.features: {config.losses.features} ends before the layer that "
                "content is read from, conv3_1; give a deeper network"
            )
        self.game = adversarial.game(config.losses.adversarial)
        self.step = keras.Variable(0, dtype="int32", trainable=False, name="step")
        self.r1 = keras.Variable(0.0, trainable=False, name="r1")
        self.seed = keras.random.SeedGenerator(config.seed)
        self.codes = keras.Variable(
            self.generator.encode_noise(
                keras.random.normal(
                    (CODES, self.generator.noise_size), seed=config.seed
                )
            ),
            trainable=False,
            name="codes",
        )
        # Little momentum and a short memory, as is usual for GANs (StyleGAN2, 2020).
        self.g_optimizer = keras.optimizers.Adam(
            config.train.g_learning_rate, beta_1=0.5, beta_2=0.99
        )
        self.d_optimizer = keras.optimizers.Adam(
            config.train.d_learning_rate, beta_1=0.0, beta_2=0.99
        )
        self.g_optimizer.build(self.generator.trainable_variables)
        self.d_optimizer.build(self.discriminator.trainable_variables)
        self.built = True
        self.compile(
            optimizer=PairOptimizer(self.g_optimizer, self.d_optimizer),
            # without it, JAX runs one operation after the other
            jit_compile=config.train.jit_compile or keras.backend.backend() == "jax",
        )

    def saved_variables(self):
        """All that a resumed run needs, {group: [variables]}."""
        return {
            "generator": self.generator.weights,
            "ema_generator": self.ema_generator.weights,
            "discriminator": self.discriminator.weights,
            "g_optimizer": _memory(self.g_optimizer),
            "d_optimizer": _memory(self.d_optimizer),
            "counters": [self.step, self.r1, self.seed.state, self.codes],
        }

    def stylise(self, content, style, generator=None):
        """Return the clip [B, T, H, W, 3] and the style code [B, D]."""
        generator = generator or self.generator
        code = generator.encode_style(style)
        batch, _, height, width, _ = content.shape
        state = generator.initial_state(batch, height, width)
        frames, _ = generator(content, code, state)
        return frames, code

    def update(self, batch):
        """Train on one batch: discriminator, generator, EMA; return scalars to log."""

        def loss():
            frames, code = self.stylise(batch["content"], batch["style"])
            d_logs = self._update_discriminator(
                batch["style"], ops.stop_gradient(frames), ops.stop_gradient(code)
            )
            # The same frames, against the discriminator that has just learned of them.
            value, g_logs = self.generator_loss(batch, frames, code)
            return value, {**g_logs, **d_logs}

        variables = self.generator.trainable_variables
        gradients, logs = self.gradients(loss, variables)
        self.g_optimizer.apply(gradients, variables)
        self.step.assign(self.step + 1)
        self._update_ema()
        return logs

    def _update_discriminator(self, real, fake, code):
        weights = self.weights_of_losses
        if not weights.gan:
            return {}
        due = self.step % weights.penalty_interval == 0

        def loss():
            value, logs = self.discriminator_loss(real, fake, code)
            if weights.r1:
                # Lazy: what is taken rarely weighs more; what is old has no gradient.
                r1 = ops.cond(
                    due, lambda: self.r1_penalty(real, code), lambda: self.r1 + 0.0
                )
                value = value + weights.r1 * weights.penalty_interval * r1
                logs["d/r1"] = r1
            return value, logs

        variables = self.discriminator.trainable_variables
        gradients, logs = self.gradients(loss, variables)
        self.d_optimizer.apply(gradients, variables)
        self.r1.assign(logs.get("d/r1", self.r1))
        return logs

    def _update_ema(self):
        """Move the averaged generator; the average is short while it is young."""
        step = ops.cast(self.step, "float32")
        decay = ops.minimum(self.train_config.ema_decay, (1.0 + step) / (10.0 + step))
        pairs = zip(self.ema_generator.weights, self.generator.weights, strict=True)
        for average, weight in pairs:
            average.assign(average + (1.0 - decay) * (weight - average))

    def discriminator_loss(self, real, fake, code):
        """Loss of the game, without R1, and what to log."""
        real_logits = self.discriminator(real, code)
        fake_logits = self.discriminator(fake, code)
        loss = self.game[0](real_logits, fake_logits)
        return loss, {
            "d/loss": loss,
            "d/real": ops.mean(ops.sigmoid(real_logits)),
            "d/fake": ops.mean(ops.sigmoid(fake_logits)),
        }

    def r1_penalty(self, real, code):
        """R1 of the real clips [B, T', h, w, 3]."""

        def score(clips):
            # Patches are averaged, clips are summed: each clip has its own gradient.
            logits = self.discriminator(clips, code)
            return ops.sum(ops.mean(logits, axis=(1, 2, 3, 4)))

        return adversarial.gradient_penalty(self.input_gradient(score, real))

    def generator_loss(self, batch, frames, code):
        """Weighted sum of the generator's terms, and each of them to log."""
        weights = self.weights_of_losses
        result = self.features(frames)
        terms = {
            "content": perceptual.content_loss(
                result["content"], self.features(batch["content"])["content"]
            ),
            "style": perceptual.style_loss(
                result["style"], self.features(batch["style"])["style"]
            ),
            "temporal": temporal.warp_loss(frames, batch["flow"], batch["occlusion"]),
        }
        if weights.gan:
            # The code is the discriminator's condition, not a way to please it.
            logits = self.discriminator(frames, ops.stop_gradient(code))
            terms["gan"] = self.game[1](logits)
        loss = sum(getattr(weights, name) * term for name, term in terms.items())
        logs = {f"g/{name}": term for name, term in terms.items()}
        logs["g/mapping"] = self._mapping_loss(ops.stop_gradient(code))
        loss = loss + logs["g/mapping"]
        return loss, {"g/loss": loss, **logs}

    def _mapping_loss(self, code):
        """Codes from noise should be distributed as those of the last styles are."""
        self.codes.assign(ops.concatenate([code, self.codes], axis=0)[:CODES])
        shape = (CODES, self.generator.noise_size)
        noise = keras.random.normal(shape, seed=self.seed)
        mapped = self.generator.encode_noise(noise)
        return distribution.energy_distance(mapped, self.codes + 0.0)


class PairOptimizer(keras.optimizers.Optimizer):
    """Both optimizers as the one that Keras knows of, so that it carries their state.

    It is never applied: each of the two is, to its own network.
    """

    def __init__(self, generator, discriminator):
        super().__init__(learning_rate=0.0, name="pair")
        self.pair = (generator, discriminator)
        self.built = True

    @property
    def variables(self):
        """State of both."""
        return [*self.pair[0].variables, *self.pair[1].variables]


def _memory(optimizer):
    """An optimizer's variables but the learning rate, which the experiment decides."""
    return [v for v in optimizer.variables if v.name != "learning_rate"]


def _construct(network, section, arguments):
    try:
        return network(**arguments)
    except (TypeError, ValueError) as error:
        raise InputError(f"{section}: {error}") from error
