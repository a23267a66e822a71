import pytest

from vgan.prepare.scan import scan
from vgan.prepare.settings import Settings

LOCAL = [
    "--runner=DirectRunner",
    "--direct_num_workers=2",
    "--direct_running_mode=multi_processing",
]


@pytest.mark.slow
def test_beam_finds_the_same(film, scenes, source, tmp_path):
    pytest.importorskip("apache_beam", reason="extra 'beam' is not installed")
    from vgan.prepare.beam import scan_all

    sources = [source(film(f"{k}.mp4", scenes[k])) for k in range(3)]
    broken = film("broken.mp4", scenes[3])
    broken.write_bytes(broken.read_bytes()[:3000])  # warnings are facts
    sources.append(source(broken))
    settings, told = Settings(size=64), []
    for name in ("here", "beam"):
        (tmp_path / name).mkdir()
    here = [scan(one, settings, tmp_path / "here") for one in sources]
    there = scan_all(
        *(sources, settings, tmp_path / "beam", LOCAL),
        tell=lambda source, share, clips: told.append((source.name, share)),
    )
    assert there == here
    assert told == [(one.name, 1) for one in sources]
    for one, two in zip(
        *(sorted((tmp_path / name).iterdir()) for name in ("here", "beam")), strict=True
    ):
        assert one.name == two.name
        assert one.read_bytes() == two.read_bytes()
