#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Secure boot (AHAB) of the i.MX 93 with NXP's SPSDK: keys, signed image, fuses, closing.
#
#   secure-boot-imx93.sh all [OPTION]…      keys to write-command, and fuses (printed)
#   secure-boot-imx93.sh COMMAND [OPTION]…  one step:
#
#     keys           four super root keys (SRK), private halves in --keys
#     table          SRK table and SRK hash, from the public halves in --work
#     config         SPSDK's configurations, from --inputs
#     sign           signed containers and flash.bin
#     verify         flash.bin against the SRK hash, by openssl alone, then by SPSDK
#     write-command  prints how flash.bin comes onto the board
#     fuses          prints how the SRK hash comes into the fuses
#     status         asks the board for its life cycle, SRK hash and events
#     burn           burns the SRK hash. IRREVERSIBLE; asks for typed words
#     prove          after a boot of the signed image: fuses equal, no events
#     close          closes the device. IRREVERSIBLE; needs the proof, asks for typed words
#     check FILE…    looks through scripts and configurations for known mistakes
#
#   --work DIR            public keys, configurations, images, record (default: ./secure-boot)
#   --keys DIR            private keys; outside every checkout, readable for nobody else
#   --inputs DIR          ELE firmware, DDR firmware, SPL, TF-A, U-Boot, OP-TEE (tee.bin)
#   --image FILE          verify, write-command, prove, close: default flash.bin in --work
#   --curve P-384|P-521   keys (default P-384)
#   --encrypt             keys: private halves under a passphrase; sign: asks for it
#   --srk N               which key signs, 0 to 3 (default 0)
#   --signer TEXT         SPSDK's signature provider in place of a file: type=…;…
#   --revoke MASK         SRKs that the image revokes, bit N for key N (default 0)
#   --fuse-version N      rollback number of our containers (default 0)
#   --srk-hash HEX        the SRK hash that must come out, as boards in the field have it
#   --optee-conf FILE     conf.mk of OP-TEE's build: its settings are checked
#   --optee-elf FILE      tee.elf of that build: what seeds its random numbers is looked at
#   --ta-public-key PEM   the key that OP-TEE must trust for Trusted Applications
#   --tee-address N       where OP-TEE is linked and loaded (default 0x96000000)
#   --factory             an image that programs the RPMB key, for one boot in the factory
#   --family NAME         mimx9352, and nothing else
#   --port DEVICE         the board at U-Boot's prompt on a serial line; without it, fastboot
#   --record FILE         what was done, a JSON object a line (default: secure-boot.jsonl in --work)
#   --dry-run             needs neither board nor SPSDK nor root: shows every command and check,
#                         with examples for what is not there; changes nothing. Alone: of all
#
# `all` never burns and never closes. docs/secure-boot.md explains every step and refusal.
set -euo pipefail
shopt -s inherit_errexit

for tool in readlink dirname sed tr od cut head tail grep stat date realpath sha256sum mktemp \
  truncate basenc cat; do
  command -v "$tool" >/dev/null && continue
  printf 'secure-boot-imx93: the program %s is not on PATH (coreutils, sed, grep)\n' "$tool" >&2
  exit 1
done
SELF=$(readlink -f "${BASH_SOURCE[0]}")
HERE=$(dirname "$SELF")/board
# shellcheck source=scripts/board/lib.sh
source "$HERE/lib.sh"
# shellcheck source=scripts/board/bytes.sh
source "$HERE/bytes.sh"
# shellcheck source=scripts/board/srk.sh
source "$HERE/srk.sh"
# shellcheck source=scripts/board/inputs.sh
source "$HERE/inputs.sh"
# shellcheck source=scripts/board/image.sh
source "$HERE/image.sh"
# shellcheck source=scripts/board/ahab.sh
source "$HERE/ahab.sh"
# shellcheck source=scripts/board/ele.sh
source "$HERE/ele.sh"
# shellcheck source=scripts/board/mistakes.sh
source "$HERE/mistakes.sh"

PROGRAM=secure-boot-imx93
HINT='install SPSDK, of NXP: pip install spsdk, in a virtual environment that is on PATH'
readonly EXAMPLE_HASH=e24e6fbf6d421a38a490cd2e96cdf109ce52d65b5ffc2930d9ae161e8f45bf78
WORK=secure-boot KEYS='' INPUTS='' IMAGE='' CURVE='' ENCRYPT=0 SRK_INDEX=0 SIGNER='' REVOKE=0x0
FUSE_VERSION=0 EXPECTED_HASH='' OPTEE_CONF='' OPTEE_ELF='' TA_PUBLIC=''
TEE_ADDRESS=0x96000000 FACTORY=0 FAMILY=mimx9352 CONNECTION=() SRK_HASH='' IMAGE_HASH='' COMMAND=''
declare -A GIVEN=()

# ---- options ------------------------------------------------------------------------------

known_option() {
  [[ $(script_help "$SELF") == *$'\n'"  $1 "[A-Z]* ]] || usage_error "unknown option '$1'"
}

known_command() {
  [[ $COMMAND ]] || usage_error 'which command?'
  [[ $COMMAND == @(all|keys|table|config|sign|verify|write-command|fuses|status|burn|prove|close|\
check|help) ]] || usage_error "there is no command '$COMMAND'"
}

set_option() {
  case $1 in
  --work) WORK=$2 ;;
  --keys) KEYS=$2 ;;
  --inputs) INPUTS=$2 ;;
  --image) IMAGE=$2 ;;
  --curve) CURVE=$2 ;;
  --srk) SRK_INDEX=$2 ;;
  --signer) SIGNER=$2 ;;
  --revoke) REVOKE=$2 ;;
  --fuse-version) FUSE_VERSION=$2 ;;
  --srk-hash) EXPECTED_HASH=${2,,} ;;
  --optee-conf) OPTEE_CONF=$2 ;;
  --optee-elf) OPTEE_ELF=$2 ;;
  --ta-public-key) TA_PUBLIC=$2 ;;
  --tee-address) TEE_ADDRESS=$2 ;;
  --family) FAMILY=$2 ;;
  --port) CONNECTION=(--device uboot_serial --port "$2") ;;
  --record) RECORD=$2 ;;
  *) usage_error "unknown option '$1'" ;;
  esac
}

# The command may stand anywhere; what follows -- is no option.
parse() {
  local words=()
  while (($#)); do
    case $1 in
    --help | -h) script_help "$SELF" && exit 0 ;;
    --)
      words+=("${@:2}")
      break
      ;;
    --dry-run) DRY=1 ;;
    --encrypt) ENCRYPT=1 GIVEN[encrypt]=1 ;;
    --factory) FACTORY=1 GIVEN[factory]=1 ;;
    --yes | -y | --force) refuse no-yes "there is no $1: what cannot be undone wants typed words" ;;
    -*)
      known_option "$1"
      GIVEN[${1#--}]=1
      need_value "$@"
      set_option "$1" "$2"
      shift
      ;;
    *) words+=("$1") ;;
    esac
    shift
  done
  COMMAND=${words[0]:-} FILES=("${words[@]:1}")
}

in_range() {
  if ! [[ $2 =~ ^(0x[0-9A-Fa-f]{1,8}|0|[1-9][0-9]{0,9})$ ]] || (($2 < $3 || $2 > $4)); then
    usage_error "$1: a number from $3 to $4, not '$2'"
  fi
}

check_options() {
  [[ $FAMILY == mimx9352 ]] || refuse wrong-family "--family $FAMILY: this is for the i.MX 93, \
mimx9352. Other families have other containers, other fuses, another close command"
  in_range --srk "$SRK_INDEX" 0 3
  in_range --revoke "$REVOKE" 0 15
  in_range --fuse-version "$FUSE_VERSION" 0 255
  in_range --tee-address "$TEE_ADDRESS" $((0x80000000)) $((0xffffffff))
  [[ ! $EXPECTED_HASH || $EXPECTED_HASH =~ ^[0-9a-f]{64}$ ]] ||
    usage_error "--srk-hash: 64 hexadecimal digits"
  # 0x2 is 2: these come into names of files
  SRK_INDEX=$((SRK_INDEX)) FUSE_VERSION=$((FUSE_VERSION))
  printf -v REVOKE '0x%x' "$REVOKE"
  plain_path --work "$WORK"
  [[ ! $KEYS ]] || plain_path --keys "$KEYS"
  IMAGE=${IMAGE:-$WORK/flash.bin}
}

# A directory, a record and nobody else in it, before anything is done.
open_work() {
  local record=${RECORD:-$WORK/secure-boot.jsonl}
  check_directory --work "$WORK"
  if ((!DRY)); then
    mkdir -p -- "$WORK" || fail "--work: '$WORK' cannot be made"
    only_one "$WORK"
  fi
  RECORD=$record
  check_record
}

# The set's own curve, where there is a set.
find_curve() {
  local text
  if [[ -s $WORK/srk/srk0.pub ]]; then require_tool openssl; fi
  if [[ ! $CURVE && -s $WORK/srk/srk0.pub ]]; then
    text=$(openssl pkey -pubin -in "$WORK/srk/srk0.pub" -noout -text 2>/dev/null) || text=''
    [[ ! $text =~ 'NIST CURVE: '(P-[0-9]+) ]] || CURVE=${BASH_REMATCH[1]}
  fi
  CURVE=${CURVE:-P-384}
  curve_facts "$CURVE"
}

# KEYS or INPUTS; a dry run has an example, outside every checkout.
need() {
  local name
  for name; do
    [[ ${!name} ]] || { ((DRY)) && printf -v "$name" '%s' "/media/example/${name,,}"; } ||
      usage_error "--${name,,} is missing"
  done
}

# ---- steps --------------------------------------------------------------------------------

# What later steps need of the hash: the table's, or what was given, or an example.
know_hash() {
  SRK_HASH=${EXPECTED_HASH:-$EXAMPLE_HASH}
  if ((!DRY)) || [[ -s $WORK/srk/srk0.pub ]]; then make_table; fi
}

step_keys() {
  need KEYS
  make_keys
}

step_table() {
  SRK_HASH=${EXPECTED_HASH:-$EXAMPLE_HASH}
  make_table
}

step_config() {
  [[ $SIGNER ]] || need KEYS
  need INPUTS
  [[ ! $KEYS ]] || check_key_directory "$KEYS"
  check_inputs
  write_configs
}

step_sign() {
  [[ $SIGNER ]] || need KEYS
  [[ $SRK_HASH ]] || know_hash
  have configuration "$WORK/flash.yaml" || true
  sign_image
  step_verify
}

step_verify() {
  [[ $SRK_HASH ]] || know_hash
  verify_image
  if ((DRY)) || command -v nxpimage >/dev/null; then
    run nxpimage bootable-image verify --family "$FAMILY" --mem-type serial_downloader --problems \
      --binary "$IMAGE"
  fi
}

# Whatever touches the board has looked at the very image first.
with_image() {
  know_hash
  verify_image
  "$1"
}

step_fuses() {
  [[ $SRK_HASH ]] || know_hash
  show_fuses
}

step_all() {
  # a set is made once: another one would be of no use to the boards that have the first one's hash
  if [[ -s $WORK/srk/srk3.pub ]]; then say "The SRK set in $WORK is kept."; else step_keys; fi
  step_table
  step_config
  step_sign
  write_commands
  step_fuses
  if ((DRY)); then
    stage 'What follows are commands of their own, which all never runs: burn, prove, close'
    burn_fuses
    prove_boot
    RECORD='' close_device
    say $'\nDry run: nothing was done, and no device was touched.'
  else
    say $'\nThe device is as it was. Write the image, then burn, power off and on, prove, close.'
  fi
}

main() {
  if ((!$#)); then script_help "$SELF" >&2 && exit 2; fi
  parse "$@"
  [[ $COMMAND || $DRY == 0 ]] || COMMAND=all
  known_command
  [[ $COMMAND == check ]] || ((${#FILES[@]} == 0)) || usage_error "unexpected '${FILES[0]}'"
  if [[ $COMMAND == help ]]; then script_help "$SELF" && exit 0; fi
  check_options
  [[ $COMMAND == check ]] || open_work
  find_curve
  case $COMMAND in
  all) step_all ;;
  keys) step_keys ;;
  table) step_table ;;
  config) step_config ;;
  sign) compare_config && step_sign ;;
  verify) step_verify ;;
  write-command) write_commands ;;
  fuses) step_fuses ;;
  status) SRK_HASH=${EXPECTED_HASH:-$EXAMPLE_HASH} && show_status ;;
  burn) with_image burn_fuses ;;
  prove) with_image prove_boot ;;
  close) with_image close_device ;;
  check) check_files "${FILES[@]}" ;;
  esac
}

main "$@"
