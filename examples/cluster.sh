#!/usr/bin/env bash
# `make cluster` starts a real one-node Kubernetes in separate Linux namespaces, installs Marquee with its chart and applies
# examples/homepage. `make cluster-down` stops it and removes everything that it wrote. Other machines cannot reach the cluster.
# `target/cluster/kubectl` and `target/cluster/helm` connect to it; `target/cluster/enter COMMAND` runs a command in its
# network.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
here="$target/cluster"

down() {
  if [ -f "$here/pid" ]; then
    local pid; pid=$(cat "$here/pid")
    kill "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    echo "the cluster has stopped"
  else
    echo "no cluster is running"
  fi
  clear_folder
}

clear_folder() { # removes what `up` and the cluster wrote, also after a start that failed, and keeps files of the user
  [ -d "$here" ] || return 0
  rm -rf "$here"/artifacts/home-{catalogue,ials,ease,svdpp}
  rm -f "$here"/{train.log,log,helm.log,pid,enter,kubectl,helm}
  rmdir "$here/artifacts" 2>/dev/null || true
  rmdir "$here" 2>/dev/null || echo "kept in ${here#"$PWD"/}, because \`make cluster\` did not write it: $(ls -A "$here")"
}

up() {
  if [ -f "$here/pid" ] && kill -0 "$(cat "$here/pid")" 2>/dev/null; then
    echo "a cluster is already running: stop it with make cluster-down" >&2; exit 1
  fi
  mkdir -p "$here"
  rm -f "$here/pid"
  echo "--> models"
  examples/train.sh "$here/artifacts" >"$here/train.log" || { cat "$here/train.log" >&2; exit 1; }
  echo "--> cluster"
  setsid --fork "$target/release/cluster" "$here" >"$here/log" 2>&1 </dev/null
  until [ -f "$here/pid" ]; do
    grep -q '^cluster: ' "$here/log" && { cat "$here/log" >&2; exit 1; }
    sleep 0.1
  done
  echo "--> Marquee, from charts/marquee"
  "$here/helm" install marquee charts/marquee --namespace marquee-system --create-namespace --wait --timeout 2m >"$here/helm.log"
  echo "--> examples/homepage"
  volume
  "$here/kubectl" apply -f examples/homepage
  "$here/kubectl" wait --for=condition=RolledOut --timeout=2m rankingmodels,pagelayouts --all
  "$here/kubectl" get rankingmodels,pagelayouts,pods
  local address; address=$("$here/kubectl" get service home-page --output 'jsonpath={.spec.clusterIP}')
  cat <<SAY

The cluster runs until \`make cluster-down\`:
  ${here#"$PWD"/}/kubectl get rankingmodels
  ${here#"$PWD"/}/enter curl -s -H 'content-type: application/json' -d '{"viewer":"1"}' http://$address/v1/surfaces/home/page
  ${here#"$PWD"/}/enter COMMAND       # runs in the cluster's network, with KUBECONFIG=$(sed -n 's/^export KUBECONFIG=\([^ ]*\).*/\1/p' "$here/enter")
SAY
}

volume() { # a volume claim with the name from the examples, for the folder of trained artifacts
  "$here/kubectl" apply -f - <<YAML
apiVersion: v1
kind: PersistentVolume
metadata: {name: marquee-artifacts}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadOnlyMany]
  storageClassName: ""
  hostPath: {path: "$here/artifacts", type: Directory}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: marquee-artifacts}
spec:
  accessModes: [ReadOnlyMany]
  storageClassName: ""
  volumeName: marquee-artifacts
  resources: {requests: {storage: 1Gi}}
YAML
}

case "${1:-up}" in
  up) up ;;
  down) down ;;
  *) echo "usage: cluster.sh [up|down]" >&2; exit 1 ;;
esac
