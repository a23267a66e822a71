"""What is said of a model as a whole, beside the scores of single clips."""

import numpy as np

from vgan.evaluation.metrics import distributions
from vgan.evaluation.metrics.steadiness import known_flow_error
from vgan.evaluation.systems import Stylised

CODES = 8  # random ones


def exact_error(make_maker, scenes):
    """Mean warping error on scenes whose flow is known.

    Args:
        make_maker: Function that gives a new `systems.Maker`.
        scenes: List of (frames uint8 [T, H, W, 3], flow [T-1, H, W, 2], occlusion
            [T-1, H, W, 1]).
    """
    errors = []
    for frames, flow, occlusion in scenes:
        maker = make_maker()
        results = np.stack([maker(frame) for frame in frames])
        errors.append(known_flow_error(results, flow, occlusion))
    return float(np.mean(errors))


def diversity(engine, frames, codes, seed=0):
    """How different the results for one content are; near 0, styles are ignored.

    Root mean square difference in [0, 1] of the last frame, mean over all pairs; see
    `distributions.mean_pairwise_distance`.

    Args:
        engine: From `vgan.runtime.engines.load`.
        frames: A few content frames, uint8 [T, H, W, 3].
        codes: Style codes, a list of [1, D].
        seed: Of the random codes.

    Returns:
        {"over_styles" (None of fewer than two), "over_random_codes"}.
    """
    noise = np.random.default_rng(seed).standard_normal((CODES, engine.noise_size))
    random = [engine.encode_noise(row[None].astype(np.float32)) for row in noise]

    def spread(codes):
        if len(codes) < 2:
            return None
        results = []
        for code in codes:
            maker = Stylised(engine, code)
            results.append([maker(frame) for frame in frames][-1])
        return distributions.mean_pairwise_distance(np.stack(results))

    return {"over_styles": spread(codes), "over_random_codes": spread(random)}
