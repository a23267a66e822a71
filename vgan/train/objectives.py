"""What the two networks minimize, and whether networks, losses and batches fit."""

from keras import KerasTensor, ops

from vgan import InputError
from vgan.losses.adversarial import Adversarial, advantage
from vgan.losses.base import Loss
from vgan.train.forward import Forward

SMALLEST = 32  # pixels; below, the deeper features have no area


class Objectives:
    """The losses of `VideoGAN`, which has the networks and `compile` the losses."""

    def discriminator_loss(
        self, real: KerasTensor, fake: KerasTensor
    ) -> tuple[KerasTensor, dict[str, KerasTensor]]:
        """The discriminator's loss of patch logits, without penalties; what to log."""
        loss = self.adversarial.discriminator(real, fake)
        return loss, {
            "d/loss": loss,
            "d/real": ops.mean(ops.sigmoid(real)),
            "d/fake": ops.mean(ops.sigmoid(fake)),
            "d/advantage": advantage(real, fake),
        }

    def judge(
        self,
        clips: KerasTensor,
        code: KerasTensor,
        reference: KerasTensor | None = None,
    ) -> KerasTensor:
        """The discriminator's patch logits [B, t, h, w, 1] of clips.

        Args:
            clips: [B, T, H, W, 3] in [-1, 1].
            code: [B, D].
            reference: Real clips beside them, for an adversarial loss of pairs.
        """
        beside = () if reference is None else (reference,)
        return self.discriminator(clips, code, *beside)

    def logit_gradient(
        self,
        clips: KerasTensor,
        code: KerasTensor,
        reference: KerasTensor | None = None,
    ) -> KerasTensor:
        """Gradient of each clip's mean patch logit by the clip, [B, T, h, w, 3]."""

        def score(clips):
            # Patches are averaged, clips are summed: each clip has its own gradient.
            logits = self.judge(clips, code, reference)
            return ops.sum(ops.mean(logits, axis=(1, 2, 3, 4)))

        return self.input_gradient(score, clips)

    def generator_loss(
        self, forward: Forward
    ) -> tuple[KerasTensor, dict[str, KerasTensor]]:
        """Weighted sum of the generator's losses, and each of them to log."""
        loss, logs = 0.0, {}
        if self.codes and "noise" in forward.batch:
            loss = self.codes.update(forward.code, forward.batch["noise"])
            logs["g/mapping"] = loss
        for term in self.terms:
            logs[f"g/{term.name}"] = value = term(forward)
            loss = loss + self.weight_of(term) * value
        return loss, {"g/loss": loss, **logs}

    def weight_of(self, term: Loss) -> float | KerasTensor:
        """Return what a loss weighs at this step: as given, warmed up, multiplied."""
        weight = term.weight
        if term is self.adversarial and term.warmup:
            step = ops.cast(self.step, "float32")
            weight *= ops.minimum(1.0, (step + 1.0) / term.warmup)
        if term.target is not None:
            weight *= self.multipliers(term.name)
        return weight

    def check_sizes(
        self, batch_size: int, image_size: int, clip_length: int, style_length: int
    ) -> None:
        """Raise InputError where batches of these sizes do not fit networks or losses.

        Args:
            batch_size: B.
            image_size: H and W in pixels.
            clip_length: T.
            style_length: T'.
        """
        if image_size < SMALLEST:
            raise InputError(
                f"image_size: {image_size} is too small for the networks; give at "
                f"least {SMALLEST}"
            )
        networks = {"generator": self.generator, "teacher": self.teacher}
        for name, network in networks.items():
            stride = getattr(network, "stride", 1)
            if image_size % stride:
                raise InputError(
                    f"image_size: {image_size} does not divide by the {name}'s stride "
                    f"{stride}"
                )
        for term in self.terms:
            term.check_sizes(batch_size, clip_length, style_length)

    def _check_networks(self):
        pair = self.adversarial is not None and self.adversarial.pair
        wanted = {"code_size": getattr(self.generator, "code_size", None)}
        if self.adversarial is not None:
            wanted["pair"] = pair
        for name, value in wanted.items():
            own = getattr(self.discriminator, name, value)
            if value is not None and own != value:
                raise InputError(
                    f"discriminator.{name}: must be {value}, as the generator and the "
                    f"adversarial loss have it, got {own}"
                )
        for term in self.terms:
            try:
                term.check(self)
            except InputError as error:
                raise InputError(f"losses.{term.name}: {error}") from error

    def _check_batch(self, batch):
        for term in self.terms:
            if missing := [name for name in term.needs if name not in batch]:
                raise InputError(
                    f"losses.{term.name}: needs {', '.join(missing)}, which the batch "
                    "has not; leave the loss out, or give another data set"
                )


def adversarial_of(terms: list[Loss]) -> Adversarial | None:
    """Return the adversarial one of the losses, or None.

    Raises:
        InputError: One is no loss or is there twice, or two are adversarial.
    """
    for term in terms:
        if not hasattr(term, "weight") or not callable(term):
            raise InputError(
                f"losses: takes objects such as losses.Style(10.0), got {term!r:.80}"
            )
    names = [term.name for term in terms]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"losses: {name} is there twice; give each once")
    kinds = [term for term in terms if isinstance(term, Adversarial)]
    if len(kinds) > 1:
        raise InputError(
            "losses: takes one adversarial loss, got "
            + ", ".join(type(kind).__name__ for kind in kinds)
        )
    return kinds[0] if kinds else None
