#!/usr/bin/env bash
# Runs a pinned version of cargo-deny, built once into the cache. It is a debug build: it builds in half the time and runs for one second.
set -euo pipefail
version=0.20.2
root="$MARQUEE_CACHE/tools/cargo-deny-$version"
if [ ! -x "$root/bin/cargo-deny" ]; then
  echo "building cargo-deny $version once, into $root" >&2
  CARGO_PROFILE_DEV_DEBUG=0 cargo install cargo-deny --version "=$version" --locked --debug --quiet --root "$root"
fi
exec "$root/bin/cargo-deny" "$@"
