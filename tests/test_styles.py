"""The command `vgan styles`: names, or a picture of each."""

import pytest
from PIL import Image

from tests import in_process


def styles(*flags):
    return in_process.run("vgan.styles", *flags)


def test_names_and_a_picture_of_each(model, tmp_path):
    done = styles(f"--model={model}")
    assert (done.returncode, done.stdout) == (0, "one\ntwo\n")
    output = tmp_path / "styles.png"
    done = styles(f"--model={model}", f"--output={output}", "--at=0.2")
    assert done.returncode == 0, done.stderr
    assert "2 styles" in done.stdout
    with Image.open(output) as picture:
        assert picture.width > picture.height
    done = styles(f"--model={model}", f"--output={output}")
    assert done.returncode == 2
    assert "exists" in done.stderr


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--at=3"], "--at: is of a picture; give --output"),
        (["--model=nothing"], "nothing: expected painterly"),
        (["--output=styles.txt"], "a picture becomes a .png"),
        (["--input=missing.mp4", "--output=styles.png"], "missing.mp4"),
    ],
)
def test_bad_values_are_one_line(flags, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = styles(*flags)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
