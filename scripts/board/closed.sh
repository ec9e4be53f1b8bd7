# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Whether a board is ready to be provisioned: its life cycle is closed, its eMMC has an RPMB key,
# and not the one that everybody has. Sourced, after lib.sh and bytes.sh.

# OP-TEE's CFG_RPMB_TESTKEY, from its sources.
readonly RPMB_TEST_KEY=d3eb3ec36e334c9f988ce2c0b85954610d2bcf8664844df2ab56e6c61bb701e4

# A value out of one flat JSON object; empty without it.
json_field() {
  sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" <<<"$2"
}

# ---- life cycle ---------------------------------------------------------------------------

# Kernel and enclave give the four words of a chip's number in different orders of words and bytes.
same_uid() {
  local a=${1,,} b=${2,,} word swapped='' order shape
  [[ $a =~ ^[0-9a-f]{32}$ && $b =~ ^[0-9a-f]{32}$ ]] || return 1
  for ((word = 0; word < 32; word += 8)); do
    swapped+=${a:word+6:2}${a:word+4:2}${a:word+2:2}${a:word:2}
  done
  for shape in "$a" "$swapped"; do
    for order in '0 8 16 24' '24 16 8 0' '8 0 24 16' '16 24 0 8'; do
      [[ $b != "$(in_order "$shape" "$order")" ]] || return 0
    done
  done
  return 1
}

in_order() {
  local at out=''
  for at in $2; do out+=${1:at:8}; done
  printf '%s' "$out"
}

# The last thing that the enclave said of this board, as secure-boot-imx93.sh recorded it.
last_status() {
  local line
  STATUS=''
  while IFS= read -r line; do
    [[ $line == *'"step":"status"'* ]] || continue
    ! same_uid "$BOARD_UID" "$(json_field uid "$line")" || STATUS=$line
  done <"$BOOT_RECORD"
}

# Fuses 128 to 135, where the kernel shows them; kernels that do not give zeros.
compare_fuses() {
  local shown wanted
  [[ -r $FUSES_FILE ]] || return 0
  shown=$(hex_at "$FUSES_FILE" 512 32) || fail "the fuses cannot be read in '$FUSES_FILE'"
  wanted=$(json_field srkHash "$STATUS")
  [[ $shown =~ ^0*$ || $shown == "$wanted" ]] || refuse fuses-not-equal \
    "the fuses of this board hold $shown, and the record of its secure boot says $wanted"
}

check_closed() {
  stage '1 of 6, closed: the device is closed'
  if ((DRY)) && [[ ! -s $BOOT_RECORD ]]; then
    supposed "the record of secure-boot-imx93.sh says OEM_CLSD for the chip in $UID_FILE"
    STATUS='{"uid":"example","lifeCycle":"OEM_CLSD","srkHash":"example"}'
    return 0
  fi
  [[ $BOOT_RECORD ]] || usage_error '--boot-record FILE is missing: the record of secure boot'
  [[ -s $BOOT_RECORD ]] || fail "--boot-record: '$BOOT_RECORD' is missing or empty"
  [[ -r $UID_FILE ]] || fail "the kernel does not tell the chip's number in '$UID_FILE'; name \
another file with --uid-file"
  BOARD_UID=$(tr -d ' \n' <"$UID_FILE")
  last_status
  [[ $STATUS ]] || refuse no-status "$BOOT_RECORD has no status of the chip $BOARD_UID. Run \
'secure-boot-imx93.sh status' with this board at U-Boot's prompt, and bring the record here"
  [[ $(json_field lifeCycle "$STATUS") == OEM_@(CLSD|LCKD) ]] || refuse not-closed \
    "the life cycle of this board is $(json_field lifeCycle "$STATUS"). The hardware's key may be \
another once it is closed: what an open board stores, and an RPMB key that it programs, would be \
lost. Close it first (secure-boot-imx93.sh close), power it off and on, run 'status', come back"
  compare_fuses
  passed "chip $BOARD_UID: $(json_field lifeCycle "$STATUS")"
}

# ---- RPMB ---------------------------------------------------------------------------------

rpmb_counter() {
  local said
  printf '  $ %s\n' "$(quoted mmc rpmb read-counter "$RPMB_DEVICE")"
  COUNTER=example
  ((DRY)) && return 0
  said=$(mmc rpmb read-counter "$RPMB_DEVICE" 2>&1 </dev/null) || true
  [[ $said != *0x0007* ]] || refuse rpmb-blank \
    "the eMMC has no RPMB key yet. OP-TEE derives it from the chip, so only OP-TEE can program it: \
start the signed --factory image once, in the factory, then the final one, and come back"
  COUNTER=$(sed -n 's/.*[Cc]ounter value: *\(0x[0-9A-Fa-f]*\).*/\1/p' <<<"$said")
  [[ $COUNTER ]] || fail "mmc rpmb read-counter gave no counter: $said"
}

# The device answers with a MAC; mmc says whether the test key makes the same.
rpmb_not_test_key() {
  local said status=0
  printf '  $ %s\n' "$(quoted mmc rpmb read-block "$RPMB_DEVICE" 0 1 BLOCK TEST-KEY)"
  ((DRY)) && return 0
  scratch_directory
  binary "$RPMB_TEST_KEY" >"$SCRATCH/key"
  said=$(mmc rpmb read-block "$RPMB_DEVICE" 0 1 "$SCRATCH/block" "$SCRATCH/key" 2>&1 </dev/null) ||
    status=$?
  ((status)) || refuse rpmb-test-key "this eMMC was programmed with OP-TEE's test key, which is in \
its sources: whoever owns the kernel writes it as he likes, for ever. Replace the eMMC"
  [[ ${said,,} == *mac*miss* || ${said,,} == *mac*mismatch* ]] ||
    fail "whether the RPMB key is the test key cannot be told: $said"
}

check_rpmb() {
  stage "2 of 6, rpmb: $RPMB_DEVICE has a key, and not the test key"
  need_tool mmc
  rpmb_counter
  rpmb_not_test_key
  answered "the key is programmed, and is not the test key; write counter $COUNTER"
}
