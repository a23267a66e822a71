# What Apache Beam's workers run to stylize films: see docs/films_by_the_thousand.md.
#
#     make wheel && docker build --tag IMAGE --file Dockerfile dist
#
# Python and BEAM are those of the machine that starts the pipeline.
ARG PYTHON=3.11
ARG BEAM=2.77.0
FROM apache/beam_python${PYTHON}_sdk:${BEAM}
COPY vgan-*.whl /tmp/
# OpenCV's wheel brings all but these.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*
# Beam is here already; the wheel says which version of vgan it is.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir "$(echo /tmp/vgan-*.whl)[fast]" && rm /tmp/vgan-*.whl
# Once here, and not once in each worker: the models that ship, made ready for OpenVINO.
RUN python -c "import vgan; [vgan.load(m, 'openvino') for m in ('painterly', 'painterly_small')]"
# A model or pictures of your own:
# COPY generator.keras painting.jpg /films/
