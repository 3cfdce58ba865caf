#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# From a bare Debian 12 to weir: sets the machine up (as root or with sudo), then shows or tests it.
set -euo pipefail
cd "$(dirname "$0")"

# The one list of Debian packages: what builds weir, then what tests it.
build_packages=(
  g++ libdpdk-dev meson ninja-build pkg-config libbenchmark-dev libcli11-dev libfmt-dev libgtest-dev libpcap-dev
  libtbb-dev libyaml-cpp-dev nlohmann-json3-dev zlib1g-dev)
test_packages=(
  clang clang-format dpdk-dev ethtool iproute2 libclang-rt-dev libfixbuf-tools llvm nfdump pmacct python3 python3-ipfix
  shellcheck tcpreplay tshark valgrind)

usage() {
  cat <<'END'
usage: ./run.sh demo   build a release, replay the captures in pcaps/, print their flows and the ledger
       ./run.sh test   build with and without sanitizers and pass every test; the last line counts them
       ./run.sh soak   the same fuzzers and captures, and a live probe, for three quarters of an hour
All install what Debian 12 lacks, and need root or sudo for that. Tests of live ports need root as well, for network
namespaces of their own; without it they are skipped, and said to be.
END
}

log() { printf '\n== %s\n' "$*"; }

install_missing() {
  local missing=() package sudo=sudo
  for package in "$@"; do
    [[ $(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null) == ii* ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  log "installing ${missing[*]}"
  [[ $EUID == 0 ]] && sudo=
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# build FOLDER TARGET... -- MESON-OPTION...: configures the folder once, then builds.
build() {
  local folder=$1 targets=()
  shift
  while (($#)) && [[ $1 != -- ]]; do
    targets+=("$1")
    shift
  done
  shift
  [[ -f $folder/build.ninja ]] || meson setup "$folder" "$@" >"$folder.log" || { cat "$folder.log"; return 1; }
  ninja -C "$folder" "${targets[@]}" >"$folder.log" || { cat "$folder.log"; return 1; }
}

demo() {
  install_missing "${build_packages[@]}"
  log 'building a release into build/'
  build build src/app/weir --
  log 'replaying pcaps/ to build/demo.ipfix'
  build/src/app/weir replay pcaps/*.pcap* --out build/demo.ipfix
  log 'the flows of build/demo.ipfix, top talkers first'
  build/src/app/weir dump --top 20 build/demo.ipfix
}

case ${1-} in
  demo) demo ;;
  test | soak)
    install_missing "${build_packages[@]}" "${test_packages[@]}"
    . tests/suite.sh
    "run_$1"
    ;;
  *)
    usage
    exit 2
    ;;
esac
