"""Affine maps of frames onto pictures, in Keras operations, for a whole batch."""

import typing

from keras import KerasTensor, ops


class View(typing.NamedTuple):
    """An affine map (x, y) -> (a x + b y + c, d x + e y + f), each number [B, T].

    Written out: on a GPU, a product of matrices would round to ten bits.
    """

    a: typing.Any
    b: typing.Any
    c: typing.Any
    d: typing.Any
    e: typing.Any
    f: typing.Any

    def __call__(
        self, x: KerasTensor, y: KerasTensor
    ) -> tuple[KerasTensor, KerasTensor]:
        """Map points [B, T, ...]."""
        a, b, c, d, e, f = (
            ops.reshape(v, (*v.shape, *[1] * (len(x.shape) - 2))) for v in self
        )
        return a * x + b * y + c, d * x + e * y + f

    def after(self, first: "View") -> "View":
        """The map that does `first`, then this."""
        (a, b, _, d, e, _), (x, y) = self, self(first.c, first.f)
        return View(
            *(a * first.a + b * first.d, a * first.b + b * first.e, x),
            *(d * first.a + e * first.d, d * first.b + e * first.e, y),
        )

    def inverse(self) -> "View":
        """The map back."""
        a, b, c, d, e, f = self
        area = a * e - b * d
        a, b, d, e = e / area, -b / area, -d / area, a / area
        return View(a, b, -(a * c + b * f), d, e, -(d * c + e * f))

    def frames(self, start: KerasTensor, count: int) -> "View":
        """The views of `count` frames from those that `start` [B] says."""
        index = start[:, None] + ops.arange(count, dtype="int32")[None]
        return View(*(ops.take_along_axis(v, index, axis=1) for v in self))


def similar(
    scale: KerasTensor,
    turn: KerasTensor,
    x: KerasTensor | float = 0.0,
    y: KerasTensor | float = 0.0,
) -> View:
    """The View that enlarges, turns and moves."""
    cos, sin = scale * ops.cos(turn), scale * ops.sin(turn)
    return View(cos, -sin, x + 0 * cos, sin, cos, y + 0 * cos)
