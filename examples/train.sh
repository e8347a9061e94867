#!/usr/bin/env bash
# train.sh FOLDER: trains the models of examples/homepage on MovieLens 100K and writes their artifacts into FOLDER.
set -euo pipefail
artifacts=$(realpath -m "$1")
cd "$(dirname "$0")/.."
runtime="${CARGO_TARGET_DIR:-target}/release/marquee-runtime"
data="${MARQUEE_CACHE:-$HOME/.cache/marquee}/ml-100k"
mkdir -p "$artifacts"

train() { # train CONFIG ARTIFACT: uses all ratings; demo.sh measures quality on ratings that it holds out
  echo "--> train examples/training/$1.yaml"
  "$runtime" train --config "examples/training/$1.yaml" --data "$data/ml-100k.inter" --protocol none \
    --output "$artifacts/$2"
}

echo "--> catalogue"
"$runtime" catalogue --metadata "$data/ml-100k.item" --metadata-delimiter tab --genre-separator space \
  --article-first --data "$data/ml-100k.inter" --delimiter tab --output "$artifacts/home-catalogue"
train implicit-als home-ials
train ease home-ease
train svd-plus-plus home-svdpp
