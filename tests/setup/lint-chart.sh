#!/usr/bin/env bash
# lint-chart.sh HELM: runs `helm lint` on the chart with the default values and with each file of charts/marquee/ci.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -x "$1" ] || { echo "$1 is missing: run \`make setup\`" >&2; exit 1; }
"$1" lint --strict --quiet charts/marquee
for values in charts/marquee/ci/*-values.yaml; do "$1" lint --strict --quiet charts/marquee --values "$values"; done
