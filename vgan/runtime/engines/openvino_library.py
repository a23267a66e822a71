"""OpenVINO without its telemetry and its converter: the one place that imports it.

OpenVINO reports each import and each conversion to an analytics host, and keeps an
identity under the user's home for it, unless `openvino_telemetry` is missing. What
converts models takes more than half of the import; only an export needs it.
"""

import sys

CONVERTER = "openvino.tools.ovc"

sys.modules["openvino_telemetry"] = None
sys.modules.setdefault(CONVERTER, None)
import openvino  # noqa: E402

if sys.modules[CONVERTER] is None:
    del sys.modules[CONVERTER]  # who wants it may import it

__all__ = ["openvino"]
