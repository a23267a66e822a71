"""Signatures: copies are found, what only looks alike is not."""

import time

import cv2
import numpy as np
import pytest

from vgan.datasets import synthetic
from vgan.prepare import signatures
from vgan.video import VideoReader

SCENES = 12


def picture(seed, size=96):
    kinds = list(synthetic.STYLES)
    return synthetic.painting(kinds[seed % len(kinds)], seed, size)


def shot(seed, length=30, zoom=0.4):
    """A camera that moves into a picture, uint8 [T, 72, 96, 3]."""
    whole, frames = picture(seed, 160), []
    for t in range(length):
        side = round(160 * (1 - zoom * t / length))
        frames.append(cv2.resize(whole[:side, :side], (96, 72)))
    return np.stack(frames)


def reencoded(frames):
    data = [cv2.imencode(".jpg", f, [cv2.IMWRITE_JPEG_QUALITY, 30])[1] for f in frames]
    return np.stack([cv2.imdecode(one, cv2.IMREAD_COLOR) for one in data])


CHANGES = {
    "encoding": reencoded,
    "size": lambda frames: np.stack([cv2.resize(f, (48, 36)) for f in frames]),
    "shape": lambda frames: np.stack([cv2.resize(f, (96, 96)) for f in frames]),
    "rate": lambda frames: frames[1::3],
    "brightness": lambda frames: np.clip(frames * 1.2 + 10, 0, 255).astype(np.uint8),
    "turned": lambda frames: np.rot90(frames, axes=(1, 2)),
    "turned back": lambda frames: np.rot90(frames, -1, axes=(1, 2)),
    "upside down": lambda frames: np.rot90(frames, 2, axes=(1, 2)),
}


@pytest.fixture(scope="module")
def originals():
    return [(seed, signatures.signature(shot(seed))) for seed in range(SCENES)]


def test_different_shots_are_no_duplicates(originals):
    assert signatures.duplicates(originals) == {}


@pytest.mark.parametrize("change", CHANGES)
def test_copies_are_found(change, originals):
    copies = [
        (("copy", seed), signatures.signature(CHANGES[change](shot(seed))))
        for seed in range(SCENES)
    ]
    found = signatures.duplicates([*originals, *copies])
    assert found == {("copy", seed): seed for seed in range(SCENES)}


def test_a_mirrored_shot_is_another_one(originals):
    mirrored = [
        (("mirrored", seed), signatures.signature(shot(seed)[:, :, ::-1]))
        for seed in range(SCENES)
    ]
    assert signatures.duplicates([*originals, *mirrored]) == {}


def test_what_moves_before_a_fixed_camera_tells_shots_apart():
    def passing(path):
        frames = np.stack([picture(3, 96)] * 30)
        for t, frame in enumerate(frames):
            x, y = path(t)
            frame[y : y + 36, x : x + 36] = [250, 240, 20]
        return signatures.signature(frames)

    right = passing(lambda t: (2 * t, 10))
    left = passing(lambda t: (58 - 2 * t, 10))
    assert signatures.duplicates([("right", right), ("left", left)]) == {}
    assert signatures.duplicates([("one", right), ("two", right)]) == {"two": "one"}


def test_a_copy_of_a_copy_is_named_by_the_one_that_is_kept(originals):
    first = originals[0][1]
    entries = [("a", first), ("b", first), (3, originals[3][1]), ("c", first)]
    assert signatures.duplicates(entries) == {"b": "a", "c": "a"}


def test_the_nearest_is_named():
    rng = np.random.default_rng(0)
    exact = np.unpackbits(np.frombuffer(rng.bytes(160), np.uint8))
    near, far = exact.copy(), exact.copy()
    near[900:960] ^= 1
    far[1000:1120] ^= 1
    texts = [np.packbits(bits).tobytes().hex() for bits in (far, near, exact)]
    entries = list(zip(("far", "near", "exact"), texts, strict=True))
    assert signatures.duplicates(entries) == {"exact": "near"}
    assert signatures.duplicates(entries, bound=0.2) == {"near": "far", "exact": "far"}


@pytest.mark.parametrize("length", [1, 2, 4, 5, 6, 24])
def test_shots_of_any_length_have_a_signature(length):
    frames = shot(1, length)
    text = signatures.signature(list(frames))
    assert len(text) == 320
    small = [signatures.thumbnail(frame) for frame in frames]
    assert signatures.signature(small) == text


def test_a_shot_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one frame"):
        signatures.signature([])


def test_flat_pictures_are_alike():
    texts = [
        signatures.picture_signature(np.full((50, 70, 3), value, np.uint8))
        for value in (0, 128, 255)
    ]
    assert len(set(texts)) == 1


def test_turned_jpegs_of_flat_colors_are_found():
    def squares(x, y):
        frame = np.full((120, 160, 3), (40, 60, 200), np.uint8)
        frame[:y, :x] = (200, 90, 30)
        return frame

    def stored(frame, turns):
        frame = np.ascontiguousarray(np.rot90(frame, turns))
        (frame,) = reencoded([frame])
        return np.ascontiguousarray(np.rot90(frame, -turns))

    texts = [
        *((0, t, stored(squares(80, 60), t)) for t in range(4)),
        *((x, 0, squares(x, y)) for x, y in ((50, 40), (90, 40), (110, 90))),
    ]
    entries = [((x, t), signatures.picture_signature(f)) for x, t, f in texts]
    assert signatures.duplicates(entries) == {(0, t): (0, 0) for t in (1, 2, 3)}


def test_pictures_and_shots_are_never_copies_of_each_other():
    frames = shot(2)
    entries = [
        ("shot", signatures.signature(frames)),
        ("picture", signatures.picture_signature(frames[15])),
    ]
    assert signatures.duplicates(entries) == {}
    assert signatures.distance(entries[0][1], entries[1][1]) == 1.0
    assert signatures.duplicates([]) == {}


def test_many_shots_take_seconds():
    rng = np.random.default_rng(0)
    texts = [rng.bytes(160).hex() for _ in range(10_000)]
    texts[7_000] = texts[5]
    begin = time.process_time()
    assert signatures.duplicates(enumerate(texts)) == {7_000: 5}
    assert time.process_time() - begin < 20  # about one, on an idle machine


def seen(path, begin=0.0, end=2.0):
    with VideoReader(path, start=begin) as reader:
        frames = []
        for frame, timestamp in reader:
            if timestamp >= end:
                break
            frames.append(signatures.thumbnail(frame))
    return signatures.signature(frames)


def test_real_copies_and_real_lookalikes(shared_data):
    videos = shared_data / "videos"
    names = [
        *("nature_flower.mp4", "nature_flower_vp8.webm"),
        *("person_on_sofa.mp4", "person_on_sofa_rot90.mp4"),
        *("person_signing_book.mkv", "person_signing_walk.mkv"),
        *("rooftop_360p_long.mp4", "rooftop_two_tracks_rot90.mp4"),
    ]
    entries = [(name, seen(videos / name)) for name in names]
    traffic = videos / "traffic_car_park_topview.mp4"
    entries += [(k, seen(traffic, 3 * k, 3 * k + 3)) for k in range(3)]
    assert signatures.duplicates(entries) == {
        "nature_flower_vp8.webm": "nature_flower.mp4",
        "person_on_sofa_rot90.mp4": "person_on_sofa.mp4",
    }
