#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes what phase 1 boots under QEMU, into build/optee/image:
#
#   flash.bin        TF-A, OP-TEE and U-Boot
#   uboot-env.bin    U-Boot's environment
#   Image            the arm64 kernel
#   rootfs.cpio      tee-supplicant, libteec, the TA and the daemon
#
# All of it from Debian's packages and sources, verified by apt, and from this checkout. Needs
# no root but for apt-get install of the compilers, and installs nothing of arm64. What has
# not changed is not made again: after a change of the code it takes seconds.
#
#   scripts/build_optee_env.sh [--fresh] [--tests]
#
#   --fresh   ask Debian's archive anew, for newer packages
#   --tests   also the TA's test builds, into build/optee/ta-test and, for processors without
#             random numbers, ta-test-plain: they can be told to panic, and are never in an image
#
# Environment: SR_TA_SIGN_KEY, a PEM file, signs the TA and is what OP-TEE trusts, instead of
# a key of the checkout's own (build/optee/keys).
set -euo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
# shellcheck source=scripts/dev/lib.sh
[[ ${ROOT-} ]] || source scripts/dev/lib.sh
# shellcheck source=scripts/dev/setup.sh
declare -F setup >/dev/null || source scripts/dev/setup.sh

readonly OPTEE=$ROOT/build/optee
readonly IMAGE=$OPTEE/image

# A step leaves what it was made from, so that the next run can tell whether to make it again. A
# stamp that does not fit goes at once: what the step makes is in pieces until it has ended.
stamped() {
  [[ $(cat "$OPTEE/stamps/$1" 2>/dev/null) == "$2" ]] && return
  rm -f "$OPTEE/stamps/$1"
  return 1
}

stamp() {
  mkdir -p "$OPTEE/stamps"
  printf '%s\n' "$2" >"$OPTEE/stamps/$1"
}

# shellcheck source=scripts/optee/packages.sh
source scripts/optee/packages.sh
# shellcheck source=scripts/optee/firmware.sh
source scripts/optee/firmware.sh
# shellcheck source=scripts/optee/guest.sh
source scripts/optee/guest.sh

# This image is for development: its TA takes plaintext keys, as the simulator's does. And it asks
# the processor for random numbers, which the one that optee-startup.sh chooses has.
readonly TA_SETTINGS=(CFG_SR_DEV_IMPORT=y CFG_SR_TA_RNDR=y)

# Whether the TA's test builds are wanted, and whether newer packages are: 0 or 1.
build_optee() {
  local tests=${1:-0} fresh=${2:-0}
  mkdir -p "$OPTEE" "$LOGS"
  exec 8>"$OPTEE/lock"
  flock 8
  steps $((7 + 2 * tests))
  step "Debian packages"
  install_packages "${OPTEE_BUILD_PACKAGES[@]}" || return 1
  step "sources and arm64 packages, into build/optee"
  get_packages "$fresh" || return 1
  step "OP-TEE and its TA dev kit"
  make_ta_key || return 1
  build_optee_os || return 1
  step "firmware"
  build_firmware || return 1
  step "daemon for arm64"
  build_daemon || return 1
  step "Trusted Application"
  build_ta ta || return 1
  step "root file system"
  build_root || return 1
  if ((tests)); then
    step "Trusted Application, test build"
    build_ta ta-test CFG_SR_TEST_HOOKS=y || return 1
    step "the same, for processors without random numbers"
    build_ta ta-test-plain CFG_SR_TEST_HOOKS=y CFG_SR_TA_RNDR=n || return 1
  fi
  exec 8>&-
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  with_tests=0
  with_fresh=0
  while (($#)); do
    case $1 in
    --fresh) with_fresh=1 ;;
    --tests) with_tests=1 ;;
    *)
      script_help "$0" >&2
      exit 2
      ;;
    esac
    shift
  done
  build_optee "$with_tests" "$with_fresh"
  printf 'build/optee/image is ready\n'
fi
