"""Temporal consistency: what moves with the scene should look the same.

Frames are uint8 RGB [H, W, 3]; every figure scales them to [0, 1]. The flow is that of
the content, since the result should move as the content does; its convention is that of
`vgan.video.flow`. No figure is 0 for the content itself: resampling, noise
and the estimate's errors all count. Measure the content against itself to know the
floor.
"""

import collections
import math
from collections.abc import Sequence

import cv2
import numpy as np

from vgan.metrics.flow import ContentMotion, Motion, frame_difference
from vgan.video.flow import estimate_flow, gray, warp

SETTLED = 10  # the frame that drift is measured from
NO_CONTRAST = 1e-6  # variance; that of rounding to 8 bits alone is 1.3e-6


def warping_error(
    frame: np.ndarray, before: np.ndarray, flow: np.ndarray, valid: np.ndarray
) -> float:
    """Mean squared change of what is the same point; lower is steadier, in [0, 1].

    sum(valid |frame - warp(before, flow)|^2) / (3 sum(valid)) (Lai et al., 2018). A
    pale picture changes little: read it beside `normalized_warping_error` and the
    strength of the style.

    Args:
        frame: uint8 [H, W, 3].
        before: uint8 [H, W, 3].
        flow: float32 [H, W, 2], backward.
        valid: bool [H, W], where the flow holds.

    Returns:
        float; NaN where the flow holds nowhere.
    """
    if not valid.any():
        return math.nan
    return float(np.square(_unit(frame) - warp(_unit(before), flow))[valid].mean())


def known_flow_error(
    frames: np.ndarray, flow: np.ndarray, occlusion: np.ndarray
) -> float:
    """Warping error of a whole clip whose flow is known, with no estimate between.

    sum(valid |f_t - warp(f_(t-1), flow_t)|^2) / (3 sum(valid)) over all pixels of all
    frames, in [0, 1]; lower is steadier (Lai et al., 2018).

    Args:
        frames: uint8 [T, H, W, 3].
        flow: Backward flow [T - 1, H, W, 2] in pixels, (x, y).
        occlusion: [T - 1, H, W, 1], 1 where the flow does not hold.

    Raises:
        ValueError: The flow holds nowhere, or the lengths do not fit.
    """
    valid = np.asarray(occlusion)[..., 0] == 0
    if not valid.any():
        raise ValueError("the flow is known nowhere in this clip")
    pairs = zip(frames[1:], frames[:-1], flow, valid, strict=True)
    total = sum(
        warping_error(*pair) * pair[-1].sum() for pair in pairs if pair[-1].any()
    )
    return float(total / valid.sum())


def normalized_warping_error(error: float, variance: float) -> float:
    """Warping error in units of contrast; lower is steadier, at least 0.

    error / (2 variance): the expected error of two unrelated frames is twice their
    variance, so 1 is noise, and paling a clip changes nothing.

    Args:
        error: From `warping_error`, or a mean of them.
        variance: Of the result's colors over the clip, in [0, 1], mean over channels.

    Returns:
        float; NaN for a result of a single color.
    """
    return error / (2 * variance) if variance > NO_CONTRAST else math.nan


def flow_difference(flow: np.ndarray, target: np.ndarray) -> float:
    """How differently two clips move, in pixels; lower is better, at least 0.

    mean |flow - target|, the tOF of TecoGAN (Chu et al., 2020), with the length of the
    difference vector as in its released code, and `estimate_flow` for both.

    Args:
        flow: float32 [H, W, 2], of the result.
        target: float32 [H, W, 2], of the content.
    """
    return float(np.linalg.norm(flow - target, axis=-1).mean())


def frame_difference_ratio(change: float, target: float) -> float:
    """How much more the result changes than the content; 1 is as much, at least 0.

    mean |y_t - y_(t-1)| / mean |x_t - x_(t-1)|. Above 1 is flicker or a higher
    contrast, below 1 a lag or a lower one: a plain check with no flow in it.

    Args:
        change: Mean of `frame_difference` of the result.
        target: The same of the content.

    Returns:
        float; NaN where the content does not change at all.
    """
    return change / target if target > 0 else math.nan


def static_flicker(frame: np.ndarray, before: np.ndarray, still: np.ndarray) -> float:
    """Mean |frame - before| where the content is still; lower is better, in [0, 1].

    Args:
        frame: Result, uint8 [H, W, 3].
        before: The result before, uint8 [H, W, 3].
        still: bool [H, W], from `still_pixels` of the content.

    Returns:
        float; NaN where nothing is still.
    """
    if not still.any():
        return math.nan
    return float(cv2.absdiff(frame, before)[still].mean() / 255)


class Drift:
    """How far a result wanders off by itself: mean |y_t - y_10|, in [0, 1].

    Over the pixels whose content has stood still since frame 10, when a recurrent state
    has settled: what changes there was not asked for. Lower is better.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start anew, with another scene."""
        self._frames, self._settled, self._still = 0, None, None

    def update(self, result: np.ndarray, still: np.ndarray | None) -> float:
        """Take the next frame.

        Args:
            result: uint8 [H, W, 3].
            still: bool [H, W], from `still_pixels` of the content; None of a first one.

        Returns:
            float; NaN up to frame 10, and where nothing has stood still since.
        """
        self._frames += 1
        if self._frames < SETTLED:
            return math.nan
        if self._settled is None:
            self._settled, self._still = result.copy(), np.ones(result.shape[:2], bool)
            return math.nan
        self._still &= still
        return static_flicker(result, self._settled, self._still)


class TemporalConsistency:
    """Measures a result against its content, frame by frame.

    Of the frames it keeps the last `max(lags)`; of the others only numbers stay.

        consistency = TemporalConsistency()
        for content, result in zip(content_frames, result_frames, strict=True):
            consistency.update(content, result)
        figures = consistency.figures()

    Args:
        lags: Distances in frames over which the warping error is measured.

    Raises:
        ValueError: A lag is not a whole number of at least 1.
    """

    def __init__(self, lags: Sequence[int] = (1, 5, 10)) -> None:
        self._motion = ContentMotion(lags)
        self.lags = self._motion.lags
        self._last = collections.deque(maxlen=max(self.lags))  # results, newest first
        names = [f"warping_error_{lag}" for lag in self.lags]
        names += ["flow_difference", "static_flicker", "drift", "content_change"]
        names += ["result_change", "content_luma", "result_luma"]
        self._series = {name: [] for name in names}
        self._drift = Drift()
        self._moments = np.zeros((2, 3))  # of the result: sums of x and of x^2

    def reset(self) -> None:
        """Forget the last frames: at a scene cut, which no pair may span."""
        self._motion.reset()
        self._drift.reset()
        self._last.clear()

    def update(
        self, content: np.ndarray, result: np.ndarray, motion: Motion | None = None
    ) -> None:
        """Add the next frame.

        Args:
            content: uint8 [H, W, 3].
            result: uint8 [H, W, 3], of the same size.
            motion: Of the content, from a `ContentMotion` with these lags that several
                results share; found here where it is None.

        Raises:
            ValueError: They are not of one size, or not of that of the frames before.
            InputError: They are too small to see how they move.
        """
        _check(content, result, *([self._last[0]] if self._last else ()))
        if motion is None:
            motion = self._motion.update(content)
        row = {"content_luma": _luma(content), "result_luma": _luma(result)}
        for lag in motion.flows.keys() & set(self.lags):
            row[f"warping_error_{lag}"] = warping_error(
                result, self._last[lag - 1], *motion.flows[lag]
            )
        if motion.still is not None:
            before = self._last[0]
            moved = estimate_flow(result, before)
            row["flow_difference"] = flow_difference(moved, motion.flows[1][0])
            row["static_flicker"] = static_flicker(result, before, motion.still)
            row["content_change"] = motion.change
            row["result_change"] = frame_difference(result, before)
        row["drift"] = self._drift.update(result, motion.still)
        for name, values in self._series.items():
            values.append(row.get(name, math.nan))
        mean, std = (values[:, 0] / 255 for values in cv2.meanStdDev(result))
        self._moments += mean, std**2 + mean**2
        self._last.appendleft(result.copy())

    def figures(self) -> dict[str, float | None]:
        """Figures of all frames so far: {name: float, or None if not measurable}.

        warping_error_K and normalized_warping_error_K for each lag K, flow_difference,
        frame_difference_ratio and static_flicker: means over the pairs of frames that
        could be measured; drift: of the last frame that could be. None: the clip is
        shorter than the lag, nothing is still, or the result has no contrast.
        """
        mean = {name: _mean(values) for name, values in self._series.items()}
        errors = {lag: mean[f"warping_error_{lag}"] for lag in self.lags}
        figures = {f"warping_error_{lag}": error for lag, error in errors.items()}
        variance = self._variance()
        for lag, error in errors.items():
            normalized = normalized_warping_error(error, variance)
            figures[f"normalized_warping_error_{lag}"] = normalized
        figures["flow_difference"] = mean["flow_difference"]
        figures["frame_difference_ratio"] = frame_difference_ratio(
            mean["result_change"], mean["content_change"]
        )
        figures["static_flicker"] = mean["static_flicker"]
        drifts = [drift for drift in self._series["drift"] if not math.isnan(drift)]
        figures["drift"] = drifts[-1] if drifts else math.nan
        return {name: _known(value) for name, value in figures.items()}

    def series(self) -> dict[str, list[float | None]]:
        """The course of each measure: {name: [float, or None if not measurable]}.

        One number per frame, for plots: warping_error_K, flow_difference,
        static_flicker, drift, content_change and result_change (`frame_difference`),
        each against an earlier frame; content_luma and result_luma, in [0, 1].
        """
        return {
            name: [_known(value) for value in values]
            for name, values in self._series.items()
        }

    def _variance(self):
        """Of the result over the whole clip, mean over channels."""
        count = len(self._series["result_luma"])
        mean, square = self._moments / max(count, 1)
        return float((square - mean**2).mean())


def _check(*frames):
    kinds = sorted({f"{frame.dtype} {list(frame.shape)}" for frame in frames})
    shape = frames[0].shape
    if len(kinds) > 1 or frames[0].dtype != np.uint8 or shape[2:] != (3,):
        raise ValueError(
            f"frames must all be uint8 [H, W, 3] of one size, got {' and '.join(kinds)}"
        )


def _mean(values):
    values = [value for value in values if not math.isnan(value)]
    return math.fsum(values) / len(values) if values else math.nan


def _known(value):
    return None if math.isnan(value) else value


def _unit(frame):
    return np.asarray(frame, np.float32) / 255


def _luma(frame):
    return float(gray(frame).mean() / 255)
