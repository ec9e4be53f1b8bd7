#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A local Ethereum network: anvil, the EntryPoint v0.7, a SimpleAccountFactory and a
# VerifyingPaymaster with a deposit, and on request an upstream bundler. All on loopback.
#
#   devnet.sh start --port PORT --state DIR --signer 0xADDRESS [--bundler-port PORT]
#       starts in the background and prints one JSON object (also in DIR/devnet.json):
#       node_url, chain_id, entry_point, factory, paymaster, signer, node_pid,
#       bundler_url and bundler_pid (null without --bundler-port)
#   devnet.sh serve …the same…
#       prints the same line, then stays until its standard input ends or it gets a signal,
#       and takes everything down with it: a test that dies leaves nothing behind
#   devnet.sh stop --state DIR
#
# A DIR that holds a chain with the same signer is taken up again; with another signer, the
# chain is started afresh, because the signer of a paymaster is fixed at its deployment.
# Sourced by `dev run`, which watches the processes itself.
set -euo pipefail

DEVNET_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

readonly ENTRY_POINT=0x0000000071727De22E5E9d8BAf0edAc6f37da032
readonly ENTRY_POINT_SALT=90d8084deab30c2a37c45e8d47f49f2f7965183cb6990a98943ef94940681de3
readonly CREATE2_DEPLOYER=0x4e59b44847b379578588920ca78fbf26c0b4956c
# An account without a key, used by nothing else: its nonces 0 and 1 fix the two addresses.
readonly DEVNET_OWNER=0x5e1a5e1a5e1a5e1a5e1a5e1a5e1a5e1a5e1a5e1a
readonly ONE_ETHER=0xde0b6b3a7640000
readonly DEPOSIT=0x8ac7230489e80000 # 10 ether
# Accounts 7, 8 and 9 of anvil's published test mnemonic; tests keep to the lower numbers.
readonly BUNDLER_EXECUTORS=0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356\
,0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97
readonly BUNDLER_UTILITY=0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6

NODE_URL=
NODE_PID=
BUNDLER_URL=
BUNDLER_PID=
FACTORY=
PAYMASTER=
# Set to (setpriv --pdeathsig TERM) by callers that outlive the network.
DEVNET_GUARD=()

devnet_fail() {
  echo "devnet: $*" >&2
  return 1
}

# JSON-RPC to the node: method, params (JSON) -> result as raw text, or failure with its message.
rpc() {
  local reply
  reply=$(jq -cn --arg method "$1" --slurpfile params <(printf '%s' "$2") \
    '{jsonrpc: "2.0", id: 1, method: $method, params: $params[0]}' |
    curl -sS --noproxy '*' --max-time 30 -H 'Content-Type: application/json' \
      --data-binary @- "$NODE_URL") || return 1
  if ! jq -e 'has("result")' <<<"$reply" >/dev/null; then
    devnet_fail "$1: $(jq -r '.error.message // .' <<<"$reply")"
    return 1
  fi
  jq -r '.result | if type == "string" then . else tojson end' <<<"$reply"
}

# One 32-byte word, 64 digits, from an address or a number in hex.
word() {
  local digits=${1#0x}
  printf '%064s' "${digits,,}" | tr ' ' 0
}

has_code() {
  local code
  code=$(rpc eth_getCode "[\"$1\", \"latest\"]") && [[ $code != 0x ]]
}

call() {
  rpc eth_call "[{\"to\": \"$1\", \"data\": \"$2\"}, \"latest\"]"
}

# A mined transaction's receipt. The node mines at once, but answers before it has.
await_receipt() {
  local receipt deadline=$((SECONDS + 30))
  while ((SECONDS < deadline)); do
    receipt=$(rpc eth_getTransactionReceipt "[\"$1\"]") || return 1
    if [[ $receipt != null ]]; then
      printf '%s\n' "$receipt"
      return
    fi
    sleep 0.05
  done
  devnet_fail "transaction $1 was not mined"
}

# Sends from the owner: to (empty: creation), data, value -> receipt, mined and successful.
send() {
  local params transaction receipt
  params=$(jq -n --arg from "$DEVNET_OWNER" --arg to "$1" --rawfile data <(printf '%s' "$2") \
    --arg value "$3" '[{from: $from, data: $data, value: $value, gas: "0x989680"}
      + (if $to == "" then {} else {to: $to} end)]') || return 1
  transaction=$(rpc eth_sendTransaction "$params") || return 1
  receipt=$(await_receipt "$transaction") || return 1
  if [[ $(jq -r '.status?' <<<"$receipt") != 0x1 ]]; then
    devnet_fail "transaction $transaction to '${1:-a new contract}' did not succeed"
    return 1
  fi
  printf '%s\n' "$receipt"
}

artifact() {
  jq -r .bytecode "$DEVNET_ROOT/node_modules/@account-abstraction/contracts/artifacts/$1.json"
}

# Creates a contract of the owner's: artifact, encoded arguments -> address.
create() {
  local receipt
  receipt=$(send "" "$(artifact "$1")$2" 0x0) || return 1
  jq -r .contractAddress <<<"$receipt"
}

node_program() {
  local machine
  case $(uname -m) in
  x86_64) machine=amd64 ;;
  aarch64) machine=arm64 ;;
  *) devnet_fail "no anvil for $(uname -m)" || return 1 ;;
  esac
  # The package's own start script would need its installation script; the binary does not.
  printf '%s\n' "$DEVNET_ROOT/node_modules/@foundry-rs/anvil-linux-$machine/bin/anvil"
}

# Starts a program in its own session, so that a Ctrl-C reaches it only through us, in order.
# log file, command… -> $!
launch() {
  local log=$1
  shift
  setsid "${DEVNET_GUARD[@]}" env HOME="$DEVNET_HOME" "$@" </dev/null >>"$log" 2>&1 &
}

# Waits for a JSON-RPC server: url, pid, seconds.
await_rpc() {
  local deadline=$((SECONDS + $3))
  while ((SECONDS < deadline)); do
    kill -0 "$2" 2>/dev/null || return 1
    if curl -sf --noproxy '*' --max-time 2 -H 'Content-Type: application/json' -o /dev/null \
      -d '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}' "$1"; then
      return 0
    fi
    sleep 0.1
  done
  return 1
}

port_is_free() {
  ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

start_node() {
  local port=$1 state=$2
  port_is_free "$port" || devnet_fail "port $port is already in use" || return 1
  NODE_URL=http://127.0.0.1:$port
  launch "$state/anvil.log" "$(node_program)" --host "${SR_NODE_LISTEN:-127.0.0.1}" \
    --port "$port" --chain-id 31337 --hardfork prague --state "$state/chain.json" \
    --state-interval 5 --no-cors --color never
  NODE_PID=$!
  await_rpc "$NODE_URL" "$NODE_PID" 30
}

# Ends a process of ours and waits until it is gone: pid, seconds before it is killed.
end_process() {
  local deadline=$((SECONDS + $2))
  kill -TERM "$1" 2>/dev/null || return 0
  while kill -0 "$1" 2>/dev/null && [[ $(process_state "$1") != Z ]]; do
    if ((SECONDS >= deadline)); then
      kill -KILL "$1" 2>/dev/null || true
      break
    fi
    sleep 0.05
  done
}

process_state() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  stat=${stat##*) }
  printf '%s' "${stat%% *}"
}

# What stands on the chain: 0 everything with this signer, 1 nothing yet, 2 another signer.
inspect_chain() {
  local signer
  FACTORY=$(cat "$2/factory" 2>/dev/null) || return 1
  PAYMASTER=$(cat "$2/paymaster" 2>/dev/null) || return 1
  { has_code "$ENTRY_POINT" && has_code "$FACTORY" && has_code "$PAYMASTER"; } || return 1
  signer=$(call "$PAYMASTER" 0x23d9ac9b) || return 1
  [[ ${signer#0x} == "$(word "$1")" ]] || return 2
}

deploy_entry_point() {
  has_code "$ENTRY_POINT" && return
  send "$CREATE2_DEPLOYER" "0x$ENTRY_POINT_SALT$(artifact EntryPoint | cut -c3-)" 0x0 >/dev/null
  has_code "$ENTRY_POINT" || devnet_fail "EntryPoint v0.7 did not come to stand at $ENTRY_POINT"
}

deploy_contracts() {
  local signer=$1 state=$2
  rpc anvil_setBalance "[\"$DEVNET_OWNER\", \"0x56bc75e2d63100000\"]" >/dev/null || return 1
  deploy_entry_point || return 1
  FACTORY=$(create SimpleAccountFactory "$(word $ENTRY_POINT)") || return 1
  PAYMASTER=$(create VerifyingPaymaster "$(word $ENTRY_POINT)$(word "$signer")") || return 1
  printf '%s\n' "$FACTORY" >"$state/factory"
  printf '%s\n' "$PAYMASTER" >"$state/paymaster"
  inspect_chain "$signer" "$state" || devnet_fail "the chain does not hold what was deployed"
}

# Tops the paymaster's deposit at the EntryPoint up when it has less than an ether, and
# reads it back. bash's numbers end at 2^63 wei, about nine ether: digits are compared.
fund_paymaster() {
  local deposit
  deposit=$(call "$ENTRY_POINT" "0x70a08231$(word "$PAYMASTER")") || return 1
  if [[ ${deposit#0x} < $(word $ONE_ETHER) ]]; then
    rpc anvil_setBalance "[\"$DEVNET_OWNER\", \"0x56bc75e2d63100000\"]" >/dev/null || return 1
    send "$PAYMASTER" 0xd0e30db0 $DEPOSIT >/dev/null || return 1
    deposit=$(call "$ENTRY_POINT" "0x70a08231$(word "$PAYMASTER")") || return 1
    [[ ! ${deposit#0x} < $(word $DEPOSIT) ]] || devnet_fail "the deposit did not arrive"
  fi
}

start_afresh() {
  [[ -z $NODE_PID ]] || end_process "$NODE_PID" 5
  rm -f "$2/chain.json" "$2/factory" "$2/paymaster"
  start_node "$1" "$2" || devnet_fail "anvil did not start; see $2/anvil.log"
}

# The node with all contracts: port, state directory, signer.
start_chain() {
  local port=$1 state=$2 signer=$3 found=0
  mkdir -p "$state"
  DEVNET_HOME=$state/home
  mkdir -p "$DEVNET_HOME"
  : >"$state/anvil.log"
  if ! start_node "$port" "$state"; then
    { [[ -n $NODE_PID && -e $state/chain.json ]] && port_is_free "$port"; } ||
      devnet_fail "anvil did not start; see $state/anvil.log" || return 1
    echo "devnet: the stored chain could not be read, starting a fresh one" >&2
    start_afresh "$port" "$state" || return 1
  fi
  rpc anvil_impersonateAccount "[\"$DEVNET_OWNER\"]" >/dev/null || return 1
  inspect_chain "$signer" "$state" || found=$?
  if ((found == 1)) && [[ $(rpc eth_blockNumber "[]") == 0x0 ]]; then
    deploy_contracts "$signer" "$state" || return 1
  elif ((found != 0)); then
    echo "devnet: the stored chain has not this paymaster signer, starting a fresh one" >&2
    start_afresh "$port" "$state" || return 1
    rpc anvil_impersonateAccount "[\"$DEVNET_OWNER\"]" >/dev/null || return 1
    deploy_contracts "$signer" "$state" || return 1
  fi
  fund_paymaster
}

# The upstream bundler. Its Sentry and tracing clients start only where SENTRY_DSN is set or
# its instrumentation file is loaded; neither is the case. Port, state directory.
start_bundler() {
  local port=$1 state=$2
  port_is_free "$port" || devnet_fail "port $port is already in use" || return 1
  BUNDLER_URL=http://127.0.0.1:$port
  : >"$state/alto.log"
  launch "$state/alto.log" env -u SENTRY_DSN DOTENV_CONFIG_PATH=/dev/null node \
    --import "$DEVNET_ROOT/tests/e2e/support/loopback.mjs" \
    "$DEVNET_ROOT/node_modules/@pimlico/alto/esm/cli/alto.js" \
    --entrypoints "$ENTRY_POINT" --rpc-url "$NODE_URL" --port "$port" \
    --executor-private-keys "$BUNDLER_EXECUTORS" --utility-private-key "$BUNDLER_UTILITY" \
    --safe-mode false --refilling-wallets false --utility-wallet-monitor false \
    --min-bundle-interval 50 --max-bundle-interval 100 --block-time 200 \
    --block-number-cache-ttl 100 --log-level warn --json
  BUNDLER_PID=$!
  await_rpc "$BUNDLER_URL" "$BUNDLER_PID" 60 ||
    devnet_fail "the bundler did not start; see $state/alto.log"
}

describe() {
  jq -cn --arg node_url "$NODE_URL" --arg entry_point "$ENTRY_POINT" --arg factory "$FACTORY" \
    --arg paymaster "$PAYMASTER" --arg signer "$1" --argjson node_pid "$NODE_PID" \
    --arg bundler_url "$BUNDLER_URL" --argjson bundler_pid "${BUNDLER_PID:-null}" \
    '{node_url: $node_url, chain_id: 31337, entry_point: $entry_point, factory: $factory,
      paymaster: $paymaster, signer: $signer, node_pid: $node_pid, bundler_pid: $bundler_pid,
      bundler_url: (if $bundler_url == "" then null else $bundler_url end)}'
}

stop_network() {
  [[ -z $BUNDLER_PID ]] || end_process "$BUNDLER_PID" 5
  [[ -z $NODE_PID ]] || end_process "$NODE_PID" 10
  BUNDLER_PID=
  NODE_PID=
}

# Takes down what a state directory names, if those processes still are what they were.
stop_recorded() {
  local state=$1
  [[ -e $state/devnet.json ]] || return 0
  NODE_PID=$(jq -r '.node_pid // empty' "$state/devnet.json")
  BUNDLER_PID=$(jq -r '.bundler_pid // empty' "$state/devnet.json")
  grep -qa anvil "/proc/${NODE_PID:-0}/cmdline" 2>/dev/null || NODE_PID=
  grep -qa alto "/proc/${BUNDLER_PID:-0}/cmdline" 2>/dev/null || BUNDLER_PID=
  stop_network
  rm -f "$state/devnet.json"
}

devnet_usage() {
  sed -n '/^#   /s/^#   //p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

devnet_main() {
  local command=${1-} port=8545 state='' signer='' bundler_port=''
  [[ $command =~ ^(start|serve|stop)$ ]] || devnet_usage
  shift
  while (($# > 1)); do
    case $1 in
    --port) port=$2 ;;
    --state) state=$2 ;;
    --signer) signer=$2 ;;
    --bundler-port) bundler_port=$2 ;;
    *) devnet_usage ;;
    esac
    shift 2
  done
  [[ $# == 0 && -n $state ]] || devnet_usage
  mkdir -p "$state"
  state=$(cd "$state" && pwd)
  if [[ $command == stop ]]; then
    stop_recorded "$state"
    return
  fi
  [[ $signer =~ ^0x[0-9A-Fa-f]{40}$ ]] || devnet_fail "--signer: not an address: '$signer'"
  trap 'stop_network' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  [[ $command == start ]] || DEVNET_GUARD=(setpriv --pdeathsig TERM)
  start_chain "$port" "$state" "$signer"
  [[ -z $bundler_port ]] || start_bundler "$bundler_port" "$state"
  describe "$signer" | tee "$state/devnet.json"
  if [[ $command == start ]]; then
    trap - EXIT
    return
  fi
  while IFS= read -r _; do :; done
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  devnet_main "$@"
fi
