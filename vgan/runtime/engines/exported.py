"""Runs what `python -m vgan.export` wrote, without Keras.

An export is a folder: `model.json` tells what is in it (`Manifest`), and each function
of the generator is a file that a session of its format runs.
"""

import dataclasses
import hashlib
import importlib
import json
import pathlib
import typing

import numpy as np

from vgan import InputError
from vgan.runtime.engines.keras_file import ModelInfo, model_info

MANIFEST = "model.json"
# Format: module with the class Session, suffix of its files, what to install.
SESSIONS = {
    "openvino": ("openvino_session", ".xml", "openvino", "fast"),
    "litert": ("litert_session", ".tflite", "ai_edge_litert", "fast"),
    "onnx": ("onnx_session", ".onnx", "onnxruntime", "onnx"),
    "web": ("onnx_session", ".onnx", "onnxruntime", "onnx"),
}


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What `model.json` says.

    Attributes:
        format: A key of SESSIONS, or "tf_saved_model".
        model: The ModelInfo of the generator.
        num_parameters: Numbers that were learnt.
        state: {name: shape} of the state; None where it is H or W over the stride.
        size: (H, W) of frames where the export takes one size only, or None.
        int8: Whether weights, or all, were quantized: "weights", "full" or None.
        files: {name: SHA-256} of all others in the folder.
    """

    format: str
    model: ModelInfo
    num_parameters: int
    state: dict
    size: tuple | None = None
    int8: str | None = None
    files: dict = dataclasses.field(default_factory=dict)

    def write(self, folder: str | pathlib.Path) -> None:
        """Write `model.json` into a folder that is otherwise complete."""
        folder = pathlib.Path(folder)
        files = {
            str(path.relative_to(folder)): _digest(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != MANIFEST
        }
        facts = dataclasses.asdict(dataclasses.replace(self, files=files))
        (folder / MANIFEST).write_text(json.dumps(facts, indent=1) + "\n")


def read_manifest(folder: str | pathlib.Path) -> Manifest:
    """Return the Manifest of an export.

    Raises:
        InputError: The folder holds none, or a damaged one, or other files than it had.
    """
    path = pathlib.Path(folder, MANIFEST)
    if not path.is_file():
        raise InputError(
            f"model {folder}: is a folder without {MANIFEST}; give a generator.keras, "
            "or a folder that vgan.export made"
        )
    try:
        facts = json.loads(path.read_text())
        files = facts.get("files", {})
        model = model_info(facts.pop("model"), path)
        state = {str(name): list(shape) for name, shape in facts.pop("state").items()}
        size = facts.pop("size")
        manifest = Manifest(
            model=model, state=state, size=size and tuple(map(int, size)), **facts
        )
        sizes = [n for shape in state.values() for n in shape if n]
        if any(type(n) is not int or not 0 < n <= 8192 for n in sizes) or not sizes:
            raise ValueError("its sizes are out of range")
        if not isinstance(manifest.format, str):
            raise ValueError("its format is no name")
        if type(manifest.num_parameters) is not int:
            raise ValueError("its num_parameters is no integer")
        if not all(type(each) is str for pair in files.items() for each in pair):
            raise ValueError("its files are not names with hashes")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"model {folder}: its {MANIFEST} is damaged ({error}); export it again"
        ) from error
    for name, digest in manifest.files.items():
        file = pathlib.Path(folder, name)
        if not file.is_file() or _digest(file) != digest:
            raise InputError(
                f"model {folder}: {name} is missing or damaged; export it again"
            )
    return manifest


def _reason(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class ExportedEngine:
    """An export at work; see `vgan.runtime.engines` for the interface, with T = 1.

    Args:
        folder: What `vgan.export` made.
        manifest: Its Manifest, where it was read already.
        compiled: Folder to keep what OpenVINO compiles in; None: nowhere.
        options: Of the session that runs frames, see there: device, ...

    Raises:
        InputError: The folder is no export, or what runs its format is not installed.
    """

    def __init__(
        self,
        folder: str | pathlib.Path,
        manifest: Manifest | None = None,
        compiled: pathlib.Path | None = None,
        **options: typing.Any,
    ) -> None:
        self._folder = pathlib.Path(folder)
        manifest = self._manifest = manifest or read_manifest(folder)
        if manifest.format not in SESSIONS:
            raise InputError(
                f"model {folder}: {manifest.format} is for other programs; give the "
                f"generator.keras, or an export to {', '.join(SESSIONS)}"
            )
        module, self._suffix, library, extra = SESSIONS[manifest.format]
        try:
            module = importlib.import_module(f"vgan.runtime.engines.{module}")
        except (ImportError, OSError) as error:
            raise InputError(
                f"model {folder}: {library} cannot be loaded ({error}); "
                f"pip install -e '.[{extra}]', or give engine=keras"
            ) from error
        self._make_session = module.Session
        self._options = options
        self._kept = {"compiled": compiled} if manifest.format == "openvino" else {}
        self.name = manifest.format
        self.stride = manifest.model.stride
        self.code_size = manifest.model.code_size
        self.noise_size = manifest.model.noise_size
        self.style_size = manifest.model.style_size
        self.named_styles = manifest.model.named_styles
        self.num_parameters = manifest.num_parameters
        self._step = self._size = self._style = None

    def initial_state(self, height: int, width: int) -> dict[str, np.ndarray]:
        """State before the first frame of [height, width], multiples of `stride`."""
        sizes = 1, height // self.stride, width // self.stride
        state = {}
        for name, shape in self._manifest.state.items():
            shape = [n or known for n, known in zip(shape, (*sizes, 0), strict=False)]
            state[name] = np.zeros(shape, np.float32)
        return state

    def step(
        self, content: np.ndarray, code: np.ndarray, state: dict[str, np.ndarray]
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Stylize [1, 1, H, W, 3] in [-1, 1] -> the same shape, and the new state."""
        size = content.shape[2:4]
        inputs = {"frame": content[:, 0], "code": code, **state}
        if size != self._size:
            if self._manifest.size not in (None, size):
                height, width = self._manifest.size
                raise InputError(
                    f"model {self._folder}: takes frames of {height} x {width}, not "
                    f"{size[0]} x {size[1]}; export it with size={size[0]}x{size[1]}"
                )
            self._step = None  # at most one size is held
            shapes = {name: list(value.shape) for name, value in inputs.items()}
            self._step = self._session("step", shapes=shapes, **self._options)
            self._size = size
        shapes = {f"new_{name}": value.shape for name, value in state.items()}
        shapes["stylised"] = content[:, 0].shape
        outputs = self._run("step", self._step, inputs, shapes)
        return outputs["stylised"][:, None], {n: outputs[f"new_{n}"] for n in state}

    def profile(
        self, content: np.ndarray, code: np.ndarray, state: dict[str, np.ndarray]
    ) -> dict[str, float]:
        """{kind of operation: share of the time} of a step; {} where none are told."""
        if self.name != "openvino":
            return {}
        inputs = {"frame": content[:, 0], "code": code, **state}
        shapes = {name: list(value.shape) for name, value in inputs.items()}
        session = self._session("step", shapes=shapes, profiled=True, **self._options)
        for _ in range(3):
            session(inputs)
        seconds = session.profile()
        total = sum(seconds.values())
        return {kind: each / total for kind, each in seconds.items() if each}

    def encode_style(self, style: np.ndarray) -> np.ndarray:
        """Style image or clip [1, T', h, w, 3] in [-1, 1] -> code [1, D]."""
        if self._style is None:  # compiled once, for pictures of any size
            self._style = self._session("style")
        return self._code("style", self._style, {"pictures": style[0]})

    def encode_noise(self, noise: np.ndarray) -> np.ndarray:
        """Noise [1, Z], standard normal -> code [1, D]."""
        return self._code("noise", self._session("noise"), {"noise": noise})

    def _code(self, name, session, inputs):
        return self._run(name, session, inputs, {"code": (1, self.code_size)})["code"]

    def _run(self, name, session, inputs, shapes):
        """Outputs of a session, which must have these shapes."""
        try:
            outputs = session(inputs)
            for output, shape in shapes.items():
                if outputs[output].shape != shape:
                    found = list(outputs[output].shape)
                    raise ValueError(f"{output} is {found}, not {list(shape)}")
        except Exception as error:  # each library has its own
            raise self._unfit(name, f"is not what {MANIFEST} says", error) from error
        return outputs

    def _unfit(self, name, what, error):
        return InputError(
            f"model {self._folder / name}{self._suffix}: {what} ({_reason(error)}); "
            "export it again"
        )

    def _session(self, name, **options):
        path = self._folder / f"{name}{self._suffix}"
        if not path.is_file():
            raise InputError(f"model {path}: is missing; export it again")
        try:
            return self._make_session(path, **options, **self._kept)
        except InputError:
            raise
        except Exception as error:  # each library has its own
            if "device" in options:
                raise InputError(
                    f"device={options['device']}: cannot run {path} "
                    f"({_reason(error)}); give another, or leave it out"
                ) from error
            raise self._unfit(name, "cannot be loaded", error) from error
