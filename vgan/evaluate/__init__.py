"""How good a stylized clip is, in numbers."""

# Groups of figures; what every clip is scored by
CLIPS = ("temporal_consistency", "style", "content", "paint")
OF_MODELS = ("exact", "flat", "diversity")  # of each system that takes any frame
EXTERNAL = ("fid", "kid", "lpips", "fvd")
GROUPS = (*CLIPS, *OF_MODELS, "adversarial", "speed", *EXTERNAL)
RENAMED = {"steadiness": "temporal_consistency"}  # {name in earlier versions: now}
