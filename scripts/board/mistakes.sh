# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Reads deployment scripts and configurations for mistakes that have been published as
# instructions. Sourced, after lib.sh.

MISTAKES=0

# Lines that fit, and why each is a mistake. Comments count, too: they are copied from.
look_for() {
  local file=$1 name=$2 pattern=$3 why=$4 hits
  hits=$(grep -nE -- "$pattern" "$file") || return 0
  MISTAKES=$((MISTAKES + 1))
  printf '%s: [%s] in %s: %s\n' "$PROGRAM" "$name" "$file" "$why" >&2
  while IFS= read -r line; do printf '    line %s\n' "$line" >&2; done <<<"$hits"
}

check_file() {
  local file=$1
  [[ -r $file && ! -d $file ]] || fail "check: '$file' cannot be read"
  look_for "$file" optee-platform 'mx8mqevk|imx8mqevk' \
    "that is another chip's OP-TEE; here it is PLATFORM=imx-mx93evk"
  look_for "$file" dd-optee '\bdd\b.*(tee[a-z_-]*\.bin|optee|seek=2048)' \
    "nothing reads OP-TEE from a place of its own on the eMMC, and what is written there may \
overwrite what is signed. OP-TEE is inside the signed u-boot-atf container of flash.bin"
  look_for "$file" ta-owner 'chown +[^ ]*optee' \
    "there is no such user, and it would protect nothing: a TA is protected by its signature. \
0444 root:root"
  look_for "$file" teepriv '(device|path)["'\'']? *[:=]? *["'\'']?/dev/teepriv[0-9]' \
    "/dev/teepriv0 is tee-supplicant's; clients open /dev/tee0"
  look_for "$file" rpmb-test-key 'CFG_RPMB_TEST_?KEY *\??= *"?y' \
    "the test key is public, and an RPMB key is programmed once"
  look_for "$file" optee-insecure 'CFG_INSECURE *\??= *"?y' \
    "secrets of the hardware become constants"
  look_for "$file" close-unproven '^[^#]*(ahab_close|forward-lifecycle-update)' \
    "a script must not close a device: it is done once, by a person, after the signed image has \
started without events. secure-boot-imx93.sh close asks for that"
}

check_files() {
  local file
  (($#)) || usage_error 'check: expected files'
  for file; do check_file "$file"; done
  ((MISTAKES == 0)) || refuse mistakes "$MISTAKES kinds of mistakes, see above"
  passed "none of the known mistakes in $*"
}
