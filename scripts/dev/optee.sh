#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Summary: keys in a real OP-TEE under QEMU: build, run, keys, shell, bench, symbolize
#
# ./dev optee build [--fresh]   make the image; --fresh asks Debian's archive for newer packages
# ./dev optee run               start it: the relay with config/optee-config.toml (SR_CONFIG), which
#                               wants ETH_NODE_URL and SR_PAYMASTER
# ./dev optee keys ARGUMENT…    'super-relay keys' in the guest that runs, like: keys list
# ./dev optee shell             a root shell on the guest's console; Ctrl-] leaves it
# ./dev optee symbolize [LOG]   the secure world's log, with functions and lines in its abort dumps
# ./dev optee bench             signing through the whole path against signing natively, there
# ./dev optee imx93             OP-TEE and the TA for the i.MX 93, by the Yocto layer's flags
#
# ./dev run --optee brings a whole local network up with it. State and logs are in .dev/optee.
set -euo pipefail

[[ ${ROOT-} ]] || source scripts/dev/lib.sh
# shellcheck source=scripts/build_optee_env.sh
declare -F build_optee >/dev/null || source scripts/build_optee_env.sh

readonly OPTEE_RUN_PACKAGES=(qemu-system-arm e2fsprogs curl socat)
export SR_OPTEE_STATE=${SR_OPTEE_STATE:-$STATE/optee}

prepare_optee() {
  install_missing apt "${OPTEE_RUN_PACKAGES[@]}"
  build_optee
}

optee_shell() {
  local console=$SR_OPTEE_STATE/run/console.sock
  install_missing apt socat
  [[ -S $console ]] || die "no guest is running: start './dev run --optee' or './dev optee run'"
  printf 'The guest'\''s console. Press Enter; Ctrl-] leaves it, and the guest goes on.\n'
  exec socat -,raw,echo=0,escape=0x1d "unix-connect:$console"
}

# OP-TEE prints a dump's addresses with the load address of each file; its script asks the
# files that still have their symbols.
optee_symbolize() {
  local log=${1:-$SR_OPTEE_STATE/logs/secure.log}
  [[ -r $log ]] || die "cannot read '$log'"
  CROSS_COMPILE=$CROSS_PREFIX "$PYTHON" "$OPTEE/source/optee-os/scripts/symbolize.py" \
    -d "$OPTEE"/ta -d "$OPTEE"/ta-test -d "$OPTEE/optee-os/core" -d "$OPTEE/optee-os/ldelf" <"$log"
}

optee_bench() {
  prepare_optee
  # shellcheck source=scripts/optee/bench.sh
  source scripts/optee/bench.sh
  optee_run_bench
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  subcommand=${1-}
  [[ -z $subcommand ]] || shift
  case $subcommand in
  build)
    install_missing apt "${OPTEE_RUN_PACKAGES[@]}"
    exec scripts/build_optee_env.sh "$@"
    ;;
  run)
    (($# == 0)) || usage_error "$0" "optee run takes no argument"
    prepare_optee
    exec docker/optee-startup.sh
    ;;
  keys) exec docker/optee-startup.sh relay keys "$@" ;;
  shell) optee_shell ;;
  symbolize) optee_symbolize "$@" ;;
  bench) optee_bench ;;
  imx93) exec scripts/optee/imx93.sh "$@" ;;
  *) usage_error "$0" "optee: build, run, keys, shell, symbolize, bench or imx93?" ;;
  esac
fi
