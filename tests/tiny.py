"""The smallest generator, for tests that need one of any kind."""

TINY = {
    "filters": (8, 8, 16),
    "hidden_filters": 8,
    "blocks": 1,
    "code_size": 16,
    "noise_size": 8,
    "style_filters": (8, 8, 8),
}

# Changes to the smoke experiment that leave a third of what a step takes to compile:
# networks of few layers,
TINY_GAN = (
    *("generator.filters=[8, 8]", "generator.blocks=0", "generator.style_filters=[8]"),
    "discriminator.filters=[8]",
)
# the adversarial loss alone, without penalties,
ADVERSARIAL_ALONE = (
    *("losses.content=0", "losses.style=0", "losses.temporal=0"),
    "losses.adversarial.r1=0",
)
# and the loss that is compiled soonest.
EDGES_ALONE = (
    *("losses.content=0", "losses.style=0", "losses.temporal=0", "losses.gan=0"),
    "losses.edges=1",
)

TINY_PAINTER = {
    "filters": (8, 8, 8),
    "hidden_filters": 8,
    "blocks": 1,
    "latent_size": 6,
    "noise_size": 8,
    "style_filters": (4, 4, 4, 4, 4),
    "style_size": 32,
}
