import cv2
import numpy as np

from tests.runtime.scenes import scene
from vgan.runtime.noise import CELL, MovingNoise


def start(height=96, width=128):
    """The field of a painter, which is smooth enough to be moved."""
    noise = np.random.default_rng(0).standard_normal((height // 4, width // 4, 4))
    noise = cv2.GaussianBlur(np.float32(noise), (0, 0), 0.8)
    noise = noise.reshape(height // 8, 2, width // 8, 2, 4).transpose(0, 2, 1, 3, 4)
    noise = noise.reshape(1, height // 8, width // 8, 16)
    return {"age": np.ones((1, 1)), "noise_field": noise}


def picture(height, width, seed=0):
    """Something to follow everywhere."""
    fine = np.random.default_rng(seed).integers(0, 255, (height // 4, width // 4, 3))
    fine = cv2.resize(np.uint8(fine), (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.addWeighted(fine, 0.5, scene(seed, height, width), 0.5, 0)


def cells(state):
    _, height, width, _ = state["noise_field"].shape
    x = state["noise_field"].reshape(height, width, 2, 2, 4)
    return x.transpose(0, 2, 1, 3, 4).reshape(2 * height, 2 * width, 4)


def mover():
    """Function (frame, state) -> the state, its field moved; and its MovingNoise."""
    noise = MovingNoise()
    return lambda frame, state: noise.lay(noise.follow(frame), state), noise


def test_a_still_film_keeps_its_field():
    state = given = start()
    (move, _), frame = mover(), picture(96, 128)
    for _ in range(5):
        state = move(frame, state)
    np.testing.assert_allclose(state["noise_field"], given["noise_field"], atol=1e-5)
    assert set(state) == set(given)


def test_a_still_film_with_the_noise_of_a_camera():
    state = given = start()
    (move, _), frame = mover(), scene(0, 96, 128).astype(float)
    random = np.random.default_rng(0)
    for _ in range(30):
        noisy = frame + random.normal(0, 3, frame.shape)
        state = move(np.uint8(np.clip(noisy, 0, 255)), state)
    change = np.abs(state["noise_field"] - given["noise_field"]).mean()
    assert change < 0.2 * np.abs(given["noise_field"]).mean()


def test_the_field_moves_with_a_pan():
    film = picture(96, 400)
    state = given = start()
    (move, _), steps = mover(), 16
    for i in range(steps + 1):
        state = move(film[:, 2 * i : 2 * i + 128], state)
    shift = 2 * steps // CELL
    inside = np.s_[4:-4, 4 : -4 - shift]
    before = cells(given)[4:-4, 4 + shift : -4]
    after = cells(state)[inside]
    assert np.corrcoef(after.ravel(), before.ravel())[0, 1] > 0.9
    still = cells(given)[inside]
    assert np.corrcoef(still.ravel(), before.ravel())[0, 1] < 0.5


def test_contrast_lasts():
    film = picture(96, 900)
    state = given = start()
    move, _ = mover()
    for i in range(150):
        state = move(film[:, 5 * i : 5 * i + 128], state)
    assert cells(state).std() > 0.7 * cells(given).std()


def test_a_snapshot_goes_on_where_it_was_taken():
    film = picture(96, 400)
    (one, noise), (other, copy) = mover(), mover()
    state = start()
    for i in range(6):
        state = one(film[:, 3 * i : 3 * i + 128], state)
        if i == 3:
            copy.restore(noise.snapshot() | noise.field())
            copied = state
        if i > 3:
            copied = other(film[:, 3 * i : 3 * i + 128], copied)
    np.testing.assert_array_equal(copied["noise_field"], state["noise_field"])


def test_a_scene_begins_afresh():
    noise = MovingNoise()
    for seed in range(3):
        frame, given = picture(96, 128, seed), start()
        assert noise.lay(noise.follow(frame, fresh=True), given) is given
        assert noise.snapshot().keys() == {"last"}
        assert not noise.field()
        noise.lay(noise.follow(frame), given)
        assert noise.field()


def test_frames_too_small_to_see_motion_are_left():
    state, (move, _) = start(48, 48), mover()
    for seed in range(2):
        assert move(picture(48, 48, seed), state) is state


def test_what_was_hidden_is_not_drawn_out():
    """A square that passes leaves no bands: noise behind it is as fine as before."""
    background, square = picture(96, 256), picture(96, 256, seed=3)[:48, :48]
    state, (move, _) = start(96, 256), mover()
    fine = _fineness(cells(state))
    for i in range(50):
        frame = background.copy()
        frame[24:72, 4 * i : 4 * i + 48] = square
        state = move(frame, state)
    behind = cells(state)[6:18, 4:40]
    assert _fineness(behind) > 0.7 * fine  # 0.4 without steps


def _fineness(field):
    """How much neighbors differ, over how much all vary."""
    return np.abs(np.diff(field, axis=1)).mean() / field.std()
