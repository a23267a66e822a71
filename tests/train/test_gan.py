import numpy as np
import pytest
import tensorflow as tf

from tests.tiny import ADVERSARIAL_ALONE, EDGES_ALONE, TINY_GAN
from vgan import InputError, config
from vgan.train.build import build_gan
from vgan.train.forward import Forward

SMOKE = config.load("smoke")
TINY = config.override(SMOKE, TINY_GAN)


def batch(seed=0):
    random = np.random.default_rng(seed)
    return {
        "content": random.uniform(-1, 1, (2, 2, 32, 32, 3)).astype("float32"),
        "style": random.uniform(-1, 1, (2, 2, 32, 32, 3)).astype("float32"),
        "flow": np.zeros((2, 1, 32, 32, 2), "float32"),
        "occlusion": np.zeros((2, 1, 32, 32, 1), "float32"),
        "noise": random.normal(size=(2, 1024)).astype("float32"),
    }


def stepper(gan):
    """Return the training step, compiled as `fit` does it: numpy in, numbers out."""
    compiled = gan.compile_function(gan.train_step)

    def step(data):
        tensors = {name: tf.constant(value) for name, value in data.items()}
        return {name: float(value) for name, value in compiled(tensors).items()}

    return step


def changed(before, variables):
    pairs = zip(before, variables, strict=True)
    return [not np.array_equal(a, b.value) for a, b in pairs]


@pytest.mark.slow
def test_a_step_trains_both_networks_and_moves_the_average():
    gan = build_gan(SMOKE)
    groups = gan.saved_variables()
    before = {g: [np.array(v.value) for v in vs] for g, vs in groups.items()}
    logs = stepper(gan)(batch())
    # the weights that stand still have no gradient at the first step by design: among
    # them the discriminator's last bias, which a relativistic loss takes off again
    assert np.mean(changed(before["discriminator"], groups["discriminator"])) > 0.8
    assert np.mean(changed(before["generator"], groups["generator"])) > 0.9
    assert np.mean(changed(before["ema_generator"], groups["ema_generator"])) > 0.9
    assert int(gan.step.value) == 1
    assert set(logs) == {
        *("g/loss", "g/content", "g/style", "g/temporal", "g/adversarial", "g/mapping"),
        *("d/loss", "d/real", "d/fake", "d/advantage", "d/r1", "d/r2"),
    }
    assert all(np.isfinite(value) for value in logs.values())


@pytest.mark.slow
def test_style_and_content_errors_fall():
    gan = build_gan(config.override(TINY, ["losses.gan=0", "losses.temporal=0"]))
    step, data = stepper(gan), batch()
    first, mapping = step(data), []
    for _ in range(120):
        last = step(data)
        mapping.append(last["g/mapping"])
    for name in ("g/style", "g/loss"):
        assert last[name] < 0.8 * first[name], name
    # It rises while codes of styles replace those that the memory began with.
    assert mapping[-1] < 0.7 * max(mapping)


@pytest.mark.slow
@pytest.mark.parametrize("other", [False, True])
def test_layers_that_are_not_named_keep_their_weights(other):
    named = {"stem", "recurrent"}
    only = '["-stem", "-recurrent"]' if other else '["stem", "recurrent"]'
    gan = build_gan(config.override(TINY, [f"train.only={only}", *EDGES_ALONE]))
    layers = {layer.name: layer.weights for layer in gan.generator.layers}
    before = {name: [np.array(w) for w in ws] for name, ws in layers.items()}
    stepper(gan)(batch())
    moved = {name for name, ws in layers.items() if any(changed(before[name], ws))}
    assert moved.isdisjoint(named) if other else moved == named
    assert len(moved) > 1


@pytest.mark.slow
def test_one_weight_of_a_layer_learns():
    gan = build_gan(config.override(TINY, ['train.only=["stem/bias"]', *EDGES_ALONE]))
    layers = {layer.name: layer.weights for layer in gan.generator.layers}
    before = {name: [np.array(w) for w in ws] for name, ws in layers.items()}
    stepper(gan)(batch())
    moved = [
        f"{name}/{weight.name}"
        for name, ws in layers.items()
        for weight, moves in zip(ws, changed(before[name], ws), strict=True)
        if moves
    ]
    assert moved == ["stem/bias"]


LAST_FRAME = 'losses.last_frame_style={"weight": 1, "features": "random"}'


def last_frame_style(gan, data, frames):
    (loss,) = [term for term in gan.terms if term.name == "last_frame_style"]
    return float(loss(Forward(gan, data, frames)))


def test_the_second_network_looks_at_the_last_frame_alone():
    gan, data = build_gan(config.override(SMOKE, [LAST_FRAME])), batch()

    last, first = data["style"].copy(), data["style"].copy()
    last[:, :-1] = 0
    first[:, -1:] = 0
    assert last_frame_style(gan, data, last) < 1e-6
    assert last_frame_style(gan, data, first) > 0.1


@pytest.mark.parametrize(("part", "judged"), [(0, True), (1, False)])
def test_the_second_network_is_blind_to_color_where_asked(part, judged):
    fields = [LAST_FRAME, f"losses.last_frame_style.grayscale_probability={part}"]
    gan, data = build_gan(config.override(SMOKE, fields)), batch()
    tint = np.array([0.1, -0.1 * 0.299 / 0.587, 0], np.float32)  # of no luma
    recolored = data["style"] + tint
    error = last_frame_style(gan, data, recolored)
    assert (error > 1e-4) == judged


@pytest.mark.slow
def test_a_smaller_network_learns_from_its_teacher():
    teacher = build_gan(config.override(SMOKE, ["seed=1"])).generator
    before = [np.array(weight) for weight in teacher.weights]
    zero = ["content", "style", "temporal", "adversarial.weight"]
    fields = [*(f"losses.{name}=0" for name in zero), "losses.distillation=10"]
    fields += ["train.teacher=t.keras", "generator.filters=[8, 8]"]
    gan = build_gan(config.override(SMOKE, fields), teacher)
    step, data = stepper(gan), batch()
    errors = [step(data)["g/distillation"] for _ in range(60)]
    assert errors[-1] < 0.7 * errors[0]
    assert not any(changed(before, teacher.weights))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("generator.network=painter", "generator: a Painter takes no code_size; it"),
        ("generator.named_styles={}", "generator: a Generator takes no named_styles"),
        ("discriminator.speed=3", "discriminator: a Discriminator takes no speed"),
    ],
)
def test_arguments_that_a_network_does_not_take(change, says):
    with pytest.raises(InputError, match=says):
        build_gan(config.override(SMOKE, [change]))


def test_a_teacher_that_needs_other_sizes_is_refused():
    teacher = build_gan(config.override(SMOKE, ["generator.filters=[8, 8, 8]"]))
    fields = ["losses.distillation=1", "train.teacher=t.keras", "data.image_size=34"]
    smaller = config.override(SMOKE, [*fields, "generator.filters=[8, 8]"])
    with pytest.raises(InputError, match="34 does not divide by the teacher's stride"):
        build_gan(smaller, teacher.generator)


@pytest.mark.slow
def test_r1_is_taken_every_interval():
    penalty = ["losses.adversarial.r1=1", "losses.adversarial.penalty_interval=2"]
    gan = build_gan(config.override(TINY, [*ADVERSARIAL_ALONE, *penalty]))
    step = stepper(gan)
    values = [step(batch(seed))["d/r1"] for seed in range(4)]
    assert values[0] == values[1] != values[2] == values[3]


@pytest.mark.slow
def test_without_an_adversarial_loss_the_discriminator_rests():
    gan = build_gan(config.override(TINY, EDGES_ALONE))
    before = [np.array(v.value) for v in gan.discriminator.weights]
    logs = stepper(gan)(batch())
    assert not any(changed(before, gan.discriminator.weights))
    assert "g/adversarial" not in logs
    assert "d/loss" not in logs


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("generator.filtres=[8, 8]", "filtres"),
        ("generator.cell=rnn", "cell must be one of"),
        ("discriminator.depth=3", "depth"),
        ("losses.adversarial=chess", "losses.adversarial: there is no loss 'chess'"),
        ("losses.stile=3", "no loss 'stile'; did you mean 'style'"),
        ("losses.features=nowhere.npz", "nowhere.npz"),
        ('losses.last_frame_style={"weight": 1, "features": 3}', "a name or a file"),
        ("losses.distillation=1", "in train.teacher"),
        ("losses.state_consistency=1", "set train.burn_in"),
        ('train.only=["brush"]', "no layer 'brush'; it has style, mapping, stem"),
        ('train.only=["-brush"]', "no layer 'brush'"),
        (
            'train.only=["stem/brush"]',
            "stem has no weight .brush.; it has kernel",
        ),
        ('train.only=["stem", "-stem"]', "no layer is left that learns"),
        ("train.only=[1]", "must be names of layers"),
        ("losses.style.target=0", "losses.style.target: takes a number above 0"),
        ("losses.style.wait=1", "losses.style: Style takes no wait"),
        ("losses.style=-1", "losses.style.weight: takes a number 0 or more"),
        ("losses.adversarial.r1=-1", "losses.adversarial.r1: takes a number"),
        ("losses.adversarial.penalty_interval=0", "at least 1"),
        ("data.image_size=34", "stride"),
        ("data.image_size=16", "at least 32"),
        (
            'losses.last_frame_style={"grayscale_probability": 2}',
            "grayscale_probability: takes a number from 0 to 1",
        ),
        ('train.start_layers=["style"]', "in train.start"),
        (
            "losses.style.target=1" + "0" * 400,
            "style.target: takes a number above 0",
        ),
        ("train.steps=" + "9" * 5000, "expected int"),
        ("losses.style=" + "[" * 100_000, "losses.style: expected float"),
    ],
)
def test_bad_experiments_fail_before_the_first_step(assignment, says):
    with pytest.raises(InputError, match=says):
        build_gan(config.override(SMOKE, [assignment]))
