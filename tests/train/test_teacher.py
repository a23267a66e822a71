import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from tests.tiny import TINY_PAINTER
from tests.train.test_gan import SMOKE, batch, stepper
from vgan import InputError, config, losses
from vgan.losses import distillation
from vgan.models import Painter
from vgan.train.build import build_gan
from vgan.train.forward import Forward
from vgan.train.teacher import load_teacher, teach

ZERO = [
    f"losses.{name}=0"
    for name in ("content", "style", "temporal", "adversarial.weight")
]


def clip(shape=(2, 3, 16, 24, 3), seed=0):
    random = np.random.default_rng(seed)
    return random.uniform(-1, 1, shape).astype("float32")


def of_pictures(path, inputs=("content", "style"), channels=3, sides=(None, None)):
    """A Keras model that is none of vgan's: the content under the style's color."""
    content, style = (keras.Input((*sides, 3), name=name) for name in inputs)
    mean = ops.mean(style, axis=(1, 2), keepdims=True)
    made = ops.tanh(keras.layers.Conv2D(channels, 1)(content) + mean[..., :1])
    keras.Model([content, style], made).save(path)
    return path


def test_a_pyramid_of_errors():
    target = clip()
    assert float(distillation.pyramid_loss(target, target)) == 0
    constant = float(distillation.pyramid_loss(target + 0.1, target))
    assert constant == pytest.approx(0.4, rel=1e-4)  # at four sizes, and no edges
    checks = np.indices((16, 24)).sum(0)[..., None] % 2 * 0.2 - 0.1
    fine = float(distillation.pyramid_loss(target + checks.astype("f"), target))
    assert fine == pytest.approx(0.1 + 2 * (0.2 + 0.2), rel=1e-4)  # at one, and edges


def test_any_keras_model_can_teach(tmp_path):
    teacher = load_teacher(of_pictures(tmp_path / "teacher.keras"), 32)
    style = clip((2, 4, 8, 8, 3), 1)
    made = np.asarray(teach(teacher, clip(), style))
    assert made.shape == clip().shape
    one = teacher({"content": clip()[1, 2:3], "style": style[1, :1]})
    np.testing.assert_allclose(made[1, 2], np.asarray(one)[0], atol=1e-5)


@pytest.mark.slow
def test_a_painter_learns_from_another_kind_of_model(tmp_path):
    keras.utils.set_random_seed(0)
    teacher = load_teacher(of_pictures(tmp_path / "teacher.keras"), 32)
    fields = [*ZERO, "losses.distillation=3", "losses.distillation_texture=0.1"]
    painter = {**TINY_PAINTER, "network": "painter"}
    experiment = dataclasses.replace(SMOKE, generator=painter)
    gan = build_gan(
        config.override(experiment, [*fields, "train.teacher=t.keras"]), teacher
    )
    assert isinstance(gan.ema_generator, Painter)
    before = [np.array(weight) for weight in teacher.weights]
    step, data = stepper(gan), batch()
    errors = [step(data)["g/distillation"] for _ in range(40)]
    assert errors[-1] < 0.85 * errors[0]
    forward = Forward(gan, data)
    alike = Forward(gan, data, forward.taught)
    texture = losses.DistillationTexture()
    assert texture(alike) < 1e-6
    assert texture(forward) > 1e-2
    for old, weight in zip(before, teacher.weights, strict=True):
        np.testing.assert_array_equal(old, weight)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda path: path, "there is no file"),
        (lambda path: path.write_text("no model") and path, "is not a Keras model"),
        (lambda path: of_pictures(path, sides=(32, 32)), "takes no inputs content"),
        (lambda path: of_pictures(path, ("film", "style")), "takes no inputs content"),
        (lambda path: of_pictures(path, channels=2), "keeps their shape"),
    ],
)
def test_what_cannot_teach_is_named(made, said, tmp_path):
    with pytest.raises(InputError, match=f"train.teacher: .*{said}"):
        load_teacher(made(tmp_path / "teacher.keras"), 40)
