"""The noise field of a painter's state, moved with the film."""

import cv2
import numpy as np

from vgan.video.flow import estimate_flow, warp

NAME = "noise_field"
CELL = 4  # pixels of a frame to one of the field
PATCH = 2  # a side, pixels of the field to one of the state
SPREAD = 6.0  # cells from which motion is taken where there is nothing to follow
STEEP = 0.5  # cells per cell, from which on ramps of coordinates become steps
SMALLEST_SIDE = 64  # pixels; below there is too little to see motion by


class MovingNoise:
    """Lets the noise that a painter lays on flat areas move with what it lies on.

    A network paints the same marks for the same noise. So the field is looked up where
    each place of the picture came from, by coordinates that are carried along by the
    film's motion (texture coordinates: Neyret, Advected Textures, 2003): interpolation
    is never repeated, so the noise keeps its contrast however long the film is.

    `follow` needs frames only, and `lay` the state: they may be in two threads, the
    first ahead of the second. Frames below 64 pixels a side are left as they are.
    """

    def __init__(self) -> None:
        self._last = self._drift = self._field = None

    def follow(self, frame: np.ndarray, fresh: bool = False) -> np.ndarray | None:
        """Say where the noise of the next frame comes from.

        Args:
            frame: uint8 RGB [H, W, 3], as the network will see it.
            fresh: Whether to forget the frames so far.

        Returns:
            Coordinates for `lay`, relative, float32 [H / 4, W / 4, 2]; of the first
            frame, and of one that is too small, None.
        """
        if fresh:
            self._last = self._drift = None
        if min(frame.shape[:2]) < SMALLEST_SIDE:
            return None
        height, width = (side // CELL for side in frame.shape[:2])
        now = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        before, self._last = self._last, now
        if before is None:
            return None
        drift = self._drift
        if drift is None:
            drift = np.zeros((height, width, 2), np.float32)
        flow = _calm(estimate_flow(now, before, rough=True), now)
        self._drift = _stepped(warp(drift, flow) + flow)
        return self._drift

    def lay(
        self, drift: np.ndarray | None, state: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return the state for the next frame, whose noise is where its things are.

        Args:
            drift: What `follow` returned of that frame; with None the state is
                returned as it is.
            state: Of the frames before, with a noise field; it stays as it is.
        """
        if drift is None:
            self._field = None
            return state
        if self._field is None:
            self._field = _unfold(np.asarray(state[NAME])[0])
        height, width = drift.shape[:2]
        y, x = np.mgrid[:height, :width].astype(np.float32)
        field = cv2.remap(
            self._field,
            x + drift[..., 0],
            y + drift[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        return {**state, NAME: _fold(field)[None]}

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return what `follow` remembers, {name: array}; no array is written to."""
        return _given(last=self._last, drift=self._drift)

    def field(self) -> dict[str, np.ndarray]:
        """Return what `lay` remembers, likewise."""
        return _given(field=self._field)

    def restore(self, kept: dict[str, np.ndarray]) -> None:
        """Go on from where `snapshot` and `field` were taken."""
        self._last, self._field, self._drift = (
            kept.get(name) for name in ("last", "field", "drift")
        )


def _given(**arrays):
    return {name: array for name, array in arrays.items() if array is not None}


def _calm(flow, frame):
    """Flow [H, W, 2], from where there is something to follow to where there is not.

    In flat areas an estimate trembles with the camera's noise; they move as what is
    around them: a mean, weighted by how much the frame changes there.
    """
    light = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across, down = (cv2.Sobel(light, cv2.CV_32F, *d) / 8 for d in ((1, 0), (0, 1)))
    weight = cv2.blur(np.minimum(across**2, 400) + np.minimum(down**2, 400), (3, 3))
    blurred = [
        cv2.GaussianBlur(x, (0, 0), SPREAD)
        for x in (weight, weight * flow[..., 0], weight * flow[..., 1])
    ]
    around = np.stack([x / (blurred[0] + 1e-3) for x in blurred[1:]], axis=-1)
    trust = (weight / (weight + 25))[..., None]
    return trust * flow + (1 - trust) * around


def _stepped(drift):
    """Coordinates [H, W, 2] whose ramps have become a little steeper and shorter.

    Where something passed in front, coordinates of before and behind run into one
    another, and noise between them is drawn out into bands. Noise has no seams to see:
    a step does no harm. So each place of a ramp goes to the nearer of its two ends,
    frame by frame (shock filter: Kramer and Bruckner, 1975).
    """
    slopes = [cv2.Sobel(drift, cv2.CV_32F, *d, scale=1 / 8) for d in ((1, 0), (0, 1))]
    steep = np.hypot(*slopes) > STEEP
    if not steep.any():
        return drift
    curve = cv2.Laplacian(cv2.GaussianBlur(drift, (0, 0), 1), cv2.CV_32F)
    around = np.ones((3, 3), np.uint8)
    ends = np.where(curve > 0, cv2.erode(drift, around), cv2.dilate(drift, around))
    return np.where(steep, ends, drift)


def _unfold(state):
    """Patches [h, w, 4 C] -> [2 h, 2 w, C]."""
    height, width, channels = state.shape
    x = state.reshape(height, width, PATCH, PATCH, channels // PATCH**2)
    x = x.transpose(0, 2, 1, 3, 4).reshape(height * PATCH, width * PATCH, -1)
    return np.ascontiguousarray(x)


def _fold(field):
    """[2 h, 2 w, C] -> patches [h, w, 4 C]."""
    height, width = (side // PATCH for side in field.shape[:2])
    x = field.reshape(height, PATCH, width, PATCH, -1).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(x.reshape(height, width, -1))
