"""Perceptual signatures: which shots and pictures repeat another one, more or less.

A signature is a text of hexadecimal digits, small enough for JSON: 256 bits for each of
five moments of a shot, or for a picture. A bit is the sign of one of the lowest 16 x 16
frequencies of the brightness (Zauner, "Implementation and Benchmarking of Perceptual
Image Hash Functions", 2010); a moment is the mean of a fifth of the shot, which
forgives other frame rates (Esmaeili, Fatourechi, Ward, "A Robust and Fast Video Copy
Detection System Using Content-Based Fingerprinting", 2011). Encoding, size, brightness
and contrast hardly change it. Signs also tell what a turned picture's signature is.
"""

import itertools
from collections.abc import Iterable, Sequence

import cv2
import numpy as np

SIDE = 32  # of what the frequencies are taken of
KEPT = 16  # lowest frequencies along each axis
MOMENTS = 5
# Part of the bits that may differ. Of 72 shots of 56 videos, 25 samples each, copies at
# a third of the frame rate and half the size, brighter and strongly compressed, differ
# in less than 0.07 (half of them) or 0.12 (five of six; faster motion, more). One
# person's two signs before a fixed camera are 0.14 apart, a car park at two times 0.19,
# other scenes 0.33 and more.
BOUND = 0.12
FLAT = 0.03  # part of the spread of frequencies that encoding may make
COARSE = 8  # lowest frequencies of the middle moment, one machine word
COARSE_BOUND = 16  # bits of it; those copies differ in at most 11


def thumbnail(frame: np.ndarray) -> np.ndarray:
    """Return uint8 [32, 32], all that a signature needs of a uint8 [H, W, 3] frame."""
    small = cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)


def signature(frames: Sequence[np.ndarray]) -> str:
    """Return the signature of a shot.

    Args:
        frames: At least one frame, evenly spaced over the whole shot, 25 or more where
            there are: uint8 RGB [H, W, 3] of any size, or from `thumbnail`.

    Returns:
        320 hexadecimal digits.

    Raises:
        ValueError: There is no frame.
    """
    if not len(frames):
        raise ValueError("a signature needs at least one frame")
    grays = [frame if frame.ndim == 2 else thumbnail(frame) for frame in frames]
    edges = np.linspace(0, len(grays), MOMENTS + 1)
    parts = [
        grays[int(begin) : max(int(begin) + 1, int(end))]
        for begin, end in itertools.pairwise(edges)
    ]
    return _text([np.mean(part, axis=0) for part in parts])


def picture_signature(picture: np.ndarray) -> str:
    """Return the signature of a picture, uint8 RGB [H, W, 3]: 64 hexadecimal digits.

    A picture never repeats a shot, nor a shot a picture.
    """
    return _text([thumbnail(picture)])


def distance(one: str, other: str) -> float:
    """Part of the bits, in [0, 1], in which two signatures differ, turned or not.

    Returns:
        The least of the four quarter turns; 1.0 between a picture and a shot.
    """
    if len(one) != len(other):
        return 1.0
    bits = _bits(one)
    differ = np.stack(_turns(bits)) != _bits(other)
    return float(differ.sum(axis=(1, 2, 3)).min() / _informative(bits))


def duplicates(
    entries: Iterable[tuple[str, str]], bound: float = BOUND
) -> dict[str, str]:
    """Find what repeats an earlier entry that repeats none itself.

    Args:
        entries: Iterable of (key, signature), the one to keep before its copies.
        bound: Largest `distance` of a copy.

    Returns:
        {key: key of the nearest earlier one}. All pairs are looked at, first by one
        word of the 20: 100,000 shots that all differ take about 20 seconds.
    """
    groups = {}
    for key, text in entries:
        groups.setdefault(len(text), []).append((key, text))
    found = {}
    for group in groups.values():
        found |= _duplicates(group, bound)
    return found


def _duplicates(entries, bound):
    """`duplicates` of signatures of one length."""
    shape = _bits(entries[0][1]).shape
    allowed = bound * _informative(np.empty(shape))
    words = np.empty((len(entries), shape[0] * KEPT * KEPT // 64), np.uint64)
    coarse = np.empty(len(entries), np.uint64)
    kept, found = [], {}
    for key, text in entries:
        turns = _turns(_bits(text))
        own = np.stack([_words(turn) for turn in turns])
        own_coarse = np.stack([_coarse(turn) for turn in turns])
        count = len(kept)
        apart = np.bitwise_count(coarse[:count] ^ own_coarse[:, None])
        near = np.flatnonzero(apart <= COARSE_BOUND)  # 20 times faster than nonzero
        turn, place = np.divmod(near, max(1, count))
        apart = np.bitwise_count(words[place] ^ own[turn]).sum(axis=1, dtype=int)
        if len(place) and apart.min() <= allowed:
            found[key] = kept[place[apart.argmin()]]
            continue
        words[count], coarse[count] = own[0], own_coarse[0]
        kept.append(key)
    return found


def _text(grays):
    """Signature of [32, 32] pictures of brightness."""
    spectra = [cv2.dct(gray.astype(np.float32))[:KEPT, :KEPT] for gray in grays]
    spectra = np.stack(spectra)
    deviation = spectra[:, 1:, 1:].std(axis=(1, 2), keepdims=True)
    # What is flat has no sign, only rounding, and the noise of JPEG.
    bits = spectra > np.maximum(0.01, FLAT * deviation)
    bits[:, 0, 0] = False  # the mean brightness says nothing
    return np.packbits(bits).tobytes().hex()


def _bits(text):
    """Return bool [moments, 16, 16]: moment, vertical and horizontal frequency."""
    packed = np.frombuffer(bytes.fromhex(text), np.uint8)
    return np.unpackbits(packed).astype(bool).reshape(-1, KEPT, KEPT)


def _informative(bits):
    return len(bits) * (KEPT * KEPT - 1)


def _turns(bits):
    """The bits, and those of the frames turned by one, two and three quarters.

    A quarter turn is a transposition and a mirroring, and mirrored cosines of odd
    frequencies change their sign.
    """
    odd = (np.arange(KEPT) % 2 == 1)[:, None]
    turns = [bits]
    for _ in range(3):
        turns.append(turns[-1].transpose(0, 2, 1) ^ odd)
    return turns


def _words(bits):
    return np.packbits(bits).view(np.uint64)


def _coarse(bits):
    return np.packbits(bits[len(bits) // 2, :COARSE, :COARSE]).view(np.uint64)[0]
