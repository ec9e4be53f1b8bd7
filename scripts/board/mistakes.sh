# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Reads deployment scripts and configurations for mistakes that have been published as
# instructions. Sourced, after lib.sh.

MISTAKES=0
# make's =, :=, ?=, +=, and YAML's colon
readonly SET_TO_Y=' *[:?+]*[=:] *["'"'"']?y'

# Any hexadecimal number but OP-TEE's address, as a pattern.
other_address() {
  local text at out=''
  printf -v text '%x' "$TEE_ADDRESS"
  for ((at = 0; at < ${#text}; at++)); do out+="|${text:0:at}([^${text:at:1}]|$)"; done
  printf '(%s|%s[0-9a-fA-F])' "${out#|}" "$text"
}

# Lines that fit, and why each is a mistake. Comments count, too: they are copied from.
look_for() {
  local file=$1 name=$2 pattern=$3 why=$4 hits
  hits=$(grep -anE -- "$pattern" "$file") || return 0
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
  look_for "$file" ta-owner 'chown +(-[^ ]+ +)*[^ ]*optee|install .*-o +optee' \
    "there is no such user, and it would protect nothing: a TA is protected by its signature. \
0444 root:root"
  look_for "$file" teepriv \
    '((device|path|open *\()["'\'']? *[:=]?|^ *-) *["'\'']?/dev/teepriv[0-9]' \
    "/dev/teepriv0 is tee-supplicant's; clients open /dev/tee0"
  look_for "$file" rpmb-test-key "CFG_RPMB_TEST_?KEY$SET_TO_Y" \
    "the test key is public, and an RPMB key is programmed once"
  look_for "$file" optee-insecure "CFG_INSECURE$SET_TO_Y" \
    "secrets of the hardware become constants"
  ((FACTORY)) || look_for "$file" rpmb-write-key "CFG_RPMB_WRITE_KEY$SET_TO_Y" \
    "an image that programs RPMB keys belongs into the factory, for one boot: --factory"
  look_for "$file" tee-address "CFG_TZDRAM_START *[:?+]*[=:] *[\"']?0x0*$(other_address)" \
    "the container loads OP-TEE at $(printf '0x%x' "$TEE_ADDRESS") (--tee-address)"
  look_for "$file" optee-random "CFG_IMX_ELE *[:?+]*[=:] *[\"']?n\>" \
    "without the EdgeLock Enclave there is neither a key of the chip nor a source of random numbers"
  ! grep -aqE '/dev/tee|kms_backend *[=:] *"?optee' "$file" || look_for "$file" cloud-tee \
    'eks\.amazonaws\.com|cloud\.google\.com/gke|kubernetes\.azure\.com|(eksctl|gcloud|az ak[s]) ' \
    "a node of an ordinary cloud has no secure world for its tenants: there is no /dev/tee0. Take \
nodes of your own (k8s/overlays/tee-node), or the emulation, which protects nothing from the host"
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
