"""Every figure that an evaluation gives: what it means, and which way is better.

The functions behind them are in the modules of this package, with formula and source.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Metric:
    """How to read a figure.

    Attributes:
        short: Heading of a column.
        better: "lower", "higher", "one" (as close to 1 as can be), or "" (neither).
        meaning: One sentence, with the range.
        fine: Whether its values are small and need five decimals.
    """

    short: str
    better: str
    meaning: str
    fine: bool = False

    @property
    def arrow(self) -> str:
        """Which way is better, as a sign."""
        return {"lower": "↓", "higher": "↑", "one": "→1", "": ""}[self.better]


def _warping(lag, normalized=False):
    if normalized:
        return Metric(
            f"E{lag}/2var",
            "lower",
            f"warping_error_{lag} / (2 variance of the result): 0 is perfectly steady, "
            "1 are unrelated pictures; a pale result gains nothing.",
            fine=True,
        )
    return Metric(
        f"E{lag}",
        "lower",
        "Mean squared change, in [0, 1], of what DIS optical flow of the content says "
        f"is the same point {lag} frame(s) before, occlusions and motion edges aside.",
        fine=True,
    )


_JUDGED = "by the network of the judge, which nothing was trained with."


METRICS = {
    "style_strength": Metric(
        "style",
        "higher",
        "1 - d(result, style) / d(content, style), d = |A - B| / (|A| + |B|) of Gram "
        "matrices, mean over layers: 0 is the content, 1 the style's own statistics; "
        "below 0 is further from the style than the content was.",
    ),
    "style_ceiling": Metric(
        "(ceiling)",
        "",
        "The style strength that pieces of the style picture itself reach.",
    ),
    "style_strength_gray": Metric(
        "gray", "higher", "Style strength of gray pictures: brushwork without color."
    ),
    "style_ceiling_gray": Metric(
        "(ceiling)", "", "The ceiling of style_strength_gray."
    ),
    "style_strength_spread": Metric(
        "spread",
        "higher",
        "Style strength in the means and spreads of the features' channels.",
    ),
    "style_strength_judge": Metric("judge", "higher", f"style_strength {_JUDGED}"),
    "style_ceiling_judge": Metric("(ceiling)", "", f"style_ceiling {_JUDGED}"),
    "style_strength_gray_judge": Metric(
        "judge's gray", "higher", f"style_strength_gray {_JUDGED}"
    ),
    "style_ceiling_gray_judge": Metric(
        "(ceiling)", "", f"style_ceiling_gray {_JUDGED}"
    ),
    "palette_distance": Metric(
        "palette",
        "lower",
        "Sliced Wasserstein distance between the colors of result and style, in "
        "Delta E of Lab: 0 is the style's palette, in its amounts.",
    ),
    "color_explained": Metric(
        "explained",
        "",
        "Share of the result's color, coarsely, that a linear filter of the content's "
        "gives, in [0, 1]: 1 is a tint; what a painter or noise adds lowers it.",
    ),
    "tone_correlation": Metric(
        "tone",
        "higher",
        "Rank correlation of coarse tones of result and content: 1 keeps what is "
        "darker than what, -1 is a negative.",
    ),
    "flat_texture": Metric(
        "flat texture",
        "one",
        "Energy of fine texture where the content is flat, over the style picture's: "
        "0 stays flat, 1 is as rough as the picture, more is noise.",
    ),
    "flat_gray_chroma": Metric(
        "grays' hues",
        "higher",
        "Spread of the chroma that eight flat grays get, root mean square in Delta E, "
        "mean over styles: near 0, a tint; more, paints of their own for dark, middle "
        "and light.",
    ),
    "flat_gray_luma": Metric(
        "grays' lumas", "", "Spread of the lumas that they get, of 255."
    ),
    "flat_color_chroma": Metric(
        "colors' hues", "", "flat_gray_chroma of eight flat hues; theirs is 67."
    ),
    "flat_color_luma": Metric(
        "colors' lumas", "", "Spread of the lumas that these get, of 255."
    ),
    "brush_diversity": Metric(
        "brushes",
        "higher",
        "Distance between the results' textures in different styles, over that between "
        "the style pictures', color, tone and contrast aside: 0 is one brush for all, "
        "1 as different as the pictures.",
    ),
    "brush_diversity_random": Metric(
        "random brushes",
        "higher",
        "The same of random styles, over the same distance between the given pictures.",
    ),
    "code_distance": Metric(
        "code",
        "lower",
        "|a - b| / (|a| + |b|) between the generator's own codes of result and style.",
    ),
    "content_distance": Metric(
        "content",
        "lower",
        "|a - b| / (|a| + |b|) of the features of result and content, mean over the "
        "content layers (relu3_1 and relu4_1 of VGG): 0 is unchanged.",
    ),
    "ssim": Metric(
        "ssim", "higher", "Structural similarity of luma with the content, at most 1."
    ),
    "edge_correlation": Metric(
        "edges",
        "higher",
        "Correlation of the edges' strengths of result and content, in [-1, 1].",
    ),
    "border_ratio": Metric(
        "border",
        "one",
        "Mean change of the outer 8 pixels by the style, over that of the inside.",
    ),
    **{f"warping_error_{lag}": _warping(lag) for lag in (1, 5, 10)},
    **{
        f"normalized_warping_error_{lag}": _warping(lag, normalized=True)
        for lag in (1, 5, 10)
    },
    "known_flow_error": Metric(
        "E exact",
        "lower",
        "The warping error on rendered scenes with exact flow, no estimate between.",
        fine=True,
    ),
    "flow_difference": Metric(
        "tOF",
        "lower",
        "Mean difference in pixels between the optical flows of result and content.",
    ),
    "temporal_feature_difference": Metric(
        "tLP-like",
        "lower",
        "How differently result and content change from frame to frame, in features.",
        fine=True,
    ),
    "frame_difference_ratio": Metric(
        "change",
        "one",
        "How much more the result changes from frame to frame than the content does.",
    ),
    "static_flicker": Metric(
        "flicker",
        "lower",
        "Mean change from frame to frame, in [0, 1], where the content is still.",
        fine=True,
    ),
    "drift": Metric(
        "drift",
        "lower",
        "Mean change since frame 10, in [0, 1], where the content has been still.",
        fine=True,
    ),
}


# What is said of a model as a whole.
OF_MODELS = {
    "d_accuracy_real": "share of patches of style clips that the discriminator knows",
    "d_accuracy_fake": "the same of results",
    "d_accuracy": "the mean of both: 0.5 is guessing, 1 has won",
    "d_advantage": "mean score of style clips minus that of results: 0 cannot tell, 1 "
    "always can",
    "ms_median": "milliseconds per frame of the network, uint8 to uint8",
    "ms_p95": "95 of 100 frames take no longer",
    "peak_memory_mib": "of this whole process",
    "gmac": "billions of multiply-accumulates per frame",
    "decode_ms": "reading the first clip, milliseconds per frame at its own size",
    "encode_ms": "writing it",
}


def metric(name: str) -> Metric:
    """Return the Metric of a figure, also of one layer: "style_strength/relu1_1".

    One that is not in METRICS is shown by its bare name: nothing that was measured
    shall be lost for the want of words.
    """
    if name in METRICS:
        return METRICS[name]
    whole, _, layer = name.partition("/")
    if whole not in METRICS:
        return Metric(name, "", f"{name}: is not described.")
    return Metric(layer, METRICS[whole].better, f"{whole} of the layer {layer} alone.")


def show(name: str, value: float | None) -> str:
    """A figure as text; a dash where it was not measured."""
    if value is None:
        return "-"
    if metric(name).fine:
        return f"{value:.5f}"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
