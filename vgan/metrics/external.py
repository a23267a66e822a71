"""FID, KID and LPIPS on the networks that define them, where these are installed.

FID and KID take the Inception of torch-fidelity (Obukhov et al., 2020), a port of the
network and the resizing of the original FID; LPIPS is that of torchmetrics (Detlefsen
et al., 2022), which ships its heads, on torchvision's AlexNet. Nothing is downloaded:
weights are taken from where PyTorch keeps them, `$TORCH_HOME/hub/checkpoints` (else
`~/.cache/torch`), under the names that they have on their servers.

FVD is not among them: its I3D network exists as copies of one TorchScript file, which
is code to run, and in no package that is kept up.
"""

import itertools
import pathlib
from collections.abc import Iterable

import numpy as np

from vgan import InputError
from vgan.metrics.distributions import frechet_distance_of, kernel_distance

_BATCH = 8  # frames at a time: Inception takes 6 GMAC for each


class NotMeasured(Exception):  # noqa: N818
    """A metric cannot be had on this machine; the message says "needs ..."."""


def measure(
    name: str,
    result_frames: Iterable[np.ndarray],
    reference_frames: Iterable[np.ndarray],
) -> float:
    """Return a metric of stylized frames against others; lower is closer for all.

    * "fid": Frechet Inception distance (Heusel et al., 2017), from 0 without a bound.
      Far too high for fewer than some 2048 frames on a side: compare only values from
      equally many.
    * "kid": kernel Inception distance (Binkowski et al., 2018), unbiased, around 0
      for equal distributions: the one for few frames. Over all pairs of frames, not a
      mean over random subsets.
    * "lpips": learned perceptual distance (Zhang et al., 2018; AlexNet), mean over the
      pairs of frames, 0 for equal ones, seldom above 1.
    * "fvd": Frechet video distance (Unterthiner et al., 2018); never measured.

    Args:
        name: One of `NAMES`.
        result_frames: Iterable of uint8 RGB [H, W, 3]; read once, in small batches.
        reference_frames: Likewise; for "lpips" as many and as large.

    Raises:
        NotMeasured: A package or a file of weights is absent, or the frames are too
            few or too small.
        InputError: There is no such metric, or the frames do not pair.
    """
    if name not in _METRICS:
        raise InputError(f"metric {name}: there is none; give {', '.join(NAMES)}")
    if name != "fvd":
        _check_packages()
    return _METRICS[name](result_frames, reference_frames)


def _check_packages():
    try:
        import torch_fidelity  # noqa: F401
        import torchmetrics.image  # noqa: F401
        import torchvision  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:  # or they do not fit
        reason = str(error).partition("\n")[0][:80]
        raise NotMeasured(f"needs pip install -e '.[metrics]' ({reason})") from error


def _fid(result, reference):
    return frechet_distance_of(*_inception_features(result, reference))


def _kid(result, reference):
    return kernel_distance(*_inception_features(result, reference))


def _lpips(result, reference):
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity
    from torchvision.models import AlexNet_Weights

    metric = _with_weights(
        lambda: LearnedPerceptualImagePatchSimilarity("alex", normalize=True),
        AlexNet_Weights.DEFAULT.url,
    )
    for pair in itertools.zip_longest(_batches(result), _batches(reference)):
        if pair[0] is None or pair[1] is None or pair[0].shape != pair[1].shape:
            raise InputError(
                "lpips: result and reference frames differ in number or size; "
                "give the frames that the result was made from"
            )
        if min(pair[0].shape[2:]) < 32:
            raise NotMeasured("needs frames of at least 32 pixels a side")
        metric.update(*(batch / 255 for batch in pair))
    return float(metric.compute())


def _fvd(result, reference):
    raise NotMeasured("needs I3D, which no package that is kept up provides")


_METRICS = {"fid": _fid, "kid": _kid, "lpips": _lpips, "fvd": _fvd}
NAMES = tuple(_METRICS)


def _with_weights(build, url):
    """Return build(), sure that it finds its weights on the disk and nothing else."""
    import torch

    path = pathlib.Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2])
    if not path.is_file():
        raise NotMeasured(f"needs the weights {path}; download them from {url}")
    try:
        # The libraries would run code from this file; what loads this way has none.
        torch.load(path, map_location="cpu", weights_only=True)
        return build()
    except Exception as error:  # torch raises half a dozen kinds for a damaged file
        reason = str(error).partition("\n")[0][:80]
        raise NotMeasured(
            f"needs sound weights: {path} is not the file from {url} ({reason})"
        ) from error


def _inception_features(*sets):
    """Iterables of frames uint8 [H, W, 3] -> features [N, 2048] of each."""
    import torch
    from torch_fidelity import feature_extractor_inceptionv3 as inception

    network = _with_weights(
        lambda: inception.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"]),
        inception.URL_INCEPTION_V3,
    )
    features = []
    for frames in sets:
        with torch.no_grad():
            batches = [network(batch)[0].numpy() for batch in _batches(frames)]
        if sum(map(len, batches)) < 2:
            raise NotMeasured("needs at least two frames on either side")
        features.append(np.concatenate(batches))
    return features


def _batches(frames):
    """Frames uint8 [H, W, 3] -> tensors uint8 [up to _BATCH, 3, H, W]."""
    import torch

    frames = iter(frames)
    while batch := list(itertools.islice(frames, _BATCH)):
        yield torch.from_numpy(np.stack(batch)).permute(0, 3, 1, 2)
