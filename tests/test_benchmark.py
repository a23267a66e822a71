"""The command on tiny runs, and what it makes of their figures."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest

from tests import in_process
from tests.tiny import ADVERSARIAL_ALONE, TINY_GAN
from tools.benchmark import __main__, leaderboard, markdown, runs
from vgan import InputError, config

ROOT = pathlib.Path(__file__).resolve().parents[1]
QUICK = ["train.steps=2", *TINY_GAN, *ADVERSARIAL_ALONE]
BLOCK = "<!-- objectives -->\n{}\n<!-- /objectives -->"


def benchmark(*flags):
    name = "tools.benchmark"
    return in_process.run(name, *flags, cwd=ROOT, actions=__main__.ACTIONS)


@pytest.mark.slow
def test_train_tells_what_a_term_costs(tmp_path, plain_graphs):
    output = tmp_path / "report.json"
    done = benchmark(
        *("train", "--experiment=smoke", "--steps=3", f"--output={output}"),
        *(
            "--set=losses.adversarial.weight=0",
            "--set=losses.content=0",
            "--set=losses.temporal=0",
        ),
        *(f"--set={text}" for text in TINY_GAN),
        *("--set=train.g_every=2", "--term=edges"),
    )
    assert done.returncode == 0, done.stderr
    facts = json.loads(output.read_text())
    assert facts["setup"]["steps"] == 4  # whole turns of what is done at every second
    assert "CPUs" in facts["setup"]["machine"]
    assert "2 clips of 2 frames, 32 pixels" in done.stdout
    (row,) = facts["terms"]
    assert (row["term"], row["used"], row["weight"]) == ("edges", False, 0)
    assert row["variant_ms"] / facts["step_ms"] == pytest.approx(row["ratio"])
    assert row["cost_ms"] / facts["step_ms"] == pytest.approx(row["share"])
    assert 0 <= facts["pipeline"]["wait_share"] < 1
    assert "whole step" in done.stdout
    assert "edges" in done.stdout


def test_variants_change_one_thing_each():
    from tools.benchmark import costs

    losses = config.load(str(ROOT / "experiments" / "smoke.py")).losses
    found = {(v.kind, v.name): v.losses for v in costs.variants(losses)}
    assert found["whole", ""] == found["noise", ""] == losses
    assert found["used", "style"]["style"]["weight"] == 0
    assert found["used", "style"]["content"] == losses["content"]
    assert found["unused", "edges"]["edges"]["weight"] == 1
    bare = found["unpunished", ""]["adversarial"]
    assert bare["r1"] == bare["r2"] == 0
    r2 = found["penalty", "r2"]["adversarial"]
    assert (r2["r1"], r2["r2"], r2["penalty_interval"]) == (0, 1, 1)
    assert ("penalty", "gradient_penalty") not in found  # not of this loss
    alone = {**losses, "adversarial": {"weight": 0.0}}
    alone = {(v.kind, v.name) for v in costs.variants(alone)}
    assert ("unused", "adversarial") in alone
    assert ("penalty", "r1") not in alone
    with pytest.raises(InputError, match="term=nothing"):
        costs.variants(losses, ["nothing"])


def test_costs_are_of_whole_cycles():
    """A penalty at every second step, on a machine that slows down: 30 ms of 100."""
    from tools.benchmark import costs

    losses = {"style": {"weight": 3.0}, "adversarial": {"penalty_interval": 2}}
    slow = np.linspace(0, 1, 8)
    lazy = np.array([0.115, 0.085] * 4) + slow
    kinds = {"whole": lazy, "noise": lazy, "unpunished": 0.085 + slow}
    times = {costs.Variant("", kind, losses): t for kind, t in kinds.items()}
    times[costs.Variant("style", "used", losses)] = lazy - 0.03
    times[costs.Variant("r1", "penalty", losses)] = 0.115 + slow
    figures = costs.figures(losses, times, 2)
    assert figures["noise_ms"] == 0
    assert figures["terms"][0]["cost_ms"] == pytest.approx(30)
    (penalty,) = figures["penalties"]
    assert penalty["taken_ms"] == pytest.approx(30)
    assert penalty["cost_ms"] == pytest.approx(15)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A finished comparison of one adversarial loss."""
    folder = tmp_path_factory.mktemp("compared")
    page = folder / "page.md"
    page.write_text(f"above\n\n{BLOCK.format('old')}\n\nbelow\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leaderboard, "CLIPS", 2)
        patch.setattr(leaderboard, "FRAMES", 3)
        done = benchmark(
            *("objectives", "--experiment=smoke", "--adversarial=hinge", "--seeds=1"),
            *(f"--set={text}" for text in QUICK),
            *(f"--runs={folder / 'runs'}", f"--output={page}"),
        )
    assert done.returncode == 0, done.stderr
    return folder, page


@pytest.mark.slow
def test_objectives_renew_the_table(compared):
    folder, page = compared
    text = page.read_text()
    assert text.startswith("above\n\n<!-- objectives -->\n| loss | score")
    assert text.endswith("<!-- /objectives -->\n\nbelow\n")
    assert "old" not in text
    assert "\n| hinge | " in text
    assert "python -m tools.benchmark objectives" in text
    facts = json.loads((folder / "runs" / "objectives.json").read_text())
    (run,) = facts["runs"]
    assert (run["adversarial"], run["seed"], run["stopped"]) == ("hinge", 0, "")
    assert -1 <= run["figures"]["style_strength"] <= 1
    assert run["figures"]["known_flow_error"] > 0
    # two steps: no tenth of them ends at 25 % or 75 %
    assert [value is None for value in run["advantage"]] == [True, False] * 2


@pytest.mark.slow
def test_finished_runs_are_not_trained_again(compared):
    folder, _ = compared
    weights = (folder / "runs" / "hinge_0" / "generator.keras").read_bytes()
    smoke = str(ROOT / "experiments" / "smoke.py")
    plan = runs.plan(smoke, QUICK, ["hinge"], 1, folder / "runs")
    runs.train(plan)
    assert not plan[0].stopped
    kept = (folder / "runs" / "hinge_0" / "generator.keras").read_bytes()
    assert kept == weights
    with pytest.raises(InputError, match="other settings"):
        runs.plan(smoke, QUICK[1:], ["hinge"], 1, folder / "runs")


def test_losses_are_ranked_and_collapses_told():
    from tools.benchmark import table

    def row(loss, score, stopped="", alarms=()):
        figures = dict.fromkeys(table.COLUMNS, score)
        return {
            "adversarial": loss,
            "seed": 0,
            "figures": None if stopped else figures,
            "advantage": [0.5, None, 0.25, 0.5],
            "alarms": list(alarms),
            "stopped": stopped,
        }

    won = "step 50: the discriminator wins: its advantage is 1.00 of 1; lower it"
    nan = "step 7: g/loss is not finite"
    lines = table.markdown(
        {
            "setup": {
                **{"steps": 9, "seeds": 2, "clips": "few", "features": "random"},
                **{"machine": "one", "versions": "new", "command": "this"},
            },
            "runs": [
                *(row("broken", 0.9), row("broken", 0, "g/loss is not finite", [nan])),
                *(row("worse", 0.2), row("worse", 0.3, alarms=[won])),
                *(row("better", 0.6), row("better", 0.4)),
            ],
        }
    ).splitlines()
    cells = [line.strip("| ").split(" | ") for line in lines[2:5]]
    assert [cell[0] for cell in cells] == ["better", "worse", "broken"]
    assert (cells[0][1], cells[0][-1]) == ("0.50 ± 0.10", "no")
    assert cells[1][-1] == "1 of 2: the discriminator wins (step 50)"
    assert cells[2][-1] == "1 of 2: g/loss is not finite (step 7)"
    assert cells[2][1] == "0.90"
    assert cells[0][-2] == "0.50 ± 0.00, -, 0.25 ± 0.00, 0.50 ± 0.00"


def test_the_advantage_is_read_over_a_tenth(tmp_path):
    import tensorflow as tf

    for steps in (range(1, 31), range(29, 41)):  # a run that was resumed
        writer = tf.summary.create_file_writer(str(tmp_path))
        with writer.as_default():
            for step in steps:
                tf.summary.scalar("d/advantage", step / 40, step=step)
        writer.close()
    # means of 7..10, 17..20, 27..30 and 37..40, of 40
    expected = [8.5 / 40, 18.5 / 40, 28.5 / 40, 38.5 / 40]
    assert leaderboard.advantages(tmp_path, 40) == pytest.approx(expected)
    assert leaderboard.advantages(tmp_path / "none", 40) == [None] * 4


def test_what_training_says_is_understood():
    def call(code):
        return runs._call(["-c", f"import sys\n{code}"])

    assert call("print('bar', file=sys.stderr)") == (0, "bar")
    reason = "vgan.train: stopped, g/loss is not finite"
    assert call(f"sys.exit({reason!r})") == (1, reason)
    assert call("sys.stderr.write('a\\rb\\nlast\\n'); sys.exit(2)") == (2, "last")


def test_an_interrupt_reaches_the_training(tmp_path):
    """Once, and what it does then is waited for."""
    trained = tmp_path / "trained.py"
    trained.write_text(
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
        "try:\n"
        "    print('ready', file=sys.stderr, flush=True)\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    time.sleep(0.5)\n"
        "    pathlib.Path('checkpoint').touch()\n"
    )
    code = (
        "import sys; from vgan import command; from tools.benchmark import runs; "
        "command.run(lambda argv: runs._call([sys.argv[1]]), actions=[sys.argv[1]])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, trained],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},  # where tools/ is
        stderr=subprocess.PIPE,
    )
    assert process.stderr.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (143, b"")
    assert (tmp_path / "checkpoint").exists()


def test_the_block_is_replaced_and_nothing_else(tmp_path):
    path = tmp_path / "page.md"
    assert markdown.with_block(path, "objectives", "new") == BLOCK.format("new") + "\n"
    path.write_bytes(b"caf\xc3\xa9\r\n")
    text = markdown.with_block(path, "objectives", "new\n")
    assert text == f"café\n\n{BLOCK.format('new')}\n"
    markdown.write(path, text)
    again = markdown.with_block(path, "objectives", "newer")
    assert again == text.replace("new", "newer")
    for broken in ("<!-- objectives -->", BLOCK.format("") * 2, "<!-- /objectives -->"):
        path.write_text(broken)
        with pytest.raises(InputError, match=r"page\.md: needs"):
            markdown.with_block(path, "objectives", "new")
    path.write_bytes(b"\xff")
    with pytest.raises(InputError, match="UTF-8"):
        markdown.with_block(path, "objectives", "new")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "say what to do; known: train, data, objectives"),
        (["dance"], "cannot do 'dance'"),
        (["train", "now"], "unexpected argument 'now'"),
        (["train"], "--experiment: give one"),
        (["train", "--experiment=nope"], "there is no experiments/nope.py"),
        (["train", "--experiment=smoke", "--steps=0"], "--steps=0: give at least 1"),
        (["train", "--experiment=smoke", "--seeds=3"], "--seeds: is for objectives"),
        (["objectives", "--experiment=smoke", "--seeds=0"], "--seeds=0"),
        (["train", "--experiment=smoke", "--output=x.md"], "ends in .json"),
        (["train", "--experiment=smoke", "--output=no/x.json"], "cannot be written"),
    ],
)
def test_bad_input_is_one_line(flags, said):
    done = benchmark(*flags)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("tools.benchmark: ")
    assert done.stderr.count("\n") == 1
