#!/usr/bin/env bash
# Install the servers that the tests start, where they are missing, from Debian's packages.
set -u
missing=()
need() { [ -n "$(compgen -c "$1" | head -n 1)" ] || missing+=("$2"); }
need java openjdk-17-jre-headless
need mvn maven
need prometheus prometheus
need promtool prometheus
need amtool prometheus-alertmanager
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
[ ${#missing[@]} -eq 0 ] && exit 0

mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
if ! command -v apt-get >/dev/null; then
  echo "The tests start servers that are missing here: ${missing[*]} (Debian's names)." >&2
  echo "Install them by your system's own means, then run this again." >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo "The tests start servers that are missing here. Install them:" >&2
    echo "  sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Installing ${missing[*]} for the tests ..."
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq &&
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
