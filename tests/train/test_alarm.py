"""Collapses that are staged, and a good run on which the alarm is silent."""

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.make_dataset import make_dataset
from tests.tiny import EDGES_ALONE, TINY_GAN
from vgan import config
from vgan.train import Stopped, teacher
from vgan.train.alarm import Alarm, diagnose
from vgan.train.build import build_gan
from vgan.train.gan import make_deterministic
from vgan.train.summaries import SummaryWriter

STEPS = 40
GOOD = config.override(
    config.load("smoke"),
    [
        *TINY_GAN,
        "train.alarm_every=20",
        # a discriminator that could do harm
        *("discriminator.filters=[16, 32, 64]", "losses.gan=1"),
    ],
)
# Of what a look compiles, no more than says whether the generator is deaf.
LISTENED = config.override(GOOD, EDGES_ALONE)
WELL = {
    "style_change": 0.8,
    "content_change": 0.6,
    "advantage": 0.5,
    "swing": 0.2,
    "adversarial_share": 0.5,
}


def run(folder, *changes):
    """Train for some steps under the alarm; return the model with its lines."""
    experiment = config.override(GOOD, changes)
    make_deterministic(experiment.seed)
    gan = build_gan(experiment)
    clips = next(make_dataset(experiment, "validation").as_numpy_iterator())
    writer = SummaryWriter(folder / "tensorboard")
    alarm = Alarm(
        writer, folder, gan, clips, experiment.train.alarm, experiment.train.alarm_every
    )
    dataset = make_dataset(experiment, "train")
    try:
        gan.fit(dataset, steps_per_epoch=STEPS, verbose=0, callbacks=[alarm])
    finally:
        gan.lines = lines(folder)
    return gan


@pytest.mark.slow
def test_a_resumed_run_says_nothing_twice(tmp_path):
    """What is said of steps that are taken again is said anew; what is known is not."""
    gan = build_gan(LISTENED)
    clips = next(make_dataset(LISTENED, "validation").as_numpy_iterator())
    writer = SummaryWriter(tmp_path)
    (tmp_path / "alarms.txt").write_text("step 20: before\nstep 41: after\n")
    gan.step.assign(40)
    gan.generator.style_encoder.project.kernel.assign(
        0 * gan.generator.style_encoder.project.kernel
    )
    first, second = (
        Alarm(writer, tmp_path, gan, clips, every=GOOD.train.alarm_every)
        for _ in range(2)
    )
    second.look = first.look  # is compiled
    for alarm in (first, second):  # as a run that is killed and goes on
        alarm.set_model(gan)
        alarm.on_train_begin()
        alarm.on_train_batch_end(0, {"g/loss": 1.0})
    assert [line.split(":")[0] for line in lines(tmp_path)] == ["step 20", "step 40"]
    assert "ignores the style" in lines(tmp_path)[1]


def lines(folder):
    path = folder / "alarms.txt"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.slow
def test_silent_on_a_good_run(tmp_path):
    gan = run(tmp_path)
    assert gan.lines == []
    assert 0 < float(gan.advantage.mean.value) < 0.9


@pytest.mark.slow
def test_a_discriminator_that_learns_too_fast(tmp_path):
    rate = 50 * GOOD.train.d_learning_rate
    gan = run(tmp_path, f"train.d_learning_rate={rate}", "train.alarm=reduce_lr")
    assert "the adversarial loss drowns the rest" in gan.lines[0]
    assert "training oscillates" in gan.lines[1]
    lowered = 0.5 ** len({line.split(":")[0] for line in gan.lines})
    assert float(gan.rates.scale.value) == lowered
    assert float(gan.d_optimizer.learning_rate) == pytest.approx(rate * lowered)
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    text = [e.tensor_proto.string_val[0].decode() for e in events.Tensors("alarm")]
    assert gan.lines[-1].endswith(text[-1])


@pytest.mark.slow
@pytest.mark.parametrize("part", ["style", "content"])
def test_a_generator_that_is_deaf(tmp_path, monkeypatch, part):
    make_deterministic(LISTENED.seed)
    gan = build_gan(LISTENED)
    clips = next(make_dataset(LISTENED, "validation").as_numpy_iterator())
    generate = teacher.generate

    def deaf(generator, content, code, *rest):
        if part == "style":
            return generate(generator, content, 0 * code, *rest)
        return generate(generator, 0 * content, code, *rest)

    monkeypatch.setattr(teacher, "generate", deaf)
    alarm = Alarm(SummaryWriter(tmp_path), tmp_path, gan, clips, "stop", every=20)
    alarm.set_model(gan)
    gan.step.assign(19)
    alarm.on_train_batch_end(18, {"g/loss": 1.0})
    gan.step.assign(20)
    with pytest.raises(Stopped, match=f"ignores the {part}"):
        alarm.on_train_batch_end(19, {"g/loss": 1.0})
    assert len(lines(tmp_path)) == 1
    assert lines(tmp_path)[0].startswith("step 20: ")


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        ({}, None),
        ({"advantage": 0.99}, None),  # ahead, but the generator still learns from it
        ({"advantage": 0.99, "adversarial_share": 1e-4}, "the discriminator wins"),
        ({"swing": 0.7}, "oscillates"),
        ({"adversarial_share": 1000.0}, "drowns"),
        ({"style_change": 0.01}, "ignores the style"),
        ({"content_change": 0.05}, "ignores the content"),
        ({"style_change": float("nan")}, None),  # all styles are alike
    ],
)
def test_diagnosis(figures, says):
    found = list(diagnose({**WELL, **figures}).values())
    assert len(found) == (says is not None)
    assert says is None or says in found[0]
