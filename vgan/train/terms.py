"""The terms that the generator minimises, each under the name of its weight.

A term is a function of a `Forward`, what the generator made of a batch, that returns a
scalar. What several terms need is worked out once, there, when it is first asked for.
"""

import functools

from keras import ops

from vgan.losses import (
    adversarial,
    distribution,
    perceptual,
    reconstruction,
    regularizers,
    temporal,
)
from vgan.models.layers import fold_time
from vgan.train import teacher

generate = teacher.generate
CODES = 64  # that are compared: of the last styles, and from noise


class Forward:
    """A batch, what the generator made of it, and what the terms see of both.

    Args:
        gan: The VideoGAN.
        batch: As `VideoGAN.update` takes it.
        frames: Judge these in place of the generator's.

    Attributes:
        frames: The result [B, T, H, W, 3] in [-1, 1].
        code: Codes of the batch's styles [B, D].
        state: The generator's state after the last frame.
        aged: Which clips began with the state of laps before, bool [B]; with
            `train.laps`.
        fresh: What the first of these laps made of all clips, [B, T, H, W, 3].
    """

    def __init__(self, gan, batch, frames=None):
        self.gan = gan
        self.batch = batch
        self.content = batch["content"]
        self.style = batch["style"]
        self.code = gan.generator.encode_style(self.style)
        state = self._rehearse() if gan.train_config.laps else self._carried()
        made, self.state = self.generate(self.content, self.code, state)
        self.frames = made if frames is None else frames

    def generate(self, content, code, state=None):
        """Run the generator over a clip; return frames and the new state."""
        return generate(self.gan.generator, content, code, state)

    def _rehearse(self):
        """Play laps, forth and back; return the state that the judged clips begin with.

        Half of them have one lap behind them, a quarter two, and so on.
        """
        code, back = ops.stop_gradient(self.code), ops.flip(self.content, axis=1)
        chance = self.chance(1)
        state, self.fresh = None, None
        for lap in range(self.gan.train_config.laps, 0, -1):
            frames, state = self.generate(self.content, code, state)
            if self.fresh is None:
                self.fresh = ops.stop_gradient(frames)
            _, state = self.generate(back, code, state)
            self.aged = chance < 0.5**lap
            state = {name: _where(self.aged, x, 0.0) for name, x in state.items()}
        return {name: ops.stop_gradient(value) for name, value in state.items()}

    def _carried(self):
        """The state that clips which go on were left in; None where all are new."""
        if not self.gan.carried or "age" not in self.batch:
            return None
        old, kept = self.batch["age"] > 0, self.gan.carried
        batch, _, height, width, _ = self.content.shape
        new = self.gan.generator.initial_state(batch, height, width)
        return {name: _where(old, kept[name] + 0.0, x) for name, x in new.items()}

    def chance(self, index):
        """Uniform noise from 0 to 1, a number for each clip, [B]."""
        return 0.5 + 0.5 * ops.erf(self.batch["noise"][:, index] / 2**0.5)

    @functools.cached_property
    def features_of_frames(self):
        """Features of the result in the fixed network."""
        return self.gan.features(self.frames)

    @functools.cached_property
    def taught(self):
        """What the teacher makes of the batch without noise, [B, T, H, W, 3]."""
        content = self.batch.get("clean", self.content)
        made = teacher.teach(self.gan.teacher, content, self.style)
        return ops.stop_gradient(made)

    @functools.cached_property
    def judged(self):
        """What each stage of the discriminator sees of the result."""
        return self.gan.discriminator.features(self.frames, self.reference)

    @functools.cached_property
    def reference(self):
        """The real clips beside the judged ones, of other styles; None without pairs.

        The same clips stand beside real and generated ones: nothing but the judged clip
        can give it away.
        """
        return ops.roll(self.style, 1, axis=0) if self.gan.game.pair else None

    @functools.cached_property
    def code_of_content(self):
        """The content's own style, as codes [B, D]."""
        return self.gan.generator.encode_style(self.content)

    def motion(self):
        """Flow and occlusion of the content."""
        return self.batch["flow"], self.batch["occlusion"]


def _where(mask, x, other):
    """Take x [B, ...] where the mask [B] is true, and the other elsewhere."""
    return ops.where(ops.reshape(mask, (-1, *[1] * (len(x.shape) - 1))), x, other)


def gan(forward):
    """The generator's side of the game."""
    discriminator = forward.gan.discriminator
    # The code is the discriminator's condition, not a way to please it.
    code = ops.stop_gradient(forward.code)
    real = None
    if forward.gan.game.relative:
        real = discriminator(forward.style, code, forward.reference)
    fake = discriminator.score(forward.judged, code)
    return forward.gan.game.generator(real, fake)


def feature_matching(forward):
    """The discriminator should see the same in the result as in the style."""
    real = forward.gan.discriminator.features(forward.style, forward.reference)
    real = [ops.stop_gradient(x) for x in real]
    return adversarial.feature_matching_loss(forward.judged, real)


def content(forward):
    """What is shown stays."""
    wanted = forward.gan.features(forward.content)
    return perceptual.content_loss(
        forward.features_of_frames["content"], wanted["content"]
    )


def style(forward):
    """How it is painted is the style's."""
    wanted = forward.gan.features(forward.style)
    return perceptual.style_loss(forward.features_of_frames["style"], wanted["style"])


def second_style(forward):
    """The last frame is painted like the style, as a second network sees it."""
    features = forward.gan.second_features
    part = forward.gan.weights_of_losses.second_grey
    clips = [clip[:, -1:] for clip in (forward.frames, forward.style)]
    if part:
        chosen = forward.chance(2) < part
        clips = [_where(chosen, perceptual.grey(clip), clip) for clip in clips]
    made, wanted = (features(clip) for clip in clips)
    return perceptual.style_loss(made["style"], wanted["style"])


def layout(forward):
    """What is light stays lighter than what is dark."""
    return perceptual.layout_loss(forward.frames, forward.content)


def edges(forward):
    """Edges stay where they are."""
    return perceptual.edge_loss(forward.frames, forward.content)


def total_variation(forward):
    """Neighbouring pixels are alike."""
    return regularizers.total_variation(forward.frames)


def reconstruction_l1(forward):
    """The result is the target."""
    return reconstruction.reconstruction_l1(forward.frames, forward.batch["target"])


def reconstruction_l2(forward):
    """The result is the target."""
    return reconstruction.reconstruction_l2(forward.frames, forward.batch["target"])


def distillation(forward):
    """The result is what the teacher makes of the same content and style."""
    return reconstruction.pyramid_loss(forward.frames, forward.taught)


def distillation_texture(forward):
    """Each frame's textures are the teacher's, where they may lie a little aside."""
    made = forward.features_of_frames["style"]
    wanted = forward.gan.features(forward.taught)["style"]
    made, wanted = (
        [fold_time(x)[:, None] for x in layers] for layers in (made, wanted)
    )
    return perceptual.style_loss(made, wanted)


def code(forward):
    """The result has the style code that was asked for."""
    found = forward.gan.generator.encode_style(forward.frames)
    return reconstruction.code_loss(found, ops.stop_gradient(forward.code))


def identity(forward):
    """Content in its own style is the content."""
    frames, _ = forward.generate(forward.content, forward.code_of_content)
    return reconstruction.reconstruction_l1(frames, forward.content)


def cycle(forward):
    """The result in the content's style is the content (Zhu et al., CycleGAN, 2017)."""
    frames, _ = forward.generate(forward.frames, forward.code_of_content)
    return reconstruction.reconstruction_l1(frames, forward.content)


def diversity(forward):
    """Two codes from noise give different results."""
    generator = forward.gan.generator
    noise = forward.batch["noise"][:, : 2 * generator.noise_size]
    first, second = (
        forward.generate(forward.content, generator.encode_noise(z))[0]
        for z in ops.split(noise, 2, axis=1)
    )
    return regularizers.diversity_loss(first, second)


def warp(forward):
    """What moves with the scene looks the same in the next frame."""
    return temporal.warp_loss(forward.frames, *forward.motion())


def temporal_luminance(forward):
    """The same, but for changes of the content's light."""
    return temporal.luminance_warp_loss(
        forward.frames, forward.content, *forward.motion()
    )


def temporal_feature(forward):
    """The content encoder sees the same in what moves with the scene."""
    features = forward.gan.generator.encode_content(forward.content)[-1]
    return temporal.feature_warp_loss(features, *forward.motion())


def temporal_long(forward):
    """What moves with the scene looks as it did in the first frame."""
    return temporal.long_range_loss(forward.frames, *forward.motion())


def frame_difference(forward):
    """The result changes by as much as the content."""
    return temporal.frame_difference_loss(forward.frames, forward.content)


def ping_pong(forward):
    """The clip played on backwards shows the same frames again."""
    if forward.content.shape[1] == 1:  # there is no way back
        return ops.zeros(())
    back = ops.flip(forward.content[:, :-1], axis=1)
    frames, _ = forward.generate(back, forward.code, forward.state)
    return temporal.ping_pong_loss(forward.frames, ops.flip(frames, axis=1))


def aging(forward):
    """What an old state paints is what a fresh one has painted."""
    change = ops.mean(ops.square(forward.frames - forward.fresh), axis=(1, 2, 3, 4))
    aged = ops.cast(forward.aged, "float32")
    return ops.sum(aged * change) / (ops.sum(aged) + 1.0)


def mapping(forward):
    """Codes from noise are distributed as those of the last styles are."""
    codes, generator = forward.gan.codes, forward.gan.generator
    recent = ops.concatenate([ops.stop_gradient(forward.code), codes], axis=0)
    codes.assign(recent[:CODES])
    noise = ops.reshape(forward.batch["noise"], (-1,))
    rows = min(CODES, noise.shape[0] // generator.noise_size)
    noise = ops.reshape(noise[: rows * generator.noise_size], (rows, -1))
    mapped = generator.encode_noise(noise)
    return distribution.energy_distance(mapped, codes + 0.0)


TERMS = {
    **{
        term.__name__: term
        for term in (
            *(
                content,
                layout,
                edges,
                style,
                second_style,
                total_variation,
                reconstruction_l1,
                reconstruction_l2,
                distillation,
                distillation_texture,
            ),
            *(code, identity, cycle, diversity, temporal_luminance, temporal_feature),
            *(temporal_long, frame_difference, ping_pong, aging),
            *(gan, feature_matching),
        )
    },
    "temporal": warp,
}
