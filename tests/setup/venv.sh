#!/usr/bin/env bash
# venv.sh NAME REQUIREMENTS: creates a Python environment in the cache, again after each change of the pinned requirements.
set -euo pipefail
dir="$MARQUEE_CACHE/venv-$1"
stamp="$dir/.requirements"
cmp -s "$2" "$stamp" 2>/dev/null && exit 0
rm -rf "$dir"
mkdir -p "$MARQUEE_CACHE"
python3 -m venv "$dir" || { echo "python3 -m venv failed: install Debian's python3-venv" >&2; exit 1; }
"$dir/bin/pip" install --quiet --disable-pip-version-check -r "$2"
cp "$2" "$stamp"
