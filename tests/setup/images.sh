#!/usr/bin/env bash
# images.sh TARGET: builds images of the runtime and the operator from the release binaries in TARGET/release, as
# TARGET/images/{runtime,operator}.tar, each with an SPDX list of its contents next to it. An image has no base: it contains the
# binary, the shared libraries that it names and certificates, and no shell. Skips unchanged images. buildah needs root here.
set -euo pipefail
if [ "$(id -u)" -ne 0 ]; then
  echo "skipped: building images needs root; the stories that need them are skipped too" >&2
  exit 0
fi
target=$(realpath "$1")
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
mkdir -p "$target/images"

describe() { numfmt --to=iec --suffix=B --format="  %.1f" "$(stat -c %s "$1")"; }

image() { # image NAME: of the package marquee-NAME
  local package=marquee-$1 archive="$target/images/$1.tar" root
  local binary="$target/release/$package"
  local pins; pins=$(sha256sum "$binary" tests/setup/{image.sh,images.sh,sbom.py} Cargo.lock | cut -c1-64 | sha256sum)
  if [ -f "$archive" ] && [ "$(cat "$archive.made-from" 2>/dev/null)" = "$pins" ]; then return; fi
  root=$(mktemp -d)
  mkdir -p "$root"/{usr/bin,etc/ssl/certs,tmp}
  chmod 755 "$root"; chmod 1777 "$root/tmp"
  strip -o "$root/usr/bin/$package" "$binary"
  # The loader keeps its own path. The other libraries go to a folder in which the loader looks.
  local libraries; libraries=$(ldd "$binary" | grep -o '/lib[^ ]*')
  for library in $libraries; do install -D "$library" "$root$library"; done
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
  echo 'marquee:x:65532:65532::/:/none' >"$root/etc/passwd"
  echo 'marquee:x:65532:' >"$root/etc/group"
  # shellcheck disable=SC2086 # one word a library
  tests/setup/sbom.py "$package" "$binary" $libraries >"$target/images/$1.spdx.json"
  LABELS="org.opencontainers.image.title=$package
org.opencontainers.image.version=$version
org.opencontainers.image.licenses=Apache-2.0
dev.marquee.cpu=x86-64-v3" \
    tests/setup/image.sh "$archive" "localhost/$package:$version" 65532:65532 "/usr/bin/$package" "$root"
  rm -rf "$root"
  echo "$pins" >"$archive.made-from"
  echo "localhost/$package:$version$(describe "$archive"),$(gzip -c "$archive" >"$archive.gz"; describe "$archive.gz") compressed" >&2
  rm "$archive.gz"
}

image runtime
image operator
