"""How good a stylised clip is, in numbers."""

# Groups of figures; what every clip is scored by
CLIPS = ("steadiness", "style", "content", "paint")
OF_MODELS = ("exact", "flat", "diversity")  # of each system that takes any frame
EXTERNAL = ("fid", "kid", "lpips", "fvd")
GROUPS = (*CLIPS, *OF_MODELS, "adversarial", "speed", *EXTERNAL)
