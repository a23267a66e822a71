"""What keeps trainings of a few steps short."""

import contextlib
import functools


@contextlib.contextmanager
def plain_graphs():
    """TensorFlow optimizes a graph longer than a few small steps of it take."""
    import keras

    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    name = "disable_meta_optimizer"
    tf.config.optimizer.set_experimental_options({name: True})
    yield
    tf.config.optimizer.set_experimental_options({name: False})


def show_little(patch):
    """What a run measures and shows of itself takes longer than a few small steps.

    Args:
        patch: A `pytest.MonkeyPatch`.
    """
    from vgan.evaluate import validation_metrics
    from vgan.train import run

    def metrics(*_):
        return lambda results: {"score": 0.0}

    patch.setattr(run, "_report", lambda *_: None)
    patch.setattr(run, "SAMPLE_CLIPS", 1)
    patch.setattr(run, "SAMPLE_FRAMES", 2)
    patch.setattr(validation_metrics, "ValidationMetrics", metrics)


def few_features(patch):
    """Half of the scales at which results are looked at: the rest are compiled alike.

    Args:
        patch: A `pytest.MonkeyPatch`.
    """
    from vgan.losses import features

    pyramid = functools.partial(features._random_pyramid, scales=2)
    patch.setattr(features, "_random_pyramid", pyramid)
