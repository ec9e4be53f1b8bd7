#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Signs the TA for production with a key that never comes near the machine that compiles it.
#
#   sign_ta.sh digest --public PUBLIC.pem --version N --out FILE.dig
#       on the build machine: compiles the production TA (no plaintext import) for the public
#       key, and writes the digest that is to be signed, in base64
#   sign_ta.sh sign --key PRIVATE.pem --digest FILE.dig --out FILE.sig
#       on the machine that holds the key, which needs this script, openssl and nothing else;
#       a hardware module signs the same way: RSASSA-PSS, SHA-256, MGF1 with SHA-256, salt of
#       32 bytes
#   sign_ta.sh stitch --public PUBLIC.pem --version N --signature FILE.sig --out DIRECTORY
#       on the build machine: joins TA and signature, verifies the whole, writes UUID.ta
#
# Two more options of digest and stitch say what the device has, and must be the same for both:
#   --rndr yes                 its processor has the random number instruction RNDR; on one that has
#                              not, the TA dies at the first session
#   --tee-random-trusted yes   its OP-TEE takes random numbers from hardware, or is seeded by it
# --version is what OP-TEE's secure database keeps against a return to older TAs; raise it with
# each release. The device's OP-TEE must have been built with TA_PUBLIC_KEY=PUBLIC.pem.
# docs/optee.md has the whole procedure.
set -euo pipefail

cd_to_checkout() {
  CALLED_FROM=$PWD
  cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
}

fail() {
  printf 'sign_ta: %s\n' "$*" >&2
  exit 1
}

usage() {
  sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

# A path as the caller sees it.
absolute() {
  case $1 in
  /*) printf '%s' "$1" ;;
  *) printf '%s/%s' "${CALLED_FROM:-$PWD}" "$1" ;;
  esac
}

yes_or_no() {
  case $2 in
  yes) printf y ;;
  no) printf n ;;
  *) fail "$1 takes yes or no, not '$2'" ;;
  esac
}

parse() {
  PUBLIC='' VERSION='' OUT='' KEY='' DIGEST='' SIGNATURE='' RNDR=n TRUSTED=n
  while (($# > 1)); do
    case $1 in
    --public) PUBLIC=$(absolute "$2") ;;
    --version) VERSION=$2 ;;
    --out) OUT=$(absolute "$2") ;;
    --key) KEY=$(absolute "$2") ;;
    --digest) DIGEST=$(absolute "$2") ;;
    --signature) SIGNATURE=$(absolute "$2") ;;
    --rndr) RNDR=$(yes_or_no "$1" "$2") ;;
    --tee-random-trusted) TRUSTED=$(yes_or_no "$1" "$2") ;;
    *) fail "'$1' is no option of it" ;;
    esac
    shift 2
  done
  (($# == 0)) || usage
}

needs() {
  local name
  for name; do
    [[ ${!name} ]] || fail "--${name,,} is missing"
  done
}

check_public() {
  openssl rsa -pubin -in "$PUBLIC" -noout 2>/dev/null ||
    fail "--public: '$PUBLIC' is no RSA public key in PEM"
  # A private key here has no business, and OP-TEE's script would take it.
  ! grep -q PRIVATE "$PUBLIC" || fail "--public: '$PUBLIC' holds a private key"
  if ! [[ $VERSION =~ ^[0-9]{1,10}$ ]] || ((10#$VERSION >= 1 << 32)); then
    fail "--version: a number from 0 to 4294967295, not '$VERSION'"
  fi
}

# Sources build_optee_env.sh for the dev kit and what compiles the TA. The key that signs the
# intermediate .ta file is thrown away with it.
compile_production() {
  # shellcheck source=scripts/build_optee_env.sh
  source scripts/build_optee_env.sh
  build_optee >&2
  PRODUCTION=$OPTEE/ta-production
  SIGNER=$OPTEE/optee-os/export-ta_arm64/scripts/sign_encrypt.py
  compile_anew CFG_SR_TA_RNDR="$RNDR" CFG_SR_TA_TEE_RANDOM_TRUSTED="$TRUSTED"
}

# What the TA is compiled from. By content: Debian's sources keep old dates, by which make would
# keep older objects.
production_inputs() {
  printf '%s\n' "$@" "$(cat "$OPTEE/stamps/optee-os")"
  find ta src/eth "$OPTEE/source/libsecp256k1" -type f -print0 | LC_ALL=C sort -z |
    xargs -0 sha256sum
}

compile_anew() {
  local wanted
  wanted=$(production_inputs "$@" | sha256sum)
  [[ -e $PRODUCTION/$TA_UUID.stripped.elf ]] && stamped ta-production "$wanted" && return
  rm -rf "$PRODUCTION"
  compile_ta "$PRODUCTION" "$@" >"$LOGS/optee-ta-production.log" 2>&1 || {
    show_log "$LOGS/optee-ta-production.log"
    fail "the TA does not compile"
  }
  rm -f "$PRODUCTION/$TA_UUID.ta"
  stamp ta-production "$wanted"
}

signer() {
  local command=$1
  shift
  "$PYTHON" "$SIGNER" "$command" --uuid "$TA_UUID" --ta-version "$VERSION" --key "$PUBLIC" \
    --in "$PRODUCTION/$TA_UUID.stripped.elf" "$@"
}

digest() {
  needs PUBLIC VERSION OUT
  check_public
  cd_to_checkout
  compile_production
  signer digest --dig "$OUT"
  printf '%s is to be signed; keep this checkout as it is until the signature is back\n' "$OUT"
}

sign() {
  needs KEY DIGEST OUT
  local raw
  raw=$(base64 -d "$DIGEST" 2>/dev/null | wc -c) || raw=0
  ((raw == 32)) || fail "--digest: '$DIGEST' does not hold a SHA-256 digest in base64"
  base64 -d "$DIGEST" | openssl pkeyutl -sign -inkey "$KEY" -pkeyopt digest:sha256 \
    -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:digest -pkeyopt rsa_mgf1_md:sha256 |
    base64 -w 0 >"$OUT.new"
  mv "$OUT.new" "$OUT"
}

stitch() {
  needs PUBLIC VERSION SIGNATURE OUT
  check_public
  cd_to_checkout
  compile_production
  mkdir -p "$OUT"
  if ! { signer stitch --sig "$SIGNATURE" --out "$OUT/$TA_UUID.ta.new" &&
    "$PYTHON" "$SIGNER" verify --uuid "$TA_UUID" --key "$PUBLIC" --in "$OUT/$TA_UUID.ta.new"; } >&2
  then
    rm -f "$OUT/$TA_UUID.ta.new"
    fail "the signature is not this key's, or not of this TA and version"
  fi
  mv "$OUT/$TA_UUID.ta.new" "$OUT/$TA_UUID.ta"
  printf '%s/%s.ta is signed\n' "$OUT" "$TA_UUID"
}

command=${1-}
[[ -z $command ]] || shift
CALLED_FROM=$PWD
parse "$@"
case $command in
digest) digest ;;
sign) sign ;;
stitch) stitch ;;
*) usage ;;
esac
