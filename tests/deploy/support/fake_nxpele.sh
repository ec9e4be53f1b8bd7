#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stands in for NXP's nxpele and for a board: fuses and life cycle are files in $FAKE, answers have
# the form of SPSDK 3.12, and every call is written down.
set -euo pipefail
printf 'nxpele %s\n' "$*" >>"$FAKE/calls"

fuse() {
  if [[ -e $FAKE/fuse-$1 ]]; then cat "$FAKE/fuse-$1"; else printf 00000000; fi
}

# The words as the enclave gives the hash: its bytes, in order.
fused_hash() {
  local i word
  for ((i = 128; i < 136; i++)); do
    word=$(fuse "$i")
    printf '%s' "${word:6:2}${word:4:2}${word:2:2}${word:0:2}"
  done
}

# A bit that is 1 stays 1, and a broken board keeps what it likes.
write_fuse() {
  local value
  [[ ! -e $FAKE/broken-$1 ]] || return 0
  printf -v value '%08x' $((0x$(fuse "$1") | $2))
  printf '%s' "$value" >"$FAKE/fuse-$1"
}

while [[ $1 == --* ]]; do shift 2; done
case $1 in
get-info)
  printf 'ELE get info ends successfully:\nCommand:              0xda\n'
  printf 'SoC ID:               X - 0x%s\n' "$(cat "$FAKE/soc" 2>/dev/null || echo 9300)"
  printf 'Life Cycle:           %s - 0x0010\n' "$(cat "$FAKE/life" 2>/dev/null || echo OEM_OPEN)"
  printf 'UUID:                 %s\n' "$(cat "$FAKE/uid")"
  printf 'Advanced information:\n  OEM SRKH:           %s\n' "$(fused_hash)"
  ;;
get-events)
  printf 'ELE get events ends successfully.\nEvent count:     %s\n' \
    "$(cat "$FAKE/events" 2>/dev/null || echo 0)"
  ;;
read-common-fuse)
  printf 'Read common fuse ends successfully.\nFuse ID_%s: 0x%s\n' "$3" "$(fuse "$3" | tr a-f A-F)"
  ;;
write-fuse)
  write_fuse "$3" "$5"
  printf 'ELE write fuse ends successfully.\n'
  ;;
forward-lifecycle-update) printf 'OEM_CLSD' >"$FAKE/life" ;;
*) exit 2 ;;
esac
