"""Real-time video style transfer with a recurrent GAN, in Keras."""

__version__ = "0.1.0"

# What a network may have, and a file is believed to hold; more fits in no memory.
LARGEST = 8192  # channels of a layer, a code, noise, a style's short side
DEEPEST = 64  # levels, and blocks of one

LUMA = (0.299, 0.587, 0.114)  # weights of R, G, B (ITU-R BT.601)


class InputError(ValueError):
    """What the user gave cannot be used.

    The message is one line: the file or argument, what is wrong, what to do.
    Commands print it without a traceback and exit with code 2.
    """
