"""The house rules, read from the code: who imports whom, and what runs without what."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
SHARED = {"checks", "files"}  # what every room may import
LEAVES = {"backend", "models", "losses", "pages", "pipelines", "pretrained", "video"}
MAY_IMPORT = {
    **{leaf: set() for leaf in SHARED | LEAVES},
    "metrics": {"losses", "video"},
    "config": {"datasets"},
    "datasets": {"pipelines", "video"},
    "runtime": {"backend", "models", "pretrained", "video"},
    "prepare": {"datasets", "pages", "pipelines", "video"},
    "train": {"backend", "config", "models", "losses", "pretrained", "runtime"},
    "generate": {"pipelines", "runtime", "video"},
    "export": {"models", "pretrained", "runtime", "video"},
    "serve": {"backend", "pretrained", "runtime", "video"},
    "evaluate": {"metrics", "models", "losses", "pages", "runtime", "video"},
    "benchmark": {"datasets", "evaluate", "generate", "runtime", "video"},
}
ROOMS = {*MAY_IMPORT, "command"}
ASSEMBLY = {"__main__", "run"}  # files that put a command together from any room
MAY_IMPORT_TENSORFLOW = {"datasets", "train", "export"}
FILES = sorted((ROOT / "vgan").rglob("*.py"))


def imports(path):
    """Dotted names of all modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module}
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room(path):
    """First part of the path below vgan/: a room, or a command."""
    return path.relative_to(ROOT / "vgan").parts[0].removesuffix(".py")


def rooms_imported(path):
    found = {n.split(".")[1] for n in imports(path) if n.startswith("vgan.")}
    return found & {room(file) for file in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_import_only_what_they_may(path):
    own = room(path)
    seen = rooms_imported(path) - {own}
    allowed = ROOMS if path.stem in ASSEMBLY else MAY_IMPORT.get(own, ROOMS)
    assert seen <= allowed | SHARED, f"{own} imports {sorted(seen - allowed)}"
    third_party = {name.split(".")[0] for name in imports(path)}
    assert "experiments" not in third_party
    engine = path.parent.name == "engines"
    if own not in MAY_IMPORT_TENSORFLOW and not engine:
        assert "tensorflow" not in third_party
    assert "cv2.VideoCapture" not in path.read_text()
    assert "cv2.VideoWriter" not in path.read_text()


def public_functions(node):
    """Functions and methods that others may call; (definition, whether a method)."""
    for part in node.body:
        special = part.name.startswith("__") if hasattr(part, "name") else False
        if isinstance(part, ast.ClassDef) and not part.name.startswith("_"):
            yield from ((function, True) for function, _ in public_functions(part))
        elif isinstance(part, ast.FunctionDef) and (special or part.name[0] != "_"):
            yield part, False


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_public_functions_have_types(path):
    """ruff asks for those of results only, as it cannot leave private ones alone."""
    for function, is_method in public_functions(ast.parse(path.read_text())):
        given = function.args
        arguments = [*given.posonlyargs, *given.args, given.vararg, given.kwarg]
        arguments = [*arguments[is_method:], *given.kwonlyargs]
        for argument in filter(None, arguments):
            assert argument.annotation, f"{function.name}({argument.arg})"
        assert function.returns or function.name == "__init__", function.name


# Rooms whose messages name flags: `command` is there for that, the others still do.
KNOW_FLAGS = {"command"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_errors_of_the_library_name_no_flags(path):
    """`vgan.command` says how arguments become flags."""
    if room(path) in KNOW_FLAGS or path.stem == "__main__":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        for part in ast.walk(node) if isinstance(node, ast.Raise) else ():
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                assert not re.search(r"(^|\W)--[a-z]", part.value), node.lineno


def test_models_and_losses_are_keras_only():
    for path in FILES:
        if room(path) in ("models", "losses"):
            roots = {name.split(".")[0] for name in imports(path)}
            assert not roots & {"tensorflow", "jax", "torch", "cv2"}, path


def test_experiments_import_only_config():
    for path in (ROOT / "experiments").glob("*.py"):
        assert {n for n in imports(path) if n.startswith("vgan.config.")}, path
        assert all(n.startswith("vgan.config") for n in imports(path)), path


def test_nothing_unpickles_or_runs_a_shell():
    for path in FILES:
        source = path.read_text()
        assert not {"pickle", "dill", "cloudpickle", "joblib"} & imports(path), path
        for word in ("allow_pickle=True", "safe_mode=False", "shell=True", "os.system"):
            assert word not in source, f"{path}: {word}"


def test_one_file_puts_files_in_place():
    """All others write through vgan.files, but for what a `with` block cannot hold."""
    found = {
        str(path.relative_to(ROOT / "vgan"))
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in ("os.replace", "os.rename")
    }
    assert found == {
        "files.py",
        "video/writer.py",  # frame by frame; after Ctrl-C under another name
        "video/segment_file.py",  # packet by packet
        "runtime/engines/cache.py",  # the first process wins, the others take its file
    }


def test_one_file_imports_openvino():
    """Whoever else did would tell its maker of it, over the network."""
    guard = ROOT / "vgan" / "runtime" / "engines" / "openvino_library.py"
    loaders = {"import_module", "importorskip", "_library", "__import__"}
    for path in (*FILES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "tools").glob("*")):
        if path.suffix != ".py" or path == guard:
            continue
        names = imports(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args:
                function = ast.unparse(node.func).split(".")[-1]
                first = node.args[0]
                if function in loaders and isinstance(first, ast.Constant):
                    names.add(str(first.value))
        assert "openvino" not in {name.split(".")[0] for name in names}, path


def test_what_windows_lacks_is_imported_where_it_is_used_only():
    lacking = {"fcntl", "grp", "pwd", "resource", "termios"}
    for path in FILES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names}
                assert not lacking & {*names, getattr(node, "module", "")}, path
    modules = [p.stem for p in FILES if room(p) == "video" and p.stem != "__init__"]
    code = (
        "import sys\n"
        f"sys.modules |= dict.fromkeys({sorted(lacking)})\n"
        "import vgan.files, vgan.generate.__main__, vgan.generate.convert\n"
        f"from vgan.video import {', '.join(modules)}\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_lambda_layers_and_no_utils():
    for path in FILES:
        assert path.stem != "utils"
        assert "layers.Lambda" not in path.read_text()


def test_generate_runs_without_training_code():
    """A checkpoint stands alone: nothing that `generate` imports is for training."""
    code = (
        "import sys\n"
        "import vgan.generate.__main__, vgan.video, vgan.runtime.styles\n"
        "import vgan.runtime.engines.keras_engine\n"
        "print(*sorted(m for m in sys.modules if m.startswith('vgan')))\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "vgan.models.generator" in output
    training = ("vgan.config", "vgan.datasets", "vgan.losses", "vgan.train")
    assert not [name for name in output if name.startswith(training)]


def test_commands_parse_before_heavy_imports():
    verbs = ("train", "generate", "evaluate", "benchmark", "prepare", "export", "serve")
    code = (
        "import importlib, sys\n"
        f"for name in {verbs}:\n"
        "    importlib.import_module(f'vgan.{name}.__main__')\n"
        "    print(name, 'keras' in sys.modules)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert output.splitlines() == [f"{name} False" for name in verbs]
