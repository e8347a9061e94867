#!/usr/bin/env bash
# Debian packages that the tests need. Installs them as root; otherwise prints the commands. Without the packages of the second
# list, only the stories on a whole cluster are skipped, and these need root in any case.
set -euo pipefail
declare -A wanted=([openssl]=openssl [chromium]=chromium [chromedriver]=chromium-driver)
declare -A node=([containerd]=containerd [runc]=runc [/usr/lib/cni/bridge]=containernetworking-plugins [iptables]=iptables
  [conntrack]=conntrack [ip]=iproute2 [buildah]=buildah [prometheus]=prometheus)
missing=() absent=()
for command in "${!wanted[@]}"; do
  command -v "$command" >/dev/null || missing+=("${wanted[$command]}")
done
for command in "${!node[@]}"; do
  PATH="$PATH:/usr/sbin" command -v "$command" >/dev/null || absent+=("${node[$command]}")
done
if [ "$(id -u)" -ne 0 ]; then
  if [ ${#absent[@]} -ne 0 ]; then echo "skipping stories on a whole cluster: they need root and these Debian packages: ${absent[*]}" >&2; fi
  [ ${#missing[@]} -eq 0 ] && exit 0
  echo "these Debian packages are missing; install them, then run this again:" >&2
  echo "  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
[ ${#missing[@]} -eq 0 ] && [ ${#absent[@]} -eq 0 ] && exit 0
# Do not start the services of the packages: the tests start their own containerd and Prometheus.
if [ ! -e /usr/sbin/policy-rc.d ]; then
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends "${missing[@]}" "${absent[@]}" fonts-dejavu-core >/dev/null
