"""Losses: tensors in, one float32 scalar out, `keras.ops` only.

Every loss is a class, whose docstring has the formula and its source. An experiment's
dict becomes a list of them by `build`; a user's own class needs no registration:

    gan.compile(..., losses=[losses.Content(0.5), losses.Style(10.0), MyLoss(2.0)])
"""

import difflib
import typing

from vgan import InputError
from vgan.checks import shown
from vgan.losses.adversarial import (
    Adversarial,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Pair,
    Relativistic,
    Wasserstein,
)
from vgan.losses.base import Loss, construct
from vgan.losses.distillation import Distillation, DistillationTexture
from vgan.losses.perceptual import Content, Edges, LastFrameStyle, Layout, Style
from vgan.losses.reconstruction import ReconstructionL1, ReconstructionL2, StyleCode
from vgan.losses.temporal import StateConsistency, Temporal, TemporalLong

__all__ = [
    "Adversarial",
    "Content",
    "Distillation",
    "DistillationTexture",
    "Edges",
    "Hinge",
    "LastFrameStyle",
    "Layout",
    "LeastSquares",
    "Loss",
    "Minimax",
    "NonSaturating",
    "Pair",
    "ReconstructionL1",
    "ReconstructionL2",
    "Relativistic",
    "StateConsistency",
    "Style",
    "StyleCode",
    "Temporal",
    "TemporalLong",
    "Wasserstein",
    "build",
]


def build(terms: dict[str, typing.Any], section: str = "losses") -> list[Loss]:
    """Return the losses that an experiment names, in its order.

    Args:
        terms: {name: weight, or a dict of the class's arguments}, as
            {"style": 10.0, "temporal": {"weight": 600.0, "target": 0.0025}}. The
            adversarial loss is {"adversarial": {"name": "hinge", "weight": 0.2}}, or
            its name alone. A weight of 0 leaves a loss out.
        section: What the user calls `terms`, for messages.

    Raises:
        InputError: There is no such loss, or its arguments do not fit.
    """
    if not isinstance(terms, dict):
        raise InputError(
            f"{section}: takes {{name: weight}}, such as {{'style': 10.0}}, got "
            f"{shown(terms)}"
        )
    built = []
    for name, arguments in terms.items():
        argument = f"{section}.{name}"
        kinds, wanted = Loss.known, name
        if name == "adversarial":
            kinds, wanted = Adversarial.kinds, "relativistic"
            if isinstance(arguments, str):
                arguments = {"name": arguments}
        if not isinstance(arguments, dict):
            arguments = {"weight": arguments}
        if kinds is Adversarial.kinds:
            arguments = dict(arguments)
            wanted = arguments.pop("name", wanted)
        if not isinstance(wanted, str) or wanted not in kinds:
            close = difflib.get_close_matches(str(wanted), kinds, n=1)
            hint = f"did you mean {close[0]!r}? Known" if close else "known"
            raise InputError(
                f"{argument}: there is no loss {shown(wanted)}; {hint}: "
                + ", ".join(sorted(kinds))
            )
        built.append(construct(kinds[wanted], argument, arguments))
    return [loss for loss in built if loss.weight]
