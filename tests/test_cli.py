"""The command `vgan`, and the wheel that brings it."""

import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

import vgan
from vgan import __main__ as cli

ROOT = pathlib.Path(__file__).resolve().parents[1]


def run(*arguments, cwd=ROOT, path=ROOT):
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env={**os.environ, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        cwd=cwd,
    )


@pytest.mark.parametrize("arguments", [(), ("-h",), ("--help",)])
def test_help_has_a_line_for_each_verb(arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["vgan", *arguments])
    cli.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:-2]] == list(cli.VERBS)


def test_every_verb_is_a_package():
    packages = {path.parent.name for path in ROOT.glob("vgan/*/__main__.py")}
    assert set(cli.VERBS) == packages


def test_version(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["vgan", "--version"])
    cli.main()
    assert capsys.readouterr().out == f"vgan {vgan.__version__}\n"


def test_another_verb_is_refused_in_a_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["vgan", "paint"])
    with pytest.raises(SystemExit) as error:
        cli.main()
    assert error.value.code == 2
    assert capsys.readouterr().err.splitlines() == [
        f"vgan: no verb 'paint'; known: {', '.join(cli.VERBS)}"
    ]


@pytest.mark.parametrize(
    "flags", [("--help",), ("--input=gone.mp4", "--output=out.mp4"), ("stray",)]
)
def test_a_verb_answers_as_its_module_does(flags):
    ours, its = run("vgan", "generate", *flags), run("vgan.generate", *flags)
    assert (ours.returncode, ours.stderr) == (its.returncode, its.stderr)
    assert ours.stdout == its.stdout


@pytest.mark.slow
def test_a_wheel_runs_without_the_repository(tmp_path):
    pytest.importorskip("setuptools", minversion="77", reason="too old for pyproject")
    source, site, elsewhere = (tmp_path / name for name in ("source", "site", "empty"))
    elsewhere.mkdir()
    source.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("vgan", "experiments"):
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    built = run(
        *("pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"),
        *("--wheel-dir", str(tmp_path), "."),
        cwd=source,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(site)
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {
        "vgan"
    }
    assert [name for name in names if name.endswith("LICENSE")] == [
        f"vgan-{vgan.__version__}.dist-info/licenses/LICENSE"
    ]
    for name in (
        *("py.typed", "pretrained/painterly.keras", "experiments/quickstart.py"),
        *("serve/page/index.html", "serve/api.json"),
        "export/web/page/index.html",
    ):
        assert f"vgan/{name}" in names
    done = run("vgan", "--version", cwd=elsewhere, path=site)
    assert done.stdout == f"vgan {vgan.__version__}\n"
    done = run(*("vgan", "train", "--experiment=nope"), cwd=elsewhere, path=site)
    assert "known here: " in done.stderr
    assert ", quickstart," in done.stderr
