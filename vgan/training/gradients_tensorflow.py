"""One training step on TensorFlow: nested tapes."""

import keras
import tensorflow as tf

from vgan.losses import adversarial


def make_deterministic(seed):
    """Make a run's every number depend on the seed alone."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


class TensorFlowStep:
    """`train_step` of `VideoGAN` with tf.GradientTape."""

    def train_step(self, batch):
        """Discriminator, generator, EMA; returns a dict of scalars."""
        with tf.GradientTape() as tape:
            frames, code = self.stylise(batch["content"], batch["style"])
            with tape.stop_recording():
                d_logs = self._discriminator_step(batch["style"], frames, code)
            loss, g_logs = self.generator_loss(batch, frames, code)
        variables = self.generator.trainable_variables
        self.g_optimizer.apply(tape.gradient(loss, variables), variables)
        self.step.assign_add(1)
        self.update_ema()
        return {**g_logs, **d_logs}

    def _discriminator_step(self, real, fake, code):
        losses = self.weights_of_losses
        if not losses.gan:
            return {}
        variables = self.discriminator.trainable_variables

        def gradients(with_r1):
            with tf.GradientTape() as tape:
                loss, logs = self.discriminator_loss(real, fake, code)
                r1 = self.r1.value
                if with_r1:
                    r1 = self._r1(real, code)
                    # Lazy: its weight grows as it is taken more rarely.
                    loss = loss + losses.r1 * losses.r1_interval * r1
            return tape.gradient(loss, variables), {**logs, "d/r1": r1}

        if not losses.r1:
            applied, logs = gradients(with_r1=False)
        elif losses.r1_interval == 1:
            applied, logs = gradients(with_r1=True)
        else:
            due = self.step.value % losses.r1_interval == 0
            applied, logs = tf.cond(
                due, lambda: gradients(with_r1=True), lambda: gradients(with_r1=False)
            )
        self.r1.assign(logs["d/r1"])
        self.d_optimizer.apply(applied, variables)
        return logs

    def _r1(self, real, code):
        with tf.GradientTape() as tape:
            tape.watch(real)
            logits = self.discriminator(real, code)
            # patches are averaged, clips are summed: each clip has its own gradient
            score = tf.reduce_sum(tf.reduce_mean(logits, axis=(1, 2, 3, 4)))
        return adversarial.gradient_penalty(tape.gradient(score, real))
