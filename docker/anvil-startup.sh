#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Process 1 of the development network's container: a chain that holds the contracts of one
# paymaster signer, until SIGTERM.
#
#   SR_SIGNER       the signer's address, or
#   SR_SIGNER_FILE  a file that holds it
#   SR_NODE_LISTEN, SR_NODE_PORT, SR_NODE_STATE   where to listen, where the chain is kept
set -euo pipefail

# shellcheck source=scripts/devnet.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../scripts/devnet.sh"

readonly STATE_DIRECTORY=${SR_NODE_STATE:-/var/lib/anvil}
readonly READY=$STATE_DIRECTORY/devnet.json

read_signer() {
  local signer=${SR_SIGNER-}
  if [[ -z $signer && -n ${SR_SIGNER_FILE-} ]]; then
    signer=$(cat "$SR_SIGNER_FILE") || return 1
  fi
  if [[ ! $signer =~ ^0x[0-9A-Fa-f]{40}$ ]]; then
    devnet_fail "SR_SIGNER or the file SR_SIGNER_FILE: expected an address, got '$signer'"
    return 1
  fi
  printf '%s' "$signer"
}

main() {
  local signer status=0
  signer=$(read_signer)
  rm -f "$READY"
  trap stop_network EXIT
  trap 'exit 0' TERM INT
  start_chain "${SR_NODE_PORT:-8545}" "$STATE_DIRECTORY" "$signer"
  describe "$signer" | tee "$READY.new"
  mv "$READY.new" "$READY"
  wait "$NODE_PID" || status=$?
  devnet_fail "anvil ended by itself with status $status; see $STATE_DIRECTORY/anvil.log"
}

main
