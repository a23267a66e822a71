"""OpenVINO without its telemetry: the one place that imports it.

OpenVINO reports each import and each conversion to an analytics host, and keeps an
identity under the user's home for it, unless `openvino_telemetry` is missing.
"""

import sys

sys.modules["openvino_telemetry"] = None
import openvino  # noqa: E402

__all__ = ["openvino"]
