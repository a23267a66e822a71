import dataclasses
import json

import pytest

from vgan import InputError, config


def test_overrides_replace_fields_by_type():
    changed = config.override(
        config.Experiment(),
        [
            "train.steps=7",
            "train.g_learning_rate=1",
            "data.content=clips/a b",
            'data.style={"synthetic": 1, "paintings": 2.5}',
            "generator.filters=[8, 16]",
            "generator.cell=gru",
            "data.flip=false",
        ],
    )
    assert changed.train.steps == 7
    assert changed.train.g_learning_rate == 1.0
    assert changed.data.content == "clips/a b"
    assert changed.data.style == {"synthetic": 1, "paintings": 2.5}
    assert changed.generator == {"filters": [8, 16], "cell": "gru"}
    assert changed.data.flip is False
    assert config.Experiment().train.steps != 7


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("train.stepz=1", "did you mean 'steps'"),
        ("trian.steps=1", "did you mean 'train'"),
        ("train.steps=many", "expected int, got 'many'"),
        ("train.steps=1.5", "expected int, got 1.5"),
        ("data.flip=1", "expected bool, got 1"),
        ("train.steps", "section.field=value"),
        ("train=3", "name one of its fields"),
        ("seed.x=3", "has no fields"),
        ("train.log_every=0", "must be at least 1, got 0"),
        ("train.ema_decay=1", "must be from 0 to below 1"),
        ("data.fps=0", "must be from 0.001 to 1000"),
        ("seed=-1", "must be from 0 to below 2**32"),
        ("train.precision=int8", "must be float32, bfloat16, float16"),
        ("train.alarm=loud", "must be warn, reduce_lr, stop"),
        ("train.d_skip_above=2", "must be above -1, at most 1"),
        ("train.schedule=3", "expected list"),
        ("train.schedule=[3]", "must be a dict with 'until'"),
        ('train.schedule=[{"until": 9, "fps": 3}]', "no 'fps' there"),
        ('train.schedule=[{"until": 9, "image_size": 4}]', "at least 8, got 4"),
        ('train.schedule=[{"until": 9}, {"until": 5}]', "until must be above 9"),
    ],
)
def test_bad_override_is_one_clear_line(assignment, says):
    with pytest.raises(InputError, match=r"^set=") as error:
        config.override(config.Experiment(), [assignment])
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_stages_come_before_the_full_size():
    stages = '[{"until": 5, "image_size": 64}, {"until": 9, "batch_size": 2}]'
    experiment = config.override(
        config.Experiment(), ["train.steps=20", f"train.schedule={stages}"]
    )
    sizes = [
        (until, stage.data.image_size, stage.train.batch_size)
        for until, stage in experiment.stages()
    ]
    assert sizes == [(5, 64, 4), (9, 128, 2), (20, 128, 4)]
    short = config.override(experiment, ["train.steps=7"])
    assert [until for until, _ in short.stages()] == [5, 7]
    assert short.stages()[-1][1].train.batch_size == 2
    plain = config.Experiment()
    assert plain.stages() == [(plain.train.steps, plain)]


def test_json_round_trip():
    changed = config.override(
        config.Experiment(), ["train.steps=3", "generator.cell=gru"]
    )
    assert config.from_json(config.to_json(changed)) == changed


def test_json_with_unknown_field_is_refused():
    text = config.to_json(config.Experiment()).replace('"seed"', '"sead"')
    with pytest.raises(InputError, match="sead"):
        config.from_json(text)


def test_experiment_by_path(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from vgan.config import Experiment\n"
        "def get_config():\n    return Experiment(seed=5)\n"
    )
    assert config.load(str(path), ["train.steps=2"]).train.steps == 2
    with pytest.raises(InputError, match="known here"):
        config.load("no_such_experiment")


def test_experiment_by_name_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert config.load("quickstart").train.steps > 1
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "quickstart.py").write_text(
        "from vgan.config import Experiment\n"
        "def get_config():\n    return Experiment(seed=5)\n"
    )
    assert config.load("quickstart").seed == 5  # the user's own comes first


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("x = 1", "get_config"),
        ("def get_config(:", "SyntaxError"),
        ("def get_config():\n    return Experiment(sead=1)", "sead"),
        ("def get_config():\n    return Experiment(train=Train(steps='9'))", "steps"),
        ("def get_config():\n    return Experiment(train=Train(steps=0.5))", "steps"),
        ("def get_config():\n    return 5", "dataclass"),
    ],
)
def test_bad_experiment_files_are_one_line_with_their_name(body, says, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(f"from vgan.config import Experiment, Train\n{body}\n")
    with pytest.raises(InputError, match=r"mine\.py") as error:
        config.load(str(path))
    assert says in str(error.value)


def test_experiments_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.Experiment().train.steps = 1


def test_a_value_in_a_network_has_no_fields():
    with pytest.raises(InputError, match="'filters' is a value"):
        config.override(
            config.Experiment(), ["generator.filters=[8, 8]", "generator.filters.x=1"]
        )


def test_a_number_is_the_weight_of_a_loss_and_a_word_its_name():
    changes = ["losses.content.target=0.2", "losses.content=2", "losses.code=1"]
    changes += ["losses.adversarial=hinge", "losses.r1=0.5", "losses.gan=0.3"]
    changed = config.override(config.Experiment(), changes).losses
    assert changed["content"] == {"weight": 2, "target": 0.2}
    adversarial = {"name": "hinge", "weight": 0.3, "r1": 0.5}
    assert changed["adversarial"] == adversarial
    assert changed["style_code"] == {"weight": 1.0}
    assert list(changed)[-1] == "style_code"


def test_the_config_of_an_earlier_version_is_read():
    old = {
        "losses": {
            **{"adversarial": "wasserstein", "gan": 0.5, "gan_warmup": 3, "r1": 1.0},
            **{"r2": 1.0, "gradient_penalty": 5.0, "penalty_interval": 2},
            **{"features": "vgg19", "content": 2.5, "style": 100.0, "temporal": 9.0},
            **{"second_features": "vgg19", "second_style": 3.0, "second_grey": 0.5},
            **{"aging": 7.0, "cycle": 0.0, "layout": 0.0, "targets": {"aging": 0.1}},
        },
        "train": {"laps": 2, "balance": 0.4, "alarm": "lower"},
    }
    new = config.from_json(json.dumps(old))
    assert new.train == config.Train(burn_in=2, d_skip_above=0.4, alarm="reduce_lr")
    assert list(new.losses.items()) == [
        ("features", "vgg19"),
        ("content", {"weight": 2.5}),
        ("style", {"weight": 100.0}),
        (
            "last_frame_style",
            {"features": "vgg19", "weight": 3.0, "grayscale_probability": 0.5},
        ),
        ("state_consistency", {"weight": 7.0, "target": 0.1}),
        (
            "adversarial",
            {
                **{"name": "wasserstein", "weight": 0.5, "warmup": 3},
                **{"gradient_penalty": 5.0, "penalty_interval": 2},
            },
        ),
        ("temporal", {"weight": 9.0}),
    ]
    assert config.from_json(config.to_json(new)) == new
