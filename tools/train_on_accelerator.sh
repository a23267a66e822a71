#!/usr/bin/env bash
# Train experiments/painter_edges.py (or EXP=painter, painter_style, painter_small) on a
# lent GPU for so many minutes, from what ships. The machine has JAX, OpenCV and h5py, and
# no network: all else travels.
#
#   tools/train_on_accelerator.sh pack DATA      here: fill .travel/ (under 50 MB)
#   tools/train_on_accelerator.sh run MINUTES    there: .travel/ carried, results in $OUT
#   tools/train_on_accelerator.sh try STEPS      here: the same run on the CPU, smaller
set -euo pipefail
cd "$(dirname "$0")/.."
TRAVEL=.travel
EXP=${EXP:-painter_edges}

pack() {
  local data=$1 python=${PYTHON:-.venv/bin/python}
  mkdir -p "$TRAVEL/wheels"
  PYTHONPATH=. "$python" tools/pack_pictures.py --data "$data" --output "$TRAVEL"
  cp "$data/weights/vgg19_cd16x_5SE.npz" "$TRAVEL/vgg.npz"
  cp "$data/weights/vgg19_normalised_to_conv3_1.npz" "$TRAVEL/vgg19.npz"
  if [ -f data/magenta.keras ]; then cp data/magenta.keras "$TRAVEL/"; fi
  "$python" -m pip download --quiet --no-deps --only-binary=:all: --dest "$TRAVEL/wheels" \
    --python-version 3.12 --implementation cp --platform manylinux_2_17_x86_64 \
    --platform manylinux2014_x86_64 --platform manylinux_2_28_x86_64 keras namex optree
  du -sh "$TRAVEL"
}

# train RUNS PRECISION [--set ...]
train() {
  local runs=$1 precision=$2
  shift 2
  local terms=()
  case $EXP in
    painter) terms=(train.g_learning_rate=3e-4 losses.temporal=10 train.start=painterly) ;;
    painter_small) ;;
    *) terms=("losses.last_frame_style.features=$TRAVEL/vgg19.npz") ;;
  esac
  case $EXP in
    painter | painter_style) terms+=("train.teacher=$TRAVEL/magenta.keras") ;;
  esac
  KERAS_BACKEND=jax ${PYTHON:-python3} -u -m vgan.train --experiment="$EXP" \
    --runs="$runs" \
    --set "data.content={\"$TRAVEL/photos\": 3, \"$TRAVEL/films\": 1}" \
    --set "data.style={\"$TRAVEL/styles\": 8, \"$TRAVEL/photos\": 1}" \
    --set "losses.features=$TRAVEL/vgg.npz" --set "train.precision=$precision" \
    "${terms[@]/#/--set=}" "$@"
}

run() {
  local minutes=$1
  shift
  python3 -m pip install -q --no-index --no-deps --no-compile --upgrade \
    --target /tmp/site "$TRAVEL"/wheels/*.whl
  export PYTHONPATH=/tmp/site:.
  # What is there comes back even if the machine is taken away.
  (while sleep 120; do cp "/tmp/runs/$EXP/generator.keras" "$OUT/" || true; done) &
  trap "kill $!" EXIT
  train /tmp/runs bfloat16 --set "train.minutes=$minutes" "$@" 2>&1 | tee "$OUT/log.txt"
  cp "/tmp/runs/$EXP/generator.keras" "$OUT/"
}

try() {
  local steps=$1
  shift
  PYTHON=${PYTHON:-.venv/bin/python} train "$(mktemp -d)" bfloat16 \
    --set "train.steps=$steps" --set data.image_size=64 --set train.batch_size=2 "$@"
}

"$@"
