#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Summary: bring up a local network with a bundler and the relay; Ctrl-C stops it all
#
# ./dev run [--fresh] [--optee]
#
#   --fresh  forget the chain and the keys of earlier runs first
#   --optee  the relay and its keys in a machine under QEMU that runs a real OP-TEE
#
# Starts anvil on 8545, the upstream bundler on 4337, and the relay: JSON-RPC on 3000, HTTP API
# on 9000, all on loopback. Chain and keys stay in .dev for the next run; logs are in .dev/logs.
set -euo pipefail

[[ ${ROOT-} ]] || source scripts/dev/lib.sh
# shellcheck source=scripts/dev/build.sh
declare -F build >/dev/null || source scripts/dev/build.sh
# shellcheck source=scripts/dev/optee.sh
source scripts/dev/optee.sh
# shellcheck source=scripts/devnet.sh
source scripts/devnet.sh

readonly RPC_PORT=3000 API_PORT=9000 NODE_PORT=8545 BUNDLER_PORT=4337
readonly CONFIG=config/dev.toml KEY=paymaster-key-001 RELAY=build/super-relay
readonly POLICY=config/dev-policy.toml OPERATOR=$STATE/operator.key
readonly PID_FILE=$STATE/run.pid
readonly DEVNET_PAYMASTER=0xDC18C4D49dF2297E7e93aF90f99ed98Bb166DAa0
WITH_OPTEE=0
NETWORK=$STATE/devnet # the chain's, which is one for each paymaster key
RELAY_PID=
# Whatever ends this script, even a kill that it cannot catch, ends its children.
DEVNET_GUARD=("${GUARD[@]}")

stop_all() {
  local status=$?
  trap - EXIT
  trap '' INT TERM HUP
  [[ -z $RELAY_PID ]] || end_process "$RELAY_PID" $((WITH_OPTEE ? 45 : 15))
  stop_network
  rm -f "$PID_FILE"
  exit "$status"
}

# "process 123 (anvil)" for a port's listener where the system tells, else nothing.
listener() {
  local users
  users=$(ss -Hltnp "sport = :$1" 2>/dev/null) || return 0
  [[ $users =~ \(\"([^\"]+)\",pid=([0-9]+) ]] || return 0
  printf ' by process %s (%s)' "${BASH_REMATCH[2]}" "${BASH_REMATCH[1]}"
}

refuse_second_run() {
  local other port busy=0
  other=$(cat "$PID_FILE" 2>/dev/null) || other=
  if [[ $other ]] && grep -qa 'scripts/dev/run.sh' "/proc/$other/cmdline" 2>/dev/null; then
    die "./dev run is already up as process $other: press Ctrl-C there, or 'kill $other'"
  fi
  rm -f "$PID_FILE"
  for port in $RPC_PORT $API_PORT $NODE_PORT $BUNDLER_PORT; do
    port_is_free "$port" && continue
    printf 'dev: port %d is already in use%s\n' "$port" "$(listener "$port")" >&2
    busy=1
  done
  ((busy == 0)) || die "these ports are needed; stop what uses them and try again"
}

keys() {
  if ((WITH_OPTEE)); then
    docker/optee-startup.sh relay keys "$@" --json
  else
    "$RELAY" keys "$@" --config "$CONFIG" --json
  fi
}

# Prints the paymaster key's address. A key is made only where the TEE says that there is none:
# any other failure must never lead to a second key.
paymaster_signer() {
  local shown errors=$LOGS/keys.log
  if ! shown=$(keys show "$KEY" 2>"$errors"); then
    [[ $(jq -r '.error.code' "$errors" 2>/dev/null) == not_found ]] ||
      { show_log "$errors" && return 1; }
    shown=$(keys generate "$KEY" 2>"$errors") || { show_log "$errors" && return 1; }
  fi
  jq -er '.address' <<<"$shown"
}

# Runs a command of the relay's; a failure of the code given first says that it was done before.
once() {
  local accepted=$1 errors=$LOGS/policy.log
  shift
  "$RELAY" "$@" --config "$CONFIG" --json >/dev/null 2>"$errors" && return 0
  [[ $(jq -r '.error.code' "$errors" 2>/dev/null) == "$accepted" ]] || {
    show_log "$errors"
    return 1
  }
}

# The TA as it is in service, but for the operator's key, which lies beside it: from here on it
# signs what the policy names and nothing else.
enforce_policy() {
  local version
  [[ -r $OPERATOR ]] || "$RELAY" operator keygen --out "$OPERATOR" >/dev/null || return 1
  once exists provision --operator-key "$OPERATOR" --development || return 1
  version=$(keys show "$KEY" | jq -r '.policyVersion // 0') || return 1
  ((version > 0)) ||
    once none policy set "$KEY" --file "$POLICY" --version 1 --operator-key "$OPERATOR"
}

start_relay() {
  : >"$LOGS/super-relay.log"
  export ETH_NODE_URL=$NODE_URL SR_BUNDLER_URL=$BUNDLER_URL SR_PAYMASTER=$PAYMASTER
  launch "$LOGS/super-relay.log" "$RELAY" node --config "$CONFIG" --paymaster-relay
  RELAY_PID=$!
}

# The machine is there before the chain, whose paymaster names the key in it. So the addresses
# are given beforehand; the relay in it starts anew until it finds its key and then its node.
start_guest() {
  local deadline=$((SECONDS + 30))
  export SR_CONFIG=$CONFIG SR_KMS_BACKEND=optee SR_OPTEE_WAIT=0
  export ETH_NODE_URL=http://127.0.0.1:$NODE_PORT SR_BUNDLER_URL=http://127.0.0.1:$BUNDLER_PORT
  export SR_PAYMASTER=$DEVNET_PAYMASTER
  DEVNET_HOME=$NETWORK/home
  mkdir -p "$DEVNET_HOME"
  : >"$LOGS/optee.log"
  rm -rf "$SR_OPTEE_STATE/run"
  launch "$LOGS/optee.log" docker/optee-startup.sh
  RELAY_PID=$!
  until [[ -S $SR_OPTEE_STATE/run/qmp.sock ]]; do
    if ! kill -0 "$RELAY_PID" 2>/dev/null || ((SECONDS >= deadline)); then
      show_log "$LOGS/optee.log"
      die "the machine did not start"
    fi
    sleep 0.1
  done
}

relay_log() {
  if ((WITH_OPTEE)); then
    printf '%s' "$SR_OPTEE_STATE/logs/relay.log"
  else
    printf '%s' "$LOGS/super-relay.log"
  fi
}

await_relay() {
  local deadline=$((SECONDS + 60))
  while ((SECONDS < deadline)); do
    kill -0 "$RELAY_PID" 2>/dev/null || break
    if curl -sf --noproxy '*' --max-time 2 -o /dev/null "http://127.0.0.1:$RPC_PORT/ready"; then
      return 0
    fi
    sleep 0.1
  done
  printf 'failed\n'
  curl -s --noproxy '*' --max-time 2 "http://127.0.0.1:$RPC_PORT/ready" >&2 || true
  show_log "$(relay_log)"
  die "the relay did not become ready"
}

print_endpoints() {
  cat <<END

SuperRelay is ready ($2: play money only).

  JSON-RPC     http://127.0.0.1:$RPC_PORT
  HTTP API     http://127.0.0.1:$API_PORT  (metrics at /metrics)
  EVM node     $NODE_URL  (chain 31337)
  bundler      $BUNDLER_URL
  EntryPoint   $ENTRY_POINT  (v0.7)
  paymaster    $PAYMASTER
  its signer   $1  (key '$KEY' in the TEE)
  factory      $FACTORY  (SimpleAccount)

Send a sponsored UserOperation, in another terminal:

  ./dev demo

or ask by hand:

  curl -s -H 'Content-Type: application/json' http://127.0.0.1:$RPC_PORT \\
    -d '{"jsonrpc":"2.0","id":1,"method":"pm_supportedEntryPoints","params":[]}'

Logs are in .dev/logs and .dev/devnet. Ctrl-C stops everything.
END
}

# Stays until a child ends by itself, which is always a fault.
watch_children() {
  local dead=0 status=0
  wait -n -p dead "$RELAY_PID" "$BUNDLER_PID" "$NODE_PID" || status=$?
  case $dead in
  "$RELAY_PID") report_death "the relay" "$status" "$(relay_log)" ;;
  "$BUNDLER_PID") report_death "the bundler" "$status" "$NETWORK/alto.log" ;;
  *) report_death "the EVM node" "$status" "$NETWORK/anvil.log" ;;
  esac
}

report_death() {
  printf '\ndev: %s ended by itself (status %d); stopping the others\n' "$1" "$2" >&2
  show_log "$3"
  exit 1
}

prepare() {
  setup run
  if ((WITH_OPTEE)); then prepare_optee; fi
}

tee_is() {
  if ((WITH_OPTEE)); then
    printf 'the keys are in OP-TEE, in an emulated machine'
  else
    printf 'the keys are in the simulator'
  fi
}

# Whatever is needed before the key can be asked for.
start_tee() {
  if ((WITH_OPTEE)); then
    step "a machine with OP-TEE, under QEMU"
    start_guest
  else
    step "compile"
    build
  fi
  done_step
}

run() {
  local signer
  refuse_second_run
  prepare
  # Only now is there something to stop. A stopped run is no failure, however it was told.
  trap stop_all EXIT
  trap 'printf "\nstopping …\n" 2>/dev/null || true; exit 0' INT TERM HUP
  printf '%d\n' $$ >"$PID_FILE"
  export SR_RPC_LISTEN=127.0.0.1:$RPC_PORT SR_API_LISTEN=127.0.0.1:$API_PORT
  export SR_STORE=$STATE/tee
  steps 4
  start_tee
  step "paymaster key in the TEE"
  signer=$(paymaster_signer) || die "the TEE gave no paymaster key"
  ((WITH_OPTEE)) || enforce_policy || die "the TEE took no operator or no policy"
  done_step "$signer"
  step "EVM node with its contracts, and the bundler"
  start_chain $NODE_PORT "$NETWORK" "$signer"
  start_bundler $BUNDLER_PORT "$NETWORK"
  [[ ${PAYMASTER,,} == "${DEVNET_PAYMASTER,,}" ]] || die "the paymaster came to stand at $PAYMASTER"
  done_step
  step "relay"
  ((WITH_OPTEE)) || start_relay
  await_relay
  done_step
  print_endpoints "$signer" "$(tee_is)"
  watch_children
}

fresh=0
while (($#)); do
  case $1 in
  --fresh) fresh=1 ;;
  --optee)
    WITH_OPTEE=1
    NETWORK=$STATE/devnet-optee
    ;;
  *) usage_error scripts/dev/run.sh "run: '$1' is no option of it" ;;
  esac
  shift
done
if ((fresh)); then
  refuse_second_run
  rm -rf "$STATE/tee" "$STATE/optee" "$NETWORK"
fi
run
