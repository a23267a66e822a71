"""The smallest generator, for tests that need one of any kind."""

TINY = {
    "filters": (8, 8, 16),
    "hidden_filters": 8,
    "blocks": 1,
    "code_size": 16,
    "noise_size": 8,
    "style_filters": (8, 8, 8),
}

TINY_PAINTER = {
    "filters": (8, 8, 8),
    "hidden_filters": 8,
    "blocks": 1,
    "latent_size": 6,
    "noise_size": 8,
    "style_filters": (4, 4, 4, 4, 4),
    "style_size": 32,
}
