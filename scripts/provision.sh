#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Provisions a board, on the board, in the only order that is right: closed device, RPMB key,
# operator, keys, policies, record. What is done already is checked and left as it is.
#
#   provision.sh --operator FILE.pub --key ID=USAGE… --policy ID=FILE… [OPTION]…
#
#   --operator FILE.pub   the operator's PUBLIC key; the private one never comes near this machine
#   --key ID=USAGE        a key to make: sponsor, transaction or digest; as often as there are keys
#   --policy ID=FILE      what that key may sign (TOML)
#   --policy-version N    the version of these policies (default 1)
#   --group NAME          who may call the TA (default super-relay)
#   --user NAME           as whom super-relay is run when this runs as root (default super-relay)
#   --config FILE         the relay's configuration (default $SUPER_RELAY_CONFIG)
#   --dir DIR             statements, signatures, record (default /var/lib/super-relay/provisioning)
#   --boot-record FILE    the record of secure-boot-imx93.sh, which says that the device is closed
#   --uid-file FILE       where the kernel tells the chip's number
#   --fuses-file FILE     where the kernel shows the fuses, if it does
#   --rpmb-device FILE    default /dev/mmcblk0rpmb
#   --rollback N          the rollback level that the TA must have (default 1000)
#   --until STEP          stop after closed, rpmb, operator, keys or policies
#   --resume              go on with what was begun
#   --simulator           development: the simulator, which has no device and no RPMB to check
#   --dry-run             needs neither board nor super-relay: shows every command and check
#
# Where the operator has to sign, it prints what is to be run on the operator's machine, and ends
# with status 4; bring the signed file into --dir, and run it again with --resume.
# $SUPER_RELAY_BIN is the program (default: super-relay). docs/provisioning.md has the whole.
set -euo pipefail
shopt -s inherit_errexit

for tool in readlink dirname sed tr od cut cat stat date sha256sum mktemp basenc; do
  command -v "$tool" >/dev/null && continue
  printf 'provision: the program %s is not on PATH (coreutils, sed)\n' "$tool" >&2
  exit 1
done
SELF=$(readlink -f "${BASH_SOURCE[0]}")
HERE=$(dirname "$SELF")/board
# shellcheck source=scripts/board/lib.sh
source "$HERE/lib.sh"
# shellcheck source=scripts/board/bytes.sh
source "$HERE/bytes.sh"
# shellcheck source=scripts/board/closed.sh
source "$HERE/closed.sh"
# shellcheck source=scripts/board/relay.sh
source "$HERE/relay.sh"
# shellcheck source=scripts/board/record.sh
source "$HERE/record.sh"

PROGRAM=provision
HINT='docs/provisioning.md names what a board has to have'
readonly WAITING=4
readonly EXAMPLE_KEY=0x04...
DIR=/var/lib/super-relay/provisioning OPERATOR='' GROUP=super-relay RUN_AS=super-relay
CONFIG=${SUPER_RELAY_CONFIG:-} BOOT_RECORD='' UID_FILE=/sys/devices/soc0/serial_number
FUSES_FILE=/sys/bus/nvmem/devices/fsb_s400_fuse0/nvmem RPMB_DEVICE=/dev/mmcblk0rpmb
ROLLBACK=1000 POLICY_VERSION=1 UNTIL=record RESUME=0 SIMULATOR=0 STATUS='' COUNTER=''
IDS=() BOARD_UID=''
declare -A USAGE=() POLICY=() SHOWN=()

# ---- options ------------------------------------------------------------------------------

add_key() {
  [[ $1 =~ ^([A-Za-z0-9._][A-Za-z0-9._-]{0,63})=(sponsor|transaction|digest)$ ]] ||
    usage_error "--key: expected ID=sponsor, ID=transaction or ID=digest, not '$1'"
  # files of --dir have these names
  [[ ${BASH_REMATCH[1]} != @(ta|now|*.new-key) ]] ||
    usage_error "--key: '${BASH_REMATCH[1]}' is a name of this script's own; take another"
  [[ ! ${USAGE[${BASH_REMATCH[1]}]:-} ]] || usage_error "--key: '${BASH_REMATCH[1]}' comes twice"
  IDS+=("${BASH_REMATCH[1]}")
  USAGE[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
}

# A file whose name begins like an option's.
no_option() {
  case $1 in
  -*) printf './%s' "$1" ;;
  *) printf '%s' "$1" ;;
  esac
}

add_policy() {
  [[ $1 =~ ^([A-Za-z0-9._][A-Za-z0-9._-]{0,63})=(.+)$ ]] ||
    usage_error "--policy: expected ID=FILE, not '$1'"
  [[ ! ${POLICY[${BASH_REMATCH[1]}]:-} ]] ||
    usage_error "--policy: '${BASH_REMATCH[1]}' comes twice"
  POLICY[${BASH_REMATCH[1]}]=$(no_option "${BASH_REMATCH[2]}")
}

set_option() {
  case $1 in
  --operator) OPERATOR=$2 ;;
  --operator-key) refuse operator-private "there is no --operator-key here: the operator's private \
key on the relay's machine lets whoever takes that machine loosen every policy. Sign elsewhere" ;;
  --key) add_key "$2" ;;
  --policy) add_policy "$2" ;;
  --policy-version) POLICY_VERSION=$2 ;;
  --group) GROUP=$2 ;;
  --user) RUN_AS=$2 ;;
  --config) CONFIG=$2 ;;
  --dir) DIR=$2 ;;
  --boot-record) BOOT_RECORD=$2 ;;
  --uid-file) UID_FILE=$2 ;;
  --fuses-file) FUSES_FILE=$2 ;;
  --rpmb-device) RPMB_DEVICE=$2 ;;
  --rollback) ROLLBACK=$2 ;;
  --until) UNTIL=$2 ;;
  *) usage_error "unknown option '$1'" ;;
  esac
}

parse() {
  while (($#)); do
    case $1 in
    --dry-run) DRY=1 ;;
    --resume) RESUME=1 ;;
    --simulator) SIMULATOR=1 ;;
    --help | -h) script_help "$SELF" && exit 0 ;;
    *)
      [[ $1 == --* ]] || usage_error "'$1' is no option"
      need_value "$@"
      set_option "$1" "$2"
      shift
      ;;
    esac
    shift
  done
}

# Both halves are 64 hexadecimal digits; only the name tells them apart.
check_operator() {
  [[ $OPERATOR ]] || { ((DRY)) && OPERATOR=example/operator.key.pub; } ||
    usage_error '--operator FILE.pub is missing'
  [[ $OPERATOR == *.pub ]] || refuse operator-private \
    "--operator '$OPERATOR' is not named .pub. If this is the private key, it has been on this \
machine now: make another, and take only its .pub here"
  [[ ! -e ${OPERATOR%.pub} ]] || ((SIMULATOR)) || refuse operator-private \
    "'${OPERATOR%.pub}' lies on this machine: the operator's private key. Make another elsewhere"
  OPERATOR_KEY=example
  have operator "$OPERATOR" || return 0
  OPERATOR_KEY=$(tr -d ' \n' <"$OPERATOR")
  [[ $OPERATOR_KEY =~ ^[0-9a-f]{64}$ ]] || fail "$OPERATOR: expected 64 hexadecimal digits"
}

check_options() {
  local id
  check_operator
  ((${#IDS[@]})) || { ((DRY)) && add_key primary=sponsor; } ||
    usage_error '--key ID=USAGE is missing'
  for id in "${!POLICY[@]}"; do
    [[ ${USAGE[$id]:-} ]] || usage_error "--policy: there is no --key $id=…"
  done
  for id in "${IDS[@]}"; do
    [[ ${POLICY[$id]:-} ]] || { ((DRY)) && POLICY[$id]=example/$id.toml; } ||
      usage_error "--policy $id=FILE is missing: a key without a policy signs nothing"
    have "--policy $id" "${POLICY[$id]}" || true
  done
  [[ $POLICY_VERSION =~ ^[1-9][0-9]{0,8}$ && $ROLLBACK =~ ^[0-9]{1,5}$ ]] ||
    usage_error '--policy-version and --rollback take numbers'
  [[ $GROUP =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]*$ ]] || usage_error "--group: a name, not '$GROUP'"
  [[ $UNTIL == @(closed|rpmb|operator|keys|policies|record) ]] ||
    usage_error "--until: closed, rpmb, operator, keys, policies or record, not '$UNTIL'"
}

# ---- steps --------------------------------------------------------------------------------

# Before anything is begun: a policy that is none would be found out only after the operator and the
# keys, and the plan would hold to it.
check_policies() {
  local id command
  for id in "${IDS[@]}"; do
    command=("${PLAIN[@]}" policy digest "${POLICY[$id]}" --json)
    printf '  $ %s\n' "$(quoted "${command[@]}")"
    ((DRY)) || "${command[@]}" >/dev/null </dev/null ||
      fail "--policy $id: '${POLICY[$id]}' is none, see above. Nothing was begun"
  done
}

# The relay's user need not be allowed to read where these came from, and what was decided stays
# beside the record of it.
keep_inputs() {
  local id
  ((DRY)) || whole_file "$DIR/operator.key.pub" <<<"$OPERATOR_KEY"
  for id in "${IDS[@]}"; do
    ((DRY)) || whole_file "$DIR/$id.toml" <"${POLICY[$id]}"
  done
}

# One plan a directory: another operator, another policy or another key is another commissioning.
check_plan() {
  local id plan
  plan="operator $OPERATOR_KEY group $GROUP version $POLICY_VERSION simulator $SIMULATOR"
  for id in "${IDS[@]}"; do
    plan+=$'\n'"key $id ${USAGE[$id]} $([[ ! -s ${POLICY[$id]} ]] || sha256_of "${POLICY[$id]}")"
  done
  check_directory --dir "$DIR"
  ((DRY)) && return 0
  [[ -e $DIR/plan ]] || ((!RESUME)) || refuse not-begun \
    "nothing was begun in '$DIR': is it the right --dir? To begin, leave --resume out"
  # not made here: root would make it where the state's partition belongs, and for root alone
  [[ -d $(dirname -- "$DIR") ]] || fail "--dir: '$(dirname -- "$DIR")' is not there. Is the \
partition of the state mounted? The relay's service makes its directory when it is first started"
  mkdir -p -- "$DIR" || fail "--dir: '$DIR' cannot be made"
  only_one "$DIR"
  if [[ ! -e $DIR/plan ]]; then
    keep "$DIR/plan" "$plan"
    return 0
  fi
  [[ $(<"$DIR/plan") == "$plan" ]] || refuse plan-changed "$DIR was begun with another operator, \
other keys or other policies; see $DIR/plan. Give the same again, or another --dir"
  ((RESUME)) || [[ -e $DIR/record.json ]] || refuse begun \
    "provisioning was begun in $DIR and is not finished: go on with --resume"
}

check_ta() {
  local build level
  ((DRY)) && return 0
  build=$(json_field build "$TA_SAYS")
  [[ $build == production ]] || ((SIMULATOR)) || refuse development-build "this TA is a $build \
build: it takes keys in the clear. Install the production build, signed with sign_ta.sh"
  [[ $build == development ]] || ((!SIMULATOR)) ||
    refuse not-simulator '--simulator, and the TA is a production build: this is no simulator'
  level=$(json_field rollbackProtection "$TA_SAYS")
  [[ $level =~ ^[0-9]{1,5}$ ]] || fail 'the TA attests no rollback level'
  ((10#$level >= 10#$ROLLBACK)) || refuse rollback "the TA's storage has the rollback level \
$level, and --rollback asks for $ROLLBACK: OP-TEE does not keep it in RPMB (CFG_RPMB_FS, \
tee-supplicant with RPMB_EMU=OFF)"
}

group_number() {
  local line
  if ((DRY)); then
    printf 998
  else
    line=$(getent group "$GROUP") || fail "--group: there is no group '$GROUP' on this machine"
    cut -d : -f 3 <<<"$line"
  fi
}

# Before there is an operator anybody who reaches the TEE may use the keys in it.
check_no_keys_yet() {
  tell keys list
  [[ $ANSWER != *'"id":'* ]] || refuse keys-before-operator "the TA has keys, and no operator: \
they could be used without a policy until now, and nobody knows by whom. Delete them \
(super-relay keys delete), then come back"
}

callers() {
  if ((SIMULATOR)); then printf '%s' --development; else printf -- '--group %s' "$1"; fi
}

step_operator() {
  local operator flags number=''
  stage '3 of 6, operator: the TA takes orders from this operator alone'
  attest
  check_ta
  ((DRY)) || say "  attestation key $(json_field attestationKey "$TA_SAYS")"
  ((DRY)) || say "  audit key       $(json_field auditKey "$TA_SAYS")"
  operator=$(json_field operator "$TA_SAYS")
  if [[ $operator ]]; then
    [[ $operator == "0x$OPERATOR_KEY" ]] || refuse other-operator "the TA obeys $operator already, \
and takes no other operator until its storage is erased, keys and all"
    answered "the operator is $operator already"
    return 0
  fi
  check_no_keys_yet
  [[ -e $DIR/ta.statement ]] || keep "$DIR/ta.statement" "$SIGNED"
  ((SIMULATOR)) || number=$(group_number)
  flags=$(callers "$number")
  # shellcheck disable=SC2086 # one or two words
  want_signature provision.signature provision $flags --force-audit
  wait_for_signatures 'super-relay attest verify ta.statement --pin ta.pin  # compare the keys'
  # shellcheck disable=SC2046
  tell provision --operator "$DIR/operator.key.pub" --signature "$DIR/provision.signature" \
    $(callers "$GROUP") --force-audit
  attest
  ((DRY)) || [[ $(json_field operator "$TA_SAYS") == "0x$OPERATOR_KEY" ]] ||
    fail 'the TA says that it was provisioned, and attests another operator'
  answered "the operator is 0x$OPERATOR_KEY"
}

must_say() {
  local value
  ((DRY)) && return 0
  value=$(json_field "$2" "$TA_SAYS")
  [[ $value == "$3" ]] || refuse other-key "key '$1' has $2 '$value', and it should be '$3': it \
was made by other means. Find out who made it; delete it, or choose another id"
}

step_key() {
  local id=$1
  tell keys list
  if [[ $ANSWER == *"\"id\":\"$id\""* ]]; then
    answered "key $id is there already"
  else
    tell keys generate "$id" --usage "${USAGE[$id]}"
  fi
  attest "$id"
  must_say "$id" usage "${USAGE[$id]}"
  must_say "$id" origin generated
  must_say "$id" operator "0x$OPERATOR_KEY"
  SHOWN[$id]=$(json_field publicKey "$TA_SAYS")
  [[ -e $DIR/$id.new-key.statement ]] || keep "$DIR/$id.new-key.statement" "$SIGNED"
  answered "key $id: ${SHOWN[$id]:-$EXAMPLE_KEY}"
}

# A statement of a key that was deleted since would have the operator compare what is gone.
fresh_statement() {
  local file=$DIR/$1.new-key.statement
  ask attest verify "$file" --pin "$DIR/ta.pin"
  ((DRY)) && return 0
  [[ $(json_field publicKey "$ANSWER") != "${SHOWN[$1]}" ]] || return 0
  attest "$1"
  keep "$file" "$SIGNED"
}

step_keys() {
  local id
  stage '4 of 6, keys: made inside the TA, and attested'
  for id in "${IDS[@]}"; do step_key "$id"; done
}

# Whether the key has this very policy; with another one there is nothing to commission.
policy_is_set() {
  local id=$1 digest
  ask policy digest "$DIR/$id.toml"
  digest=$(json_field digest "$ANSWER")
  tell policy show "$id"
  ((DRY)) && return 1
  [[ $(json_field version "$ANSWER") != 0 ]] || return 1
  [[ $(json_field digest "$ANSWER") == "$digest" ]] || refuse other-policy "key '$id' has another \
policy, of version $(json_field version "$ANSWER"). Changing one is no commissioning: \
super-relay policy set, with a higher version"
}

step_policies() {
  local id verify=() todo=()
  stage '5 of 6, policies: what each key may sign'
  for id in "${IDS[@]}"; do
    if policy_is_set "$id"; then
      answered "key $id has this policy already"
      continue
    fi
    todo+=("$id")
    verify+=("super-relay attest verify $id.new-key.statement --pin ta.pin")
    fresh_statement "$id"
    want_signature "$id.policy.signature" policy "$id" --public-key "${SHOWN[$id]:-$EXAMPLE_KEY}" \
      --file "${POLICY[$id]##*/}" --version "$POLICY_VERSION"
  done
  wait_for_signatures "${verify[@]}"
  for id in "${todo[@]}"; do
    tell policy set "$id" --file "$DIR/$id.toml" --version "$POLICY_VERSION" \
      --signature "$DIR/$id.policy.signature"
    answered "key $id has policy version $POLICY_VERSION"
  done
}

main() {
  local step
  parse "$@"
  check_options
  set_relay
  check_policies
  check_plan
  keep_inputs
  for step in closed rpmb operator keys policies record; do
    case $step in
    closed | rpmb)
      if ((SIMULATOR)); then
        say "NOT CHECKED: $step; the simulator protects nothing"
      else
        "check_$step"
      fi
      ;;
    *) "step_$step" ;;
    esac
    ((DRY)) || say "done  $step"
    [[ $step != "$UNTIL" ]] || break
  done
  ((!DRY)) || say $'\nDry run: nothing was done.'
}

main "$@"
