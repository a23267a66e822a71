"""Wide colors and high dynamic range to common video, and back.

Numbers are those of ITU-T H.273.
"""

import numpy as np

BT709, BT2020, DISPLAY_P3 = 1, 9, 12  # primaries
PQ, HLG = 16, 18  # transfer curves of HDR video


class WideGamut:
    """BT.2020 or Display P3 to BT.709; PQ is tone mapped, HLG is taken as SDR.

    PQ: SMPTE ST 2084 with reference white at 203 cd/m2 (ITU-R BT.2408), highlights
    to 1000 cd/m2 rolled off by Reinhard's extended curve on the largest channel
    (Reinhard et al. 2002), which keeps hues. HLG (ITU-R BT.2100) was made to be shown
    as it is on BT.2020 screens: only the primaries are converted.

    Args:
        transfer: PQ, HLG, or the curve of video without HDR.
        primaries: BT709, DISPLAY_P3 or BT2020, which all others count as.
    """

    _TO_BT709 = {  # noqa: RUF012 -- linear light, by primaries
        BT2020: [  # ITU-R BT.2407
            [1.6605, -0.5876, -0.0728],
            [-0.1246, 1.1329, -0.0083],
            [-0.0182, -0.1006, 1.1187],
        ],
        DISPLAY_P3: [  # SMPTE EG 432-1
            [1.2249, -0.2249, 0],
            [-0.0420, 1.0420, 0],
            [-0.0196, -0.0786, 1.0983],
        ],
        BT709: np.eye(3),
    }
    _PEAK = 1000 / 203

    def __init__(self, transfer: int, primaries: int) -> None:
        # HDR that does not say more is of BT.2020, as ITU-R BT.2100 has it.
        matrix = self._TO_BT709.get(primaries, self._TO_BT709[BT2020])
        self._primaries = np.float32(matrix)
        code = np.arange(65536) / 65535
        self._tone_map = transfer == PQ
        linear = _pq(code) * 10000 / 203 if self._tone_map else code**2.4
        self._linear = linear.astype(np.float32)
        # Indexed by the square root of light: steps as fine in the dark as needed.
        root = np.arange(4096) / 4095
        self._display = np.rint(255 * root ** (2 / 2.4)).astype(np.uint8)
        self._display_deep = np.rint(65535 * code ** (2 / 2.4)).astype(np.uint16)

    def __call__(self, array: np.ndarray, deep: bool = False) -> np.ndarray:
        """Return RGB `[H, W, 3]`, uint8 or uint16, of uint16 codes `[H, W, 3]`."""
        light = self._linear[array]
        if self._tone_map:
            red, green, blue = light[..., 0], light[..., 1], light[..., 2]
            peak = np.maximum(np.maximum(red, green), blue)[..., None]
            light *= (1 + peak / self._PEAK**2) / (1 + peak)
        light = light @ self._primaries.T
        np.sqrt(np.clip(light, 0, 1, out=light), out=light)
        if deep:
            return self._display_deep[np.rint(light * 65535).astype(np.uint16)]
        return self._display[np.rint(light * 4095).astype(np.uint16)]


class Widened:
    """Common video back to what `WideGamut` has made it of.

    The tone map of PQ is undone too: white is at 1000 cd/m2 again, and what is below
    it as it was, but for colors outside of BT.709, which were clipped.

    Args:
        transfer: As of WideGamut.
        primaries: As of WideGamut.
    """

    def __init__(self, transfer: int, primaries: int) -> None:
        there = WideGamut(transfer, primaries)
        self._primaries = np.linalg.inv(there._primaries.astype(float)).T
        self._primaries = self._primaries.astype(np.float32)
        self._tone_map, self._peak = transfer == PQ, np.float32(there._PEAK)
        code = np.arange(65536) / 65535
        self._light = (code**2.4).astype(np.float32)
        # Indexed by the fourth root of light, as of WideGamut.
        light = code**4
        value = _to_pq(light * 0.1) if self._tone_map else light ** (1 / 2.4)
        self._code = np.rint(65535 * value).astype(np.uint16)

    def __call__(self, array: np.ndarray) -> np.ndarray:
        """Return uint16 RGB codes `[H, W, 3]` of uint16 RGB `[H, W, 3]`."""
        light = np.clip(self._light[array] @ self._primaries, 0, 1)
        if self._tone_map:  # y = x (1 + x / peak^2) / (1 + x), solved for x
            y = light.max(axis=2, keepdims=True)
            square = self._peak**2
            x = square / 2 * (y - 1 + np.sqrt((1 - y) ** 2 + 4 * y / square))
            light *= x / np.maximum(y, np.float32(1e-9)) / self._peak  # 1: 1000 cd/m2
        np.clip(light, 0, 1, out=light)
        return self._code[np.rint(np.sqrt(np.sqrt(light)) * 65535).astype(np.uint16)]


def _to_pq(light):
    """The inverse of `_pq`."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = light**m1
    return ((c1 + c2 * power) / (1 + c3 * power)) ** m2


def _pq(code):
    """SMPTE ST 2084: code value in [0, 1] to light, 1 being 10000 cd/m2."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = code ** (1 / m2)
    return (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
