import importlib.util

import numpy as np
import pytest

from vgan import InputError
from vgan.metrics import external
from vgan.metrics.distributions import frechet_distance_of, kernel_distance
from vgan.metrics.external import NotMeasured, measure


def clip(num_frames, seed=0, size=64):
    return np.random.default_rng(seed).integers(
        0, 256, (num_frames, size, size, 3), np.uint8
    )


@pytest.fixture
def packages(monkeypatch, tmp_path):
    """The optional packages, with an empty folder for their weights."""
    try:
        import torch_fidelity  # noqa: F401
        import torchmetrics.image  # noqa: F401
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"vgan[metrics] is not installed ({error})")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("socket.socket.connect", no_network)
    return tmp_path / "hub" / "checkpoints"


def no_network(*address):
    raise AssertionError(f"connects to {address}")


@pytest.fixture
def random_inception(packages, monkeypatch):
    """Weights as the real file holds them; return the network itself."""
    import torch
    from torch_fidelity import feature_extractor_inceptionv3 as module

    network_class = module.FeatureExtractorInceptionV3
    with monkeypatch.context() as patch:
        patch.setattr(module, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(network_class, "load_state_dict", lambda *_: None)
        torch.manual_seed(0)
        network = network_class("inception-v3-compat", ["2048"])
    for weight in network.parameters():
        if weight.ndim == 4:
            torch.nn.init.kaiming_normal_(weight)
    packages.mkdir(parents=True)
    name = module.URL_INCEPTION_V3.rpartition("/")[2]
    torch.save(network.state_dict(), packages / name)
    return network


def features_of(network, frames):
    import torch

    return network(torch.from_numpy(frames).permute(0, 3, 1, 2))[0].numpy()


def test_fvd_is_not_measured():
    with pytest.raises(NotMeasured, match="needs I3D"):
        measure("fvd", clip(2), clip(2))


def test_unknown_metric():
    with pytest.raises(InputError, match=r"metric fad: .* fid, kid, lpips, fvd"):
        measure("fad", clip(2), clip(2))


@pytest.mark.skipif(
    importlib.util.find_spec("torchmetrics") is not None, reason="it is installed"
)
@pytest.mark.parametrize("name", ["fid", "kid", "lpips"])
def test_without_the_packages(name):
    with pytest.raises(NotMeasured, match=r"pip install -e '\.\[metrics\]'") as error:
        measure(name, clip(2), clip(2))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "file"),
    [("fid", "inception"), ("kid", "inception"), ("lpips", "alexnet")],
)
def test_without_weights_nothing_is_downloaded(packages, name, file):
    with pytest.raises(NotMeasured, match=f"{packages}/.*{file}.*https://") as error:
        measure(name, clip(2), clip(2))
    assert "\n" not in str(error.value)
    assert not packages.exists()


def test_fid_and_kid_are_distances_of_inception_features(random_inception):
    result, reference = clip(3, 0, 40) // 2, clip(2, 1, 40)
    features = [features_of(random_inception, x) for x in (result, reference)]
    for name, distance in (("fid", frechet_distance_of), ("kid", kernel_distance)):
        value = measure(name, iter(result), iter(reference))
        assert value == pytest.approx(distance(*features), rel=1e-3)
        assert value > 1e-3
    for few in ((result[:1], reference), (result[:2], iter(()))):
        with pytest.raises(NotMeasured, match="two frames"):
            measure("fid", *few)


def test_distances_are_those_of_torchmetrics(packages):
    import torch
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.kid import KernelInceptionDistance

    class Pixels(torch.nn.Flatten):
        num_features = 12

    pictures = [clip(50, seed, 2).transpose(0, 3, 1, 2) / 255 for seed in (0, 1)]
    pictures[1] **= 2
    features = [np.reshape(picture, (50, 12)) for picture in pictures]
    for metric, distance in (
        (FrechetInceptionDistance(Pixels()), frechet_distance_of),
        (KernelInceptionDistance(Pixels(), 1, 50), kernel_distance),
    ):
        metric.set_dtype(torch.float64)
        for real, picture in enumerate(pictures):
            metric.update(torch.from_numpy(picture), real=bool(real))
        expected = metric.compute()
        expected = expected[0] if isinstance(expected, tuple) else expected
        assert distance(*features) == pytest.approx(float(expected), rel=1e-4)


def test_lpips_grows_with_noise(packages):
    import torch
    import torchvision

    torch.manual_seed(0)
    url = torchvision.models.AlexNet_Weights.DEFAULT.url
    packages.mkdir(parents=True)
    network = torchvision.models.alexnet()
    torch.save(network.state_dict(), packages / url.rpartition("/")[2])
    frames = clip(10)
    mild, strong = (
        np.uint8(np.clip(frames * (1 - a) + a * clip(10, 1), 0, 255)) for a in (0.1, 1)
    )
    assert measure("lpips", iter(frames), iter(frames)) == 0
    values = [measure("lpips", other, frames) for other in (mild, strong)]
    assert 0 < values[0] < values[1]
    parts = [measure("lpips", strong[p], frames[p]) for p in (slice(4), slice(4, 10))]
    assert values[1] == pytest.approx((4 * parts[0] + 6 * parts[1]) / 10, rel=1e-4)
    for other in (frames[:8], frames[:, :60]):
        with pytest.raises(InputError, match="differ in number or size"):
            measure("lpips", other, frames)
    with pytest.raises(NotMeasured, match="32 pixels"):
        measure("lpips", clip(2, 0, 16), clip(2, 0, 16))


class Trap:
    """Unpickling it would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_weights_that_are_code_or_damaged_or_others(packages, tmp_path):
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    path = packages / URL_INCEPTION_V3.rpartition("/")[2]
    path.parent.mkdir(parents=True)
    trap = tmp_path / "was here"
    for content in ({"fc.weight": Trap(trap)}, {"fc.weight": torch.ones(3)}):
        torch.save(content, path)
        with pytest.raises(NotMeasured, match="sound weights") as error:
            measure("fid", clip(2), clip(2))
        assert "\n" not in str(error.value)
        assert not trap.exists()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(NotMeasured, match="sound weights"):
        measure("fid", clip(2), clip(2))


def test_names():
    assert external.NAMES == ("fid", "kid", "lpips", "fvd")
