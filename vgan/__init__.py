"""Real-time video style transfer with a recurrent GAN, in Keras."""

__version__ = "0.1.0"


class InputError(ValueError):
    """What the user gave cannot be used.

    The message is one line: the file or argument, what is wrong, what to do.
    Commands print it without a traceback and exit with code 2.
    """
