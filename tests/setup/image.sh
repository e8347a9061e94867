#!/usr/bin/env bash
# image.sh ARCHIVE NAME USER ENTRYPOINT ROOT: builds an image with only the file ROOT, or the content of the folder ROOT, as
# an archive for `docker load`, `podman load` and `ctr images import`. LABELS has one label on each line. The archive has
# Docker's format, because buildah compresses the OCI format, and tests load an archive far more often than they build it.
set -euo pipefail
archive=$1 name=$2 user=$3 entrypoint=$4 root=$5
storage=$(mktemp -d)
trap 'rm -rf "$storage"' EXIT
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
buildah() { command buildah --root "$storage/root" --runroot "$storage/run" "$@"; }
labels=()
while IFS= read -r label; do labels+=(${label:+--label "$label"}); done <<<"${LABELS:-}"
container=$(buildah from scratch)
buildah copy --quiet "$container" "$root" / >/dev/null
buildah config --entrypoint "[\"$entrypoint\"]" --user "$user" "${labels[@]}" "$container"
buildah commit --quiet "$container" "$name" >/dev/null
rm -f "$archive.partial"
buildah push --quiet "$name" "docker-archive:$archive.partial:$name"
mv "$archive.partial" "$archive"
