#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Summary: install what building, running and testing need (the others do it themselves)
#
# ./dev setup [build|run|quick|all|cross]
#
#   build, run  only what these subcommands need
#   quick       only what ./dev test --quick needs
#   cross       libraries for scripts/cross/aarch64-linux-gnu.ini, into build/deps-arm64
#
# Debian packages come from apt, with sudo unless root. Everything else stays in the checkout:
# build/deps (libraries that Debian 12 lacks, OP-TEE's client header), node_modules, .dev.
# A second run only looks.
set -euo pipefail

[[ ${ROOT-} ]] || source scripts/dev/lib.sh
# shellcheck source=scripts/dev/vectors.sh
source scripts/dev/vectors.sh
# shellcheck source=scripts/dev/deploy_tools.sh
source scripts/dev/deploy_tools.sh

readonly BUILD_PACKAGES=(ca-certificates gcc libc6-dev meson ninja-build pkg-config libuv1-dev
  libcurl4-openssl-dev libsecp256k1-dev libsodium-dev libssl-dev libcmocka-dev valgrind)
readonly RUN_PACKAGES=(curl jq)
readonly TEST_PACKAGES=(clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev cppcheck
  codespell shellcheck systemd yamllint python3-venv)
# The suite that has what the oldest supported one lacks.
readonly DONOR_SUITE=trixie

debian_version() {
  local version
  # shellcheck source=/dev/null
  version=$(. /etc/os-release && printf '%s' "${ID-}-${VERSION_ID-}")
  case $version in
  debian-12) printf 12 ;;
  debian-13 | debian-) printf 13 ;;
  *) die "Debian 12 or 13 is needed, this is '$version'" ;;
  esac
}

missing_packages() {
  local package
  local -A installed=()
  while read -r package; do
    installed[$package]=1
  done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
    sed -n 's/^installed //p')
  for package; do
    [[ ${installed[$package]-} ]] || printf '%s\n' "$package"
  done
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root, and there is no sudo: run as root: $*"
  fi
}

# apt works as a user of its own, who may not come to the checkout's scratch.
apt_install() {
  as_root env -u TMPDIR apt-get update &&
    as_root env -u TMPDIR DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
      install -y --no-install-recommends "$@"
}

# Says nothing: the log's name, packages.
install_missing() {
  local log=$1
  local -a missing
  shift
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} > 0)) || return 0
  # A password prompt must be seen: before the output goes to the log.
  ((EUID == 0)) || ! command -v sudo >/dev/null || sudo -v
  logged "$log" apt_install "${missing[@]}"
}

install_packages() {
  local count
  count=$(missing_packages "$@" | wc -l)
  if ((count == 0)); then
    done_step "nothing to do"
    return
  fi
  install_missing apt "$@" || return 1
  done_step "$count installed"
}

# Archives that may carry the donor suite: those that this machine is set up with.
archives() {
  # shellcheck disable=SC2016 # apt expands it
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    grep -E '^(https?|mirror[a-z+]*|file|copy):' | grep -vE 'security|backports' | sort -u | head -8
}

# An apt of our own: its sources, lists and cache lie under one directory and the machine's stay
# as they are. Signatures are checked against Debian's keyring.
# Directory, archive URI, architectures (comma-separated), entries ("deb SUITE", "deb-src SUITE").
write_private_apt() {
  local directory=$1 archive=$2 entry architecture
  local -a architectures
  IFS=, read -ra architectures <<<"$3"
  shift 3
  rm -rf "$directory"
  mkdir -p "$directory"/{state/lists/partial,cache/archives/partial,packages}
  : >"$directory/status"
  for entry; do
    printf '%s [signed-by=%s] %s %s main\n' "${entry% *}" \
      /usr/share/keyrings/debian-archive-keyring.gpg "$archive" "${entry#* }"
  done >"$directory/sources.list"
  {
    cat <<END
Dir::State "$directory/state";
Dir::State::status "$directory/status";
Dir::Cache "$directory/cache";
Dir::Etc::sourcelist "$directory/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Update::Error-Mode "any";
#clear APT::Architectures;
APT::Architecture "${architectures[0]}";
END
    for architecture in "${architectures[@]}"; do
      printf 'APT::Architectures:: "%s";\n' "$architecture"
    done
    # apt's own user may not be allowed to read the checkout.
    ((EUID != 0)) || printf 'APT::Sandbox::User "root";\n'
  } >"$directory/apt.conf"
}

# Downloads donor packages into build/apt/packages: architectures (comma-separated), packages.
fetch_donor_packages() {
  local archive directory=$ROOT/build/apt wanted=$1
  shift
  while read -r archive; do
    write_private_apt "$directory" "$archive" "$wanted" "deb $DONOR_SUITE"
    if (
      export APT_CONFIG=$directory/apt.conf
      cd "$directory/packages"
      apt-get update && apt-get download "$@"
    ); then
      return 0
    fi
  done < <(archives)
  return 1
}

# The same, unpacked into a directory, with nothing left of the downloads: directory,
# architectures, packages.
unpack_donor_packages() {
  local into=$1 package
  shift
  fetch_donor_packages "$@" || return 1
  mkdir -p "$into" || return 1
  for package in "$ROOT"/build/apt/packages/*.deb; do
    dpkg-deb -x "$package" "$into" || return 1
  done
  rm -rf "$ROOT/build/apt"
}

# Moves the two libraries of an unpacked root into a prefix: root, prefix as it is built,
# prefix as it will be named, multiarch name.
place_libraries() {
  local root=$1 new=$2 final=$3 multiarch=$4 library
  cp "$root/usr/include/"{yyjson.h,llhttp.h} "$new/include/" || return 1
  cp -P "$root/usr/lib/$multiarch/"lib{yyjson,llhttp}* "$new/lib/" || return 1
  for library in yyjson libllhttp; do
    sed -e "s|^prefix=.*|prefix=$final|" -e "s|^libdir=.*|libdir=\${prefix}/lib|" \
      -e "s|^includedir=.*|includedir=\${prefix}/include|" \
      -e "s|/usr/lib/$multiarch|$final/lib|g" -e "s|-I/usr/include|-I$final/include|" \
      "$root/usr/lib/$multiarch/pkgconfig/$library.pc" \
      >"$new/lib/pkgconfig/$library.pc" || return 1
  done
}

# Makes a private prefix: its place, and the architecture whose libraries it gets ("none": it
# gets OP-TEE's client header alone, which is the same for all).
fill_private_prefix() {
  local final=$1 architecture=$2 new=$1.new
  rm -rf "$new"
  if [[ $architecture == none ]]; then
    unpack_donor_packages "$new/root" arm64 optee-client-dev || return 1
  else
    unpack_donor_packages "$new/root" "$architecture,arm64" \
      {libyyjson-dev,libyyjson0}:"$architecture" {libllhttp-dev,libllhttp9.2}:"$architecture" \
      optee-client-dev:arm64 || return 1
  fi
  mkdir -p "$new/lib/pkgconfig" "$new/include"
  cp "$new/root/usr/include/tee_client_api.h" "$new/include/" || return 1
  case $architecture in
  none) ;;
  amd64) place_libraries "$new/root" "$new" "$final" x86_64-linux-gnu || return 1 ;;
  arm64) place_libraries "$new/root" "$new" "$final" aarch64-linux-gnu || return 1 ;;
  *) echo "no libraries for the architecture $architecture" && return 1 ;;
  esac
  rm -rf "$new/root"
  prefix_stamp "$final" "$architecture" >"$new/stamp"
  rm -rf "$final"
  mv "$new" "$final"
}

# The .pc files hold the checkout's place, so a moved checkout makes them anew.
prefix_stamp() {
  printf '2 %s %s' "$1" "$2"
}

prefix_is_complete() {
  [[ $(cat "$1/stamp" 2>/dev/null) == "$(prefix_stamp "$1" "$2")" ]]
}

setup_private_prefix() {
  if prefix_is_complete "$1" "$2"; then
    done_step "nothing to do"
    return
  fi
  logged "${1##*/}" fill_private_prefix "$1" "$2"
  done_step
}

# Which libraries build/deps needs: those that this Debian has not.
missing_libraries() {
  if (($1 == 12)); then dpkg --print-architecture; else printf none; fi
}

# npm ci, unless this very lock file was installed already: directory.
npm_install() {
  local lock=$1/package-lock.json installed=$1/node_modules/.installed-lock
  cmp -s "$lock" "$installed" && return
  (cd "$1" && npm ci --no-fund --no-audit --ignore-scripts) && cp "$lock" "$installed"
}

# Debian's Node.js where the machine has none; and where that is too old for the tools, the
# build that npm distributes, into the checkout.
setup_node() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    install_missing apt-node nodejs npm
  fi
  if ! use_node; then
    mkdir -p "$STATE/node"
    cp scripts/node/package.json scripts/node/package-lock.json "$STATE/node/"
    logged npm-node npm_install "$STATE/node"
    use_node || die "npm's Node.js does not run here; see .dev/logs/npm-node.log"
  fi
  done_step "$(node --version)"
}

npm_is_complete() {
  cmp -s package-lock.json node_modules/.installed-lock
}

setup_npm_packages() {
  if npm_is_complete; then
    done_step "nothing to do"
    return
  fi
  logged npm npm_install "$ROOT"
  done_step
}

needs_vectors() {
  [[ $1 == quick || $1 == all ]]
}

is_complete() {
  local level=$1 libraries=$2
  shift 2
  [[ -z $(missing_packages "$@") ]] && prefix_is_complete "$DEPS" "$libraries" &&
    { [[ $level == build ]] || { use_node && npm_is_complete; }; } &&
    { ! needs_vectors "$level" || vectors_are_complete; } &&
    { [[ $level != all ]] || tools_are_complete; }
}

install_all() {
  local level=$1 libraries=$2
  shift 2
  case $level in
  build) steps 2 ;;
  run) steps 4 ;;
  quick) steps 5 ;;
  *) steps 6 ;;
  esac
  step "Debian packages"
  install_packages "$@"
  step "libraries and headers from Debian $DONOR_SUITE, into build/deps"
  setup_private_prefix "$DEPS" "$libraries"
  if [[ $level != build ]]; then
    step "Node.js, $NODE_MINIMUM or newer"
    setup_node
    step "npm packages of the local network and the tests"
    setup_npm_packages
  fi
  if needs_vectors "$level"; then
    step "Project Wycheproof's test vectors"
    setup_vectors "$(debian_version)"
  fi
  if [[ $level == all ]]; then
    step "tools that check manifests and metrics, into build/tools"
    setup_tools
  fi
}

# build: what compiles; run: also the local network; quick: also the test vectors; all: also what
# lints and fuzzes, and checks the deployment.
# Says nothing where nothing is missing.
setup() {
  local level=$1 version libraries
  local -a packages=("${BUILD_PACKAGES[@]}")
  version=$(debian_version)
  libraries=$(missing_libraries "$version")
  if ((version >= 13)); then packages+=(libyyjson-dev libllhttp-dev); fi
  if [[ $level != build ]]; then packages+=("${RUN_PACKAGES[@]}"); fi
  if [[ $level == all ]]; then packages+=("${TEST_PACKAGES[@]}"); fi
  mkdir -p "$LOGS"
  exec 9>"$STATE/setup.lock"
  flock 9
  is_complete "$level" "$libraries" "${packages[@]}" ||
    install_all "$level" "$libraries" "${packages[@]}"
  exec 9>&-
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  [[ $# -lt 2 && ${1:-all} =~ ^(build|run|quick|all|cross)$ ]] ||
    usage_error scripts/dev/setup.sh "setup takes build, run, quick, all or cross"
  if [[ ${1-} == cross ]]; then
    mkdir -p "$LOGS"
    steps 1
    step "libraries for arm64 from Debian $DONOR_SUITE, into build/deps-arm64"
    setup_private_prefix "$DEPS-arm64" arm64
  else
    setup "${1:-all}"
  fi
  printf 'the set-up is complete\n'
fi
