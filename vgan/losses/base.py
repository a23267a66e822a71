"""What a loss is: a weight, a formula, and what it needs of a batch."""

import inspect
import re
import typing

import keras
from keras import KerasTensor

from vgan import InputError
from vgan.checks import number


class Loss:
    """A term that the generator minimizes.

    A subclass has a docstring with its formula and source, and `__call__`. It is known
    to experiments by its name in snake case, as `LastFrameStyle` is by
    "last_frame_style".

    Args:
        weight: What the term is multiplied by, 0 or more.
        target: Hold the term at this value, above 0: its weight is multiplied by a
            Lagrange multiplier, which grows while the term is above the target and
            falls while it is below, from a tenth to ten times. None leaves the weight
            as it is.

    Attributes:
        needs: Names of what it reads of a batch beside "content" and "style".

    Raises:
        InputError: The weight or the target is out of range.
    """

    name: typing.ClassVar[str] = "loss"
    needs: typing.ClassVar[tuple[str, ...]] = ()
    known: typing.ClassVar[dict[str, type]] = {}  # subclasses, {name: class}

    def __init_subclass__(cls, **kwargs: typing.Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.name = re.sub(r"(?<=.)([A-Z])", r"_\1", cls.__name__).lower()
        Loss.known[cls.name] = cls

    def __init__(self, weight: float = 1.0, *, target: float | None = None) -> None:
        self.weight = number("weight", weight)
        self.target = None if target is None else number("target", target, above=True)

    def __call__(self, forward: typing.Any) -> KerasTensor:
        """Return the term, without its weight, as a float32 scalar.

        Args:
            forward: A `vgan.train.forward.Forward`: `content`, `style` and the result
                `frames`, [B, T, H, W, 3] in [-1, 1]; the style's `code` [B, D]; the
                `batch`, a dict; features of the fixed network; the two networks.
        """
        raise NotImplementedError

    def check(self, gan: keras.Model) -> None:
        """Raise InputError where the networks lack what the loss needs.

        Args:
            gan: The `vgan.train.gan.VideoGAN` that is compiled.
        """

    def check_sizes(self, batch_size: int, clip_length: int, style_length: int) -> None:
        """Raise InputError where batches of these sizes are none for the loss."""


def construct(kind: type[Loss], name: str, arguments: dict[str, typing.Any]) -> Loss:
    """Return `kind(**arguments)`; InputError names the loss where they do not fit.

    Args:
        kind: The class.
        name: What the user calls the loss, for messages.
        arguments: A dict.
    """
    takes = [p for p in inspect.signature(kind.__init__).parameters if p != "self"]
    if unknown := sorted(set(arguments) - set(takes)):
        raise InputError(
            f"{name}: {kind.__name__} takes no {', '.join(map(str, unknown))}; "
            f"it takes {', '.join(takes)}"
        )
    try:
        return kind(**arguments)
    except InputError as error:
        raise InputError(f"{name}.{error}") from error
