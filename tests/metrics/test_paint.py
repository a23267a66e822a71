import cv2
import numpy as np
import pytest

from vgan.metrics import paint


def picture(seed, size=(128, 160), grain=12.0):
    """Soft blobs of color."""
    random = np.random.default_rng(seed)
    blobs = cv2.GaussianBlur(random.normal(size=(*size, 3)), (0, 0), grain)
    return np.uint8(np.clip(128 + 40 * blobs / blobs.std(), 0, 255))


def in_lab(lightness, a, b):
    """Frame of Lab arrays, or numbers, [H, W]; what RGB cannot show is cut."""
    pixels = np.stack(np.broadcast_arrays(lightness, a, b), axis=-1)
    rgb = cv2.cvtColor(np.float32(pixels), cv2.COLOR_LAB2RGB)
    return np.uint8(np.clip(rgb * 255, 0, 255).round())


def test_tones_keep_their_order_whatever_the_curve():
    frame = picture(0)
    assert paint.tone_correlation(frame, frame) == pytest.approx(1)
    assert paint.tone_correlation(frame, 255 - frame) == pytest.approx(-1, abs=1e-3)
    darker = np.uint8(255 * (frame / 255.0) ** 3)
    assert paint.tone_correlation(frame, darker) > 0.95
    assert abs(paint.tone_correlation(frame, picture(1))) < 0.5
    assert np.isnan(paint.tone_correlation(frame, np.full_like(frame, 90)))
    assert np.isnan(paint.tone_correlation(frame[:32, :32], frame[:32, :32]))


def test_tone_is_spearmans_correlation_of_cells():
    # Cells of one luma each: the ranks can be written down, with a tie.
    def cells(levels):
        grid = np.array(levels, np.uint8).reshape(3, 3)
        return np.repeat(np.kron(grid, np.ones((16, 16), np.uint8))[..., None], 3, -1)

    x = cells([10, 20, 30, 40, 50, 60, 70, 80, 80])
    y = cells([200, 20, 30, 40, 50, 60, 70, 80, 90])
    ranks = [1, 2, 3, 4, 5, 6, 7, 8.5, 8.5], [9, 1, 2, 3, 4, 5, 6, 7, 8]
    expected = np.corrcoef(*ranks)[0, 1]
    assert paint.tone_correlation(x, y) == pytest.approx(expected, abs=1e-6)


def test_a_tint_is_explained_and_a_palette_is_not():
    frame = picture(0)
    assert paint.color_explained(frame, frame) == pytest.approx(1)
    lightness = paint.lab(frame)[..., 0]
    tinted = in_lab(lightness, 0.1 * lightness, 20 - 0.2 * lightness)
    assert paint.color_explained(frame, tinted) > 0.95
    # Light and dark of one hue, the middle of another: no line through that.
    middle = np.abs(lightness - np.median(lightness)) < lightness.std()
    painted = in_lab(55, 0, np.where(middle, 35, -35))
    assert paint.color_explained(frame, painted) < 0.5
    assert paint.color_explained(frame, picture(1)) < 0.4
    assert np.isnan(paint.color_explained(frame, np.full_like(frame, 90)))


def test_palettes_are_apart_by_what_they_are_shifted():
    lightness = np.random.default_rng(0).uniform(40, 60, (64, 64))
    first = in_lab(lightness, 0, 0)
    second = in_lab(lightness, 12, -16)
    a, b = (paint.palette(frame[None]) for frame in (first, second))
    assert paint.palette_distance(a, a) == 0
    assert paint.palette_distance(a, b) == pytest.approx(20, abs=0.5)
    scattered = first.reshape(-1, 3)[::-1].reshape(32, 128, 3)  # place is no matter
    assert paint.palette_distance(a, paint.palette(scattered[None])) < 0.01
    half = np.concatenate([first[:32], second[:32]])
    found = paint.palette_distance(a, paint.palette(half[None]))
    assert 10 < found < 20 / np.sqrt(2)  # half of the pixels move by at most 20


def test_texture_counts_where_the_content_is_flat():
    random = np.random.default_rng(0)
    slope = np.linspace(80, 140, 128).astype(np.uint8)
    content = np.full((128, 128, 3), slope[:, None, None], np.uint8)
    content[:, 64:] = random.integers(0, 256, (128, 64, 1))
    rough = np.repeat(random.integers(60, 140, (128, 128, 1), np.uint8), 3, axis=-1)
    smooth, half = np.full_like(rough, 90), np.uint8(100 + (rough - 100.0) / 2)
    left_rough = np.where(np.arange(128)[:, None] < 64, rough, smooth)
    for result, expected in (
        (smooth, 0),
        (rough, 1),
        (half, 0.25),
        (left_rough, 1),
        (left_rough[:, ::-1], 0),
    ):
        found = paint.flat_texture(content[None], result[None], rough[None])
        assert found == pytest.approx(expected, abs=0.12), expected
    assert np.isnan(paint.flat_texture(rough[None], rough[None], rough[None]))
    assert np.isnan(paint.flat_texture(content[None], rough[None], smooth[None]))


def test_patches_of_known_spread():
    gray = np.stack([np.full((8, 8, 3), level, np.uint8) for level in (50, 150)])
    deviation = paint.patch_deviation(gray)
    assert deviation["chroma"] == pytest.approx(0, abs=0.1)
    assert deviation["luma"] == pytest.approx(50)
    two = np.stack([in_lab(np.full((8, 8), 60), a, 0) for a in (-15, 15)])
    assert paint.patch_deviation(two)["chroma"] == pytest.approx(15, abs=0.5)
    # Both hues in every patch, in other places: the mean colors are the same.
    mixed = np.concatenate([two, two[::-1]], axis=1)
    assert paint.patch_deviation(mixed)["chroma"] == pytest.approx(0, abs=0.01)
    assert len(set(paint.GRAYS)) == len(set(paint.COLORS)) == 8
    hues = np.stack([np.full((8, 8, 3), color, np.uint8) for color in paint.COLORS])
    assert paint.patch_deviation(hues)["chroma"] == pytest.approx(67, abs=1)


def test_the_scorer_gives_means_and_none():
    style, contents = picture(3), np.stack([picture(0), picture(1)])
    scorer = paint.PaintScorer(style[None])
    same = scorer.figures(contents, contents)
    assert same["tone_correlation"] == same["color_explained"] == pytest.approx(1)
    assert scorer.figures(contents, np.stack([style] * 2))["palette_distance"] < 0.01
    one = scorer.figures(contents[:1], np.full_like(contents[:1], 90))
    assert one["tone_correlation"] is None
    assert one["flat_texture"] == pytest.approx(0, abs=1e-4)
    assert one["palette_distance"] > 5
    noise = np.random.default_rng(0).integers(0, 256, (1, 128, 160, 3), np.uint8)
    assert scorer.figures(noise, noise)["flat_texture"] is None  # nothing is flat
