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

HERE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/board
# shellcheck source=scripts/board/lib.sh
source "$HERE/lib.sh"
# shellcheck source=scripts/board/bytes.sh
source "$HERE/bytes.sh"
# shellcheck source=scripts/board/closed.sh
source "$HERE/closed.sh"
# shellcheck source=scripts/board/record.sh
source "$HERE/record.sh"

PROGRAM=provision
HINT='install mmc-utils'
readonly WAITING=4
readonly EXAMPLE_KEY=0x04…
DIR=/var/lib/super-relay/provisioning OPERATOR='' GROUP=super-relay RUN_AS=super-relay
CONFIG=${SUPER_RELAY_CONFIG:-} BOOT_RECORD='' UID_FILE=/sys/devices/soc0/serial_number
FUSES_FILE=/sys/bus/nvmem/devices/fsb_s400_fuse0/nvmem RPMB_DEVICE=/dev/mmcblk0rpmb
ROLLBACK=1000 POLICY_VERSION=1 UNTIL=record RESUME=0 SIMULATOR=0 STATUS='' COUNTER=''
IDS=() BOARD_UID=''
declare -A USAGE=() POLICY=() SHOWN=()

# ---- options ------------------------------------------------------------------------------

add_key() {
  [[ $1 =~ ^([A-Za-z0-9._-]{1,64})=(sponsor|transaction|digest)$ ]] ||
    usage_error "--key: expected ID=sponsor, ID=transaction or ID=digest, not '$1'"
  [[ ! ${USAGE[${BASH_REMATCH[1]}]:-} ]] || usage_error "--key: '${BASH_REMATCH[1]}' comes twice"
  IDS+=("${BASH_REMATCH[1]}")
  USAGE[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
}

add_policy() {
  [[ $1 =~ ^([A-Za-z0-9._-]{1,64})=(.+)$ ]] || usage_error "--policy: expected ID=FILE, not '$1'"
  POLICY[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
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
    --help | -h) script_help "$0" && exit 0 ;;
    *)
      (($# > 1)) || usage_error "'$1' is no option, or needs a value"
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
  [[ $UNTIL == @(closed|rpmb|operator|keys|policies|record) ]] ||
    usage_error "--until: closed, rpmb, operator, keys, policies or record, not '$UNTIL'"
}

# ---- super-relay --------------------------------------------------------------------------

# What asks the TA runs as the relay's user, since the audit log and the simulator's store are his.
set_relay() {
  PLAIN=("${SUPER_RELAY_BIN:-super-relay}")
  RELAY=("${PLAIN[@]}")
  if ((EUID == 0 && !SIMULATOR && !DRY)); then
    getent passwd "$RUN_AS" >/dev/null || fail "--user: there is no user '$RUN_AS'"
    RELAY=(runuser -u "$RUN_AS" -- "${RELAY[@]}")
  fi
  WITH_CONFIG=()
  [[ ! $CONFIG ]] || WITH_CONFIG=(--config "$CONFIG")
  ((!SIMULATOR)) || ROLLBACK=0
}

# Its answer, in ANSWER; what it says against it goes to the screen.
answer_of() {
  local said=''
  ANSWER=''
  ((DRY)) && return 0
  said=$("$@" </dev/null) ||
    fail "super-relay did not: see above. Nothing after this was done; mend it, then --resume"
  ANSWER=$said
}

# What needs no TEE: reads and writes files of this directory, as whoever runs this.
ask() {
  printf '  $ %s\n' "$(quoted super-relay "$@")"
  answer_of "${PLAIN[@]}" "$@" --json
}

tell() {
  printf '  $ %s\n' "$(quoted super-relay "$@" "${WITH_CONFIG[@]}")"
  answer_of "${RELAY[@]}" "$@" "${WITH_CONFIG[@]}" --json
}

# Whole or not at all, so that a cut leaves no half of a file.
keep() {
  ((DRY)) && return 0
  if ! printf '%s\n' "$2" >"$1.new" || ! mv "$1.new" "$1"; then fail "'$1' cannot be written"; fi
}

# What the TA says of itself, or of a key, now: TA_SAYS, and the statement itself in ANSWER.
attest() {
  local statement=$DIR/now.statement
  tell attest "$@"
  keep "$statement" "$ANSWER"
  SIGNED=$ANSWER
  ask attest verify "$statement" --pin "$DIR/ta.pin"
  TA_SAYS=$ANSWER
  ((DRY)) || rm -f "$statement"
}

# ---- signed elsewhere ---------------------------------------------------------------------

MISSING=()

# Says what is to be signed when the signature is not there yet.
want_signature() {
  local file=$DIR/$1
  shift
  [[ ! -s $file ]] || return 0
  MISSING+=("super-relay operator sign $* --key operator.key --out ${file##*/}")
}

wait_for_signatures() {
  local line
  ((${#MISSING[@]})) || return 0
  printf '\n  On the operator'"'"'s machine, with the statements of %s:\n\n' "$DIR"
  for line in "$@"; do printf '    %s\n' "$line"; done
  for line in "${MISSING[@]}"; do printf '    %s\n' "$line"; done
  MISSING=()
  printf '\n  Bring the signed files into %s, and run this again with --resume.\n' "$DIR"
  ((DRY)) || exit "$WAITING"
}

# ---- steps --------------------------------------------------------------------------------

# One plan a directory: another operator, another policy or another key is another commissioning.
check_plan() {
  local id plan
  plan="operator $OPERATOR_KEY group $GROUP version $POLICY_VERSION simulator $SIMULATOR"
  for id in "${IDS[@]}"; do
    plan+=$'\n'"key $id ${USAGE[$id]} $([[ ! -s ${POLICY[$id]} ]] || sha256_of "${POLICY[$id]}")"
  done
  ((DRY)) && return 0
  umask 022
  mkdir -p "$DIR" || fail "--dir: '$DIR' cannot be made"
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
  ((10#$level >= 10#$ROLLBACK)) || refuse rollback "the TA's storage has the rollback level $level, \
and --rollback asks for $ROLLBACK: OP-TEE does not keep it in RPMB (CFG_RPMB_FS, tee-supplicant with RPMB_EMU=OFF)"
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
  say "  attestation key $(json_field attestationKey "$TA_SAYS")"
  say "  audit key       $(json_field auditKey "$TA_SAYS")"
  operator=$(json_field operator "$TA_SAYS")
  if [[ $operator ]]; then
    [[ $operator == "0x$OPERATOR_KEY" ]] || refuse other-operator "the TA obeys $operator already, \
and takes no other operator until its storage is erased, keys and all"
    passed "the operator is $operator already"
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
  tell provision --operator "$OPERATOR" --signature "$DIR/provision.signature" \
    $(callers "$GROUP") --force-audit
  attest
  ((DRY)) || [[ $(json_field operator "$TA_SAYS") == "0x$OPERATOR_KEY" ]] ||
    fail 'the TA says that it was provisioned, and attests another operator'
  passed "the operator is 0x$OPERATOR_KEY"
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
    passed "key $id is there already"
  else
    tell keys generate "$id" --usage "${USAGE[$id]}"
  fi
  attest "$id"
  must_say "$id" usage "${USAGE[$id]}"
  must_say "$id" origin generated
  must_say "$id" operator "0x$OPERATOR_KEY"
  SHOWN[$id]=$(json_field publicKey "$TA_SAYS")
  [[ -e $DIR/$id.new-key.statement ]] || keep "$DIR/$id.new-key.statement" "$SIGNED"
  passed "key $id: ${SHOWN[$id]:-$EXAMPLE_KEY}"
}

step_keys() {
  local id
  stage '4 of 6, keys: made inside the TA, and attested'
  for id in "${IDS[@]}"; do step_key "$id"; done
}

# Whether the key has this very policy; with another one there is nothing to commission.
policy_is_set() {
  local id=$1 digest
  ask policy digest "${POLICY[$id]}"
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
      passed "key $id has this policy already"
      continue
    fi
    todo+=("$id")
    verify+=("super-relay attest verify $id.new-key.statement --pin ta.pin")
    want_signature "$id.policy.signature" policy "$id" --public-key "${SHOWN[$id]:-$EXAMPLE_KEY}" \
      --file "${POLICY[$id]##*/}" --version "$POLICY_VERSION"
  done
  wait_for_signatures "${verify[@]}"
  for id in "${todo[@]}"; do
    tell policy set "$id" --file "${POLICY[$id]}" --version "$POLICY_VERSION" \
      --signature "$DIR/$id.policy.signature"
    passed "key $id has policy version $POLICY_VERSION"
  done
}

main() {
  local step
  parse "$@"
  check_options
  set_relay
  check_plan
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
    say "done  $step"
    [[ $step != "$UNTIL" ]] || return 0
  done
}

main "$@"
