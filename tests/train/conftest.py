import keras
import pytest


@pytest.fixture(scope="module", autouse=True)
def plain_graphs():
    """TensorFlow optimizes a graph longer than a few small steps of it take."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    name = "disable_meta_optimizer"
    tf.config.optimizer.set_experimental_options({name: True})
    yield
    tf.config.optimizer.set_experimental_options({name: False})
