"""What the generator made of a batch, and what the losses see of it.

What several losses need is worked out once, when it is first asked for.
"""

import functools

import keras
from keras import KerasTensor, ops

from vgan.train import teacher


class Forward:
    """A batch, what the generator made of it, and what the losses see of both.

    Args:
        gan: The compiled VideoGAN.
        batch: As `VideoGAN.update` takes it.
        frames: Judge these in place of the generator's.

    Attributes:
        batch: The dict of tensors.
        content: Its clips [B, T, H, W, 3] in [-1, 1].
        style: Its style clips [B, T', h, w, 3] in [-1, 1].
        frames: The result [B, T, H, W, 3] in [-1, 1].
        code: Codes of the batch's styles [B, D].
        state: The generator's state after the last frame.
        aged: Which clips began with the state of burn-in passes, bool [B]; with
            `burn_in`.
        fresh: What the first of these passes made of all clips, [B, T, H, W, 3].
        generator: The network that is trained.
        features: The fixed `FeatureNetwork`.
    """

    def __init__(
        self,
        gan: keras.Model,
        batch: dict[str, KerasTensor],
        frames: KerasTensor | None = None,
    ) -> None:
        self.gan = gan
        self.generator = gan.generator
        self.features = gan.features
        self.batch = batch
        self.content = batch["content"]
        self.style = batch["style"]
        self.code = self.generator.encode_style(self.style)
        state = self._burn_in() if gan.burn_in else self._carried()
        flow = batch.get("flow")
        made, self.state = self.generate(self.content, self.code, state, flow)
        self.frames = made if frames is None else frames

    def generate(
        self,
        content: KerasTensor,
        code: KerasTensor,
        state: dict[str, KerasTensor] | None = None,
        flow: KerasTensor | None = None,
    ) -> tuple[KerasTensor, dict[str, KerasTensor]]:
        """Run the generator over a clip; return frames and the new state."""
        return teacher.generate(self.generator, content, code, state, flow)

    def _burn_in(self):
        """Play clips forth and back; return the state that the judged ones begin with.

        Half of them have one pass behind them, a quarter two, and so on.
        """
        code, back = ops.stop_gradient(self.code), ops.flip(self.content, axis=1)
        chance = self.chance(1)
        state, self.fresh = None, None
        for number in range(self.gan.burn_in, 0, -1):
            frames, state = self.generate(
                self.content, code, state, self.batch.get("flow")
            )
            if self.fresh is None:
                self.fresh = ops.stop_gradient(frames)
            _, state = self.generate(back, code, state)
            self.aged = chance < 0.5**number
            state = {name: _where(self.aged, x, 0.0) for name, x in state.items()}
        return {name: ops.stop_gradient(value) for name, value in state.items()}

    def _carried(self):
        """The state that clips which go on were left in; None where all are new."""
        if not self.gan.carried or "age" not in self.batch:
            return None
        old, kept = self.batch["age"] > 0, self.gan.carried
        batch, _, height, width, _ = self.content.shape
        new = self.generator.initial_state(batch, height, width)
        return {name: _where(old, kept[name] + 0.0, x) for name, x in new.items()}

    def judge(self, clips: KerasTensor) -> KerasTensor:
        """Patch logits [B, t, h, w, 1] of clips, which are said to be of the style."""
        # The code is the discriminator's condition, not a way to please it.
        code = ops.stop_gradient(self.code)
        return self.gan.judge(clips, code, self.reference)

    def chance(self, index: int) -> KerasTensor:
        """Uniform noise from 0 to 1, a number for each clip, [B]."""
        return 0.5 + 0.5 * ops.erf(self.batch["noise"][:, index] / 2**0.5)

    @functools.cached_property
    def features_of_frames(self) -> dict[str, list[KerasTensor]]:
        """Features of the result in the fixed network."""
        return self.features(self.frames)

    @functools.cached_property
    def taught(self) -> KerasTensor:
        """What the teacher makes of the batch without noise, [B, T, H, W, 3]."""
        content = self.batch.get("clean", self.content)
        made = teacher.teach(self.gan.teacher, content, self.style)
        return ops.stop_gradient(made)

    @functools.cached_property
    def reference(self) -> KerasTensor | None:
        """The real clips beside the judged ones, of other styles; None without pairs.

        The same clips stand beside real and generated ones: nothing but the judged clip
        can give it away.
        """
        adversarial = self.gan.adversarial
        paired = adversarial is not None and adversarial.pair
        return ops.roll(self.style, 1, axis=0) if paired else None

    def motion(self) -> tuple[KerasTensor, KerasTensor]:
        """Flow [B, T - 1, H, W, 2] and occlusion [B, T - 1, H, W, 1] of the content."""
        return self.batch["flow"], self.batch["occlusion"]


def _where(mask, x, other):
    """Take x [B, ...] where the mask [B] is true, and the other elsewhere."""
    return ops.where(ops.reshape(mask, (-1, *[1] * (len(x.shape) - 1))), x, other)
