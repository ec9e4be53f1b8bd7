#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sees to it that the TEE of SR_OPTEE_STATE holds the paymaster's key, prints its address and
# leaves it in the file SR_SIGNER_FILE (SR_OPTEE_STATE/signer). For development networks: elsewhere
# a key is made by hand, once, and a contract is deployed for it. Environment as optee-startup.sh.
#
#   optee-key.sh [ID]
set -euo pipefail

HERE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
readonly HERE KEY=${1:-paymaster-key-001}
readonly SIGNER=${SR_SIGNER_FILE:-${SR_OPTEE_STATE:?}/signer}
# Seconds within which the TEE must have answered.
readonly PATIENCE=180
MACHINE=

stop_machine() {
  [[ $MACHINE ]] || return 0
  kill -TERM "$MACHINE" 2>/dev/null || true
  wait "$MACHINE" || true
  MACHINE=
}

start_machine() {
  # What an earlier machine has left must not be taken for this one's; a running one has the lock.
  mkdir -p "$SR_OPTEE_STATE/run"
  flock -n "$SR_OPTEE_STATE/lock" rm -f "$SR_OPTEE_STATE/run/qmp.sock" || {
    echo "optee-key: a machine with this state is running already: $SR_OPTEE_STATE" >&2
    exit 1
  }
  trap stop_machine EXIT
  trap 'exit 143' TERM INT
  SR_OPTEE_RELAY=no "$HERE/optee-startup.sh" >&2 &
  MACHINE=$!
  # QEMU opens this socket last: from then on no request to the guest is lost.
  until [[ -S $SR_OPTEE_STATE/run/qmp.sock ]]; do
    kill -0 "$MACHINE" || exit 1
    sleep 0.1
  done
}

keys() {
  "$HERE/optee-startup.sh" relay keys "$@" "$KEY" --json
}

# The key as the TEE shows it. A machine that is slow to come up is asked again.
shown_key() {
  local deadline=$((SECONDS + PATIENCE)) errors=$SR_OPTEE_STATE/run/key.err
  until keys show 2>"$errors"; do
    [[ $(jq -r '.error.code' "$errors" 2>/dev/null) != not_found ]] || return 2
    if ((SECONDS >= deadline)) || ! kill -0 "$MACHINE" 2>/dev/null; then
      cat "$errors" >&2
      return 1
    fi
    sleep 1
  done
}

# A key is made only where the TEE says that there is none: any other failure must never lead to
# a second one.
key_address() {
  local shown status=0
  shown=$(shown_key) || status=$?
  case $status in
  0) ;;
  2) shown=$(keys generate) || return 1 ;;
  *) return 1 ;;
  esac
  jq -er '.address' <<<"$shown"
}

# The machine need not start for what is known; without its disk nothing is.
if [[ ! -e $SIGNER || ! -e $SR_OPTEE_STATE/disk.img ]]; then
  start_machine
  key_address >"$SIGNER.new"
  stop_machine
  mv "$SIGNER.new" "$SIGNER"
fi
cat "$SIGNER"
