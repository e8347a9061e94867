#!/usr/bin/env bash
# `make demo` trains the models of examples/homepage on MovieLens 100K, prints their quality next to the popularity
# baseline, serves them from one process and prints the address of the preview page. It listens only on localhost. Ctrl-C
# stops it. PORT (8080) and GRPC_PORT (8081) set the ports; DEMO_EXIT=1 stops it after one answered page.
set -euo pipefail
cd "$(dirname "$0")/.."
runtime="${CARGO_TARGET_DIR:-target}/release/marquee-runtime"
data="${MARQUEE_CACHE:-$HOME/.cache/marquee}/ml-100k"
demo="${DEMO_DIR:-${CARGO_TARGET_DIR:-target}/demo}"
mkdir -p "$demo"

examples/train.sh "$demo/artifacts"

echo "--> quality: hold out each viewer's last title, rank every unseen title, compare with popularity"
"$runtime" evaluate --data "$data/ml-100k.inter" --protocol leave-last-out \
  --config examples/training/implicit-als.yaml --compare examples/training/ease.yaml
echo "--> quality: predict ratings on the first of five folds (u1); popularity cannot predict ratings"
"$runtime" evaluate --data "$data/ml-100k.inter" --protocol fold:1/5 --config examples/training/svd-plus-plus.yaml

serve=("$runtime" --log "${MARQUEE_LOG:-warn}" serve --manifests examples/homepage --volume "/artifacts=$demo/artifacts"
  --http "127.0.0.1:${PORT:-8080}" --grpc "127.0.0.1:${GRPC_PORT:-8081}")
if [ "${DEMO_EXIT:-0}" != 1 ]; then
  exec "${serve[@]}"
fi
"${serve[@]}" &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
python3 - "${PORT:-8080}" <<'ASK'
import json, sys, time, urllib.request
base = f"http://127.0.0.1:{sys.argv[1]}"
for _ in range(200):
    try:
        urllib.request.urlopen(base + "/readyz", timeout=1).close()
        break
    except OSError:
        time.sleep(0.05)
ask = urllib.request.Request(base + "/v1/surfaces/home/page", b'{"viewer":"1"}', {"content-type": "application/json"})
page = json.load(urllib.request.urlopen(ask, timeout=5))
assert not page["degraded"] and len(page["rows"]) == 10, page
assert all(row["titles"] for row in page["rows"]), page
for row in page["rows"]:
    print(f"{row['heading']}: " + ", ".join(title["name"] for title in row["titles"][:3]) + ", …")
ASK
grep -E '^VmRSS' "/proc/$server/status"
