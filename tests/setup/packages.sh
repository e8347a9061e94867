#!/usr/bin/env bash
# Debian packages that the tests need. Installs them as root, else says what to install.
set -euo pipefail
declare -A wanted=([openssl]=openssl [chromium]=chromium [chromedriver]=chromium-driver)
missing=()
for command in "${!wanted[@]}"; do
  command -v "$command" >/dev/null || missing+=("${wanted[$command]}")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
  echo "these Debian packages are missing; install them, then run this again:" >&2
  echo "  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends "${missing[@]}" fonts-dejavu-core >/dev/null
