#!/usr/bin/env bash
# cluster.sh [PART...]: installs what a one-node Kubernetes needs besides Debian packages, once, into MARQUEE_CACHE/tools/cluster.
# Parts: `kubernetes`, `metrics-server` and `prometheus-adapter` are built from pinned Go modules (together about ten minutes
# on two cores). `kubectl-helm` and `crds` are downloaded. `pause` is the sandbox image; it needs Debian's buildah.
# A part is made again after its pins change, and is moved into place only when it is complete. Parts can be made in parallel.
set -euo pipefail
cd "$(dirname "$0")/.."
out="$MARQUEE_CACHE/tools/cluster"
mkdir -p "$out/bin" "$out/crds"

part() { # part NAME FUNCTION INPUT...: calls FUNCTION FOLDER unless the part was made from the same inputs
  local name=$1 make=$2; shift 2
  local pins; pins=$( (cat "$@"; declare -f "$make") | sha256sum)
  exec 9>"$out/.lock-$name"
  flock 9 # a second call waits for the first, and finds the part made
  if [ "$(cat "$out/.$name" 2>/dev/null)" != "$pins" ]; then
    local start=$SECONDS partial; partial=$(mktemp -d "$out/.partial-XXXXXX")
    echo "making $name once, into $out" >&2
    "$make" "$partial"
    cp -r --remove-destination "$partial/." "$out/" && rm -rf "$partial"
    echo "$pins" >"$out/.$name"
    echo "made $name in $((SECONDS - start)) s" >&2
  fi
}

go_build() { # go_build MODULE VERSION FOLDER PACKAGE...
  local module=$1 version=$2 folder=$3 flags="-s -w"; shift 3
  command -v go >/dev/null || { echo "Go 1.26 or later is needed, once, for Kubernetes' programs: https://go.dev/dl" >&2; exit 1; }
  local minor=${version#v*.}
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do # without a version they refuse to start
    flags+=" -X $package.gitVersion=$version -X $package.gitMajor=${version:1:1} -X $package.gitMinor=${minor%%.*}"
    flags+=" -X $package.gitTreeState=clean"
  done
  (cd "cluster/$module" && CGO_ENABLED=0 go build -p 2 -trimpath -buildvcs=false -ldflags "$flags" -o "$folder/bin/" "$@")
}

kubernetes() {
  local cmd=k8s.io/kubernetes/cmd
  mkdir "$1/bin"
  go_build kubernetes v1.35.4 "$1" $cmd/kube-{apiserver,controller-manager,scheduler,proxy} $cmd/kubelet \
    go.etcd.io/etcd/server/v3 ./coredns helm.sh/helm/v3/cmd/helm
  mv "$1/bin/server" "$1/bin/etcd"
  mv "$1/bin/helm" "$1/bin/helm3" # helm is the one of kubectl_helm, version 4
}

metrics_server() {
  mkdir "$1/bin"
  go_build metrics-server v0.9.0 "$1" sigs.k8s.io/metrics-server/cmd/metrics-server
}

prometheus_adapter() {
  mkdir "$1/bin"
  go_build prometheus-adapter v0.12.0 "$1" sigs.k8s.io/prometheus-adapter/cmd/adapter
  mv "$1/bin/adapter" "$1/bin/prometheus-adapter"
}

kubectl_helm() { setup/fetch-kubectl-helm.py "$1/bin"; }

foreign_crds() { setup/fetch-crds.py "$1/crds"; }

pause() { # the sandbox image: a static program on nothing
  gcc -Os -static -o "$1/pause" cluster/pause.c
  setup/image.sh "$1/pause.tar" localhost/pause:3 65535:65535 /pause "$1/pause"
  rm "$1/pause"
}

for wanted in "${@:-kubernetes metrics-server prometheus-adapter kubectl-helm crds pause}"; do
  for name in $wanted; do
    case $name in
      kubernetes) part kubernetes kubernetes cluster/kubernetes/{go.mod,go.sum,coredns/main.go} ;;
      metrics-server) part metrics-server metrics_server cluster/metrics-server/{go.mod,go.sum} ;;
      prometheus-adapter) part prometheus-adapter prometheus_adapter cluster/prometheus-adapter/{go.mod,go.sum} ;;
      kubectl-helm) part kubectl-helm kubectl_helm setup/fetch-kubectl-helm.py ;;
      crds) part crds foreign_crds setup/fetch-crds.py ;;
      pause) if [ "$(id -u)" -eq 0 ]; then part pause pause cluster/pause.c; fi ;;
      *) echo "$name is not a part: the parts are listed at the top of tests/setup/cluster.sh" >&2; exit 2 ;;
    esac
  done
done
