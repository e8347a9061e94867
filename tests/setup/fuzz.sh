#!/usr/bin/env bash
# Runs the cargo-fuzz targets, each for SECONDS_EACH seconds (default 60).
set -euo pipefail
version=0.13.1
root="$MARQUEE_CACHE/tools/cargo-fuzz-$version"
if [ ! -x "$root/bin/cargo-fuzz" ]; then
  cargo install cargo-fuzz --version "=$version" --locked --quiet --root "$root"
fi
cd runtime/artifacts
PATH="$root/bin:$PATH"
for target in $(cargo +nightly fuzz list); do
  cargo +nightly fuzz run "$target" -- -max_total_time="${SECONDS_EACH:-60}"
done
