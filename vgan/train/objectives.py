"""What the two networks minimize, and whether networks, losses and batches fit."""

import typing
from collections.abc import Iterable

import keras
from keras import KerasTensor, ops

from vgan import InputError
from vgan.checks import number, shown
from vgan.losses.adversarial import Adversarial, advantage
from vgan.losses.base import Loss
from vgan.train.forward import Forward

BATCH = "{'content': [B, T, H, W, 3], 'style': [B, T', h, w, 3], ...}"
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
        self._check_sides("image_size", image_size)
        for term in self.terms:
            term.check_sizes(batch_size, clip_length, style_length)

    def _check_sides(self, argument, *sides):
        networks = {"generator": self.generator, "teacher": self.teacher}
        for name, network in networks.items():
            stride = getattr(network, "stride", 1)
            for side in sides:
                if side % stride:
                    raise InputError(
                        f"{argument}: {side} does not divide by the {name}'s stride "
                        f"{stride}"
                    )

    def _sizes_of_carry(self, carry):
        if not (isinstance(carry, tuple | list) and len(carry) == 3):
            raise InputError(f"carry: takes (B, H, W), got {shown(carry)}")
        sizes = [number("carry", size, 1, whole=True) for size in carry]
        self._check_sides("carry", *sizes[1:])
        return sizes

    @staticmethod
    def check_contract(generator: typing.Any, discriminator: typing.Any) -> None:
        """Raise InputError where networks are none, or not of their kind."""
        needs = ("encode_style", "initial_state")
        if not (
            isinstance(generator, keras.Model)
            and all(hasattr(generator, name) for name in needs)
        ):
            raise InputError(
                f"generator: takes a Keras model with {' and '.join(needs)}, such as "
                f"vgan.models.Generator(), got {shown(generator)}"
            )
        # What is a chain of layers takes no code beside the clips.
        is_model = isinstance(discriminator, keras.Model)
        if (
            not is_model
            or isinstance(discriminator, keras.Sequential)
            or hasattr(discriminator, "encode_style")
        ):
            raise InputError(
                "discriminator: takes a Keras model that is called with clips and "
                "codes, such as vgan.models.Discriminator(), got "
                f"{shown(discriminator)}"
            )

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

    def _check_compiled(self):
        if not self.compiled:
            raise InputError("VideoGAN: is not compiled; call compile first")

    def _check_batch(self, batch):
        if not isinstance(batch, dict):
            raise InputError(f"batch: takes {BATCH}, got {shown(batch)}")
        for name in ("content", "style", *(["noise"] if self.burn_in else [])):
            if name not in batch:
                raise InputError(
                    f"batch: has no {name}, only {', '.join(map(str, batch))}; it "
                    f"takes {BATCH}"
                )
        for term in self.terms:
            if missing := [name for name in term.needs if name not in batch]:
                raise InputError(
                    f"losses.{term.name}: needs {', '.join(missing)}, which the batch "
                    "has not; leave the loss out, or give another data set"
                )
        shape = _shape("content", batch, ("B", "T", "H", "W", 3))
        count, length, height, width, _ = shape
        style = _shape("style", batch, (count, "T'", "h", "w", 3))
        steps = length - 1 if isinstance(length, int) else "T - 1"
        others = {
            "flow": (count, steps, height, width, 2),
            "occlusion": (count, steps, height, width, 1),
            "target": shape,
        }
        for name in {name for term in self.terms for name in term.needs}:
            if name in others:
                _shape(name, batch, others[name])
        if not all(type(size) is int for size in shape):
            self._check_unknown(batch["content"].shape)
        self._check_sides("content", *(x for x in (height, width) if type(x) is int))
        if all(type(size) is int for size in (count, length, style[1])):
            for term in self.terms:
                term.check_sizes(count, length, style[1])

    def _check_unknown(self, shape):
        """Raise InputError where the generator makes no state of unknown sizes."""
        try:
            self.generator.initial_state(shape[0], *shape[2:4])
        except (TypeError, ValueError) as error:
            raise InputError(
                f"content: its shape {list(shape)} is not known before it comes; give "
                "batches of one size, as batch(B, drop_remainder=True) makes them"
            ) from error


def _shape(name, batch, wanted):
    """Return the shape of a part of a batch, floats of sizes that are wanted.

    A letter stands for any size above 0, and, in the result, for one that is unknown.
    """
    shape = tuple(getattr(batch[name], "shape", ()))
    kind = getattr(batch[name], "dtype", type(batch[name]))
    kind = getattr(kind, "name", getattr(kind, "__name__", str(kind)))
    sizes = zip(shape, wanted, strict=False)
    fits = len(shape) == len(wanted) and all(
        size is None or (size == want if isinstance(want, int) else size > 0)
        for size, want in sizes
    )
    if not fits or "float" not in kind:
        words = f"[{', '.join(map(str, wanted))}]"
        words += " in [-1, 1]" if wanted[-1] == 3 else ""
        raise InputError(f"{name}: takes float32 {words}, got {kind} {list(shape)}")
    return [w if s is None else s for s, w in zip(shape, wanted, strict=True)]


def list_of(losses: typing.Any) -> list[typing.Any]:
    """Return several losses as a list, or raise InputError where it is another thing.

    What is in it, `adversarial_of` looks at.
    """
    if isinstance(losses, str | dict) or not isinstance(losses, Iterable):
        raise InputError(
            "losses: takes a list of objects such as losses.Style(10.0), got "
            f"{shown(losses)}"
        )
    return [*losses]


def adversarial_of(terms: list[Loss]) -> Adversarial | None:
    """Return the adversarial one of the losses, or None.

    Raises:
        InputError: One is no loss or is there twice, or two are adversarial.
    """
    for term in terms:
        if not isinstance(term, Loss):
            raise InputError(
                f"losses: takes objects such as losses.Style(10.0), got {shown(term)}"
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
