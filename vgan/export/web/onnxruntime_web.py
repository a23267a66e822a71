"""Where the files of onnxruntime-web come from, which run networks in browsers.

A wheel that `make wheel` built holds them. Elsewhere they are taken from the package as
npm has it, which is fetched once, kept in the user's cache, and compared with the
digest below at each use.
"""

import base64
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

from vgan import InputError, files

VERSION = "1.30.0"
ARCHIVE = f"onnxruntime-web-{VERSION}.tgz"
# What `npm view onnxruntime-web@1.30.0 dist.integrity` says.
SHA512 = (
    "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4r"
    "KY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
)
# Some hosts know no .mjs, and browsers run no module that is not said to be a script.
FILES = {
    "ort.wasm.min.mjs": "wasm.js",
    "ort-wasm-simd-threaded.mjs": "wasm-threaded.js",
    "ort-wasm-simd-threaded.wasm": "wasm-threaded.wasm",
    "ort.webgpu.min.mjs": "webgpu.js",
    "ort-wasm-simd-threaded.asyncify.mjs": "webgpu-asyncify.js",
    "ort-wasm-simd-threaded.asyncify.wasm": "webgpu-asyncify.wasm",
}
VENDORED = pathlib.Path(__file__).with_name("onnxruntime-web")
LONGEST = 600  # seconds that npm may take
LICENSE = f"""\
onnxruntime-web {VERSION} (https://github.com/microsoft/onnxruntime)

MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def copy(folder: pathlib.Path) -> None:
    """Make a folder with the runtime's files and their license.

    Args:
        folder: That is not there yet.

    Raises:
        InputError: They are neither installed nor in the cache, and npm cannot fetch
            them; or what is in the cache is not that package.
    """
    if VENDORED.is_dir():
        shutil.copytree(VENDORED, folder)
        return
    archive = _archive()
    folder.mkdir()
    with tarfile.open(archive) as package:
        for name, new in FILES.items():
            source = package.extractfile(f"package/dist/{name}")
            (folder / new).write_bytes(source.read())
    (folder / "LICENSE.txt").write_text(LICENSE)


def _archive():
    """The path of the package in the user's cache; it is fetched if it is not there."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = pathlib.Path(caches, "vgan", ARCHIVE)
    if not path.is_file():
        _fetch(path)
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    if digest != SHA512:
        raise InputError(
            f"{path}: is damaged, or not the {ARCHIVE} that npm has; remove it"
        )
    return path


def _fetch(path):
    npm = shutil.which("npm")
    if npm is None:
        raise InputError(
            f"{path}: is missing and npm, which could fetch it, is not installed; "
            "install npm, or put that file of npm's onnxruntime-web there"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        command = [npm, "pack", f"onnxruntime-web@{VERSION}", "--silent"]
        try:
            subprocess.run(
                command,
                cwd=scratch,
                check=True,
                capture_output=True,
                text=True,
                timeout=LONGEST,
            )
        except (OSError, subprocess.SubprocessError) as error:
            lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            raise InputError(
                f"{path}: is missing and npm cannot fetch it ({lines[-1]}); connect to "
                "the internet, or put that file of npm's onnxruntime-web there"
            ) from error
        files.write_bytes(path, pathlib.Path(scratch, ARCHIVE).read_bytes())


if __name__ == "__main__":  # of `make wheel`
    shutil.rmtree(VENDORED, ignore_errors=True)
    with files.replacing(VENDORED) as made:
        copy(made)
    print(f"{VENDORED}: {sum(1 for _ in VENDORED.iterdir())} files", file=sys.stderr)
