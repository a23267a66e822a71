"""Who made the results that are measured: a model, or whoever made a finished video."""

from vgan import InputError
from vgan.evaluation import sources
from vgan.runtime import Stylizer, engines
from vgan.runtime import styles as runtime_styles


class Video:
    """A finished video: one system, of which nothing but its frames is known.

    Args:
        path: The video.
        size: Short side to which frames are scaled.

    Raises:
        InputError: It cannot be read.
    """

    names = ("result",)
    engine = None

    def __init__(self, path, size):
        self.path, self.size = path, size
        try:
            sources.length(path, None)
        except InputError as error:
            raise InputError(f"--video {error}") from error

    def pairs(self, contents, name, style, limit):
        """Yield (content, result); see `sources.paired` for what may be wrong."""
        del name, style
        results = sources.frames(self.path, self.size, limit)
        return sources.paired(contents, results, self.path)

    def style_code(self, style):
        """None: there is no generator to ask."""
        del style


class Model:
    """A generator, and by the name of a baseline the same weights used otherwise.

    Args:
        path: Its `generator.keras`.
        styles: {name: path of a picture or clip}.
        baselines: Of "per_frame": the state is forgotten at every frame.
        prepare: Called before Keras is imported.

    Raises:
        InputError: The model or a style cannot be used.
    """

    def __init__(self, path, styles, baselines, prepare):
        self.path = path
        self.names = ("model", *baselines)
        info = engines.describe(path)
        read = {
            name: runtime_styles.read([str(style)], info)
            for name, style in styles.items()
        }
        prepare()
        self.engine = engines.load(path)
        self.codes = {
            name: runtime_styles.encode(style, self.engine)
            for name, style in read.items()
        }
        self._style_size = info.style_size

    def pairs(self, contents, name, style, limit):
        """Yield (content, result) of one system in one style."""
        del limit
        stylizer = Stylizer(self.engine, self.codes[style])
        return sources.stylised(contents, stylizer, name == "per_frame")

    def style_code(self, style):
        """The style's code [1, D], and a function that gives that of any frames."""
        return self.codes[style], lambda frames: runtime_styles.code_of(
            frames, self.engine, self._style_size
        )
