"""The pages: their links lead somewhere, and what they name exists."""

import pathlib
import re
import subprocess
import sys

import pytest

from vgan import __main__ as cli
from vgan import __version__

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = [
    *ROOT.glob("*.md"),
    *(page for folder in ("docs", "data", "experiments", "tools", "vgan/pretrained")
      for page in (ROOT / folder).glob("*.md")),
]  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_commands_exist(page):
    text = page.read_text()
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (page.parent / link).exists(), link
    for package in re.findall(r"python -m ((?:vgan|tools)\.\w+)", text):
        path = ROOT / package.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()
    for verb in re.findall(r"^ *vgan (\w+) ", text, re.MULTILINE):
        assert verb in cli.VERBS
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^ *make ([a-z-]+)", text, re.MULTILINE):
        assert f"\n{target}:" in makefile


def test_the_version_is_the_same_everywhere():
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## {__version__}\n" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.slow
def test_a_generator_and_a_loss_of_ones_own_train(tmp_path):
    """The script of docs/training.md, as it stands there."""
    page = (ROOT / "docs" / "training.md").read_text()
    (script,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len([line for line in script.splitlines() if line.strip()]) <= 31
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "g/vivid" in done.stdout
    assert (tmp_path / "my_generator.weights.h5").exists()
