"""An experiment as the plain arguments of the rooms."""

import dataclasses
import typing

from vgan.datasets.spec import ClipSpec

if typing.TYPE_CHECKING:
    from vgan.config import Experiment


def data_arguments(config: "Experiment") -> dict[str, typing.Any]:
    """Return what an experiment says of its batches.

    Args:
        config: An Experiment.

    Returns:
        {"spec": ClipSpec, "batch_size": clips, "seed": int}, arguments of
        `vgan.datasets.batches.open_clips`.
    """
    fields = [field.name for field in dataclasses.fields(ClipSpec)]
    spec = ClipSpec(**{name: getattr(config.data, name) for name in fields})
    return {"spec": spec, "batch_size": config.train.batch_size, "seed": config.seed}
