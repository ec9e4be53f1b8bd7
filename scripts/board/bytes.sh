# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Bytes and numbers in binary files. Sourced, after lib.sh.

hex_of() {
  od -An -v -t x1 -- "$1" | tr -d ' \n'
}

hex_at() {
  od -An -v -t x1 -j "$2" -N "$3" -- "$1" | tr -d ' \n'
}

# Headers are read piece by piece, and a process for each field would take long: 4 KiB at a time.
WINDOW='' WINDOW_FILE='' WINDOW_AT=0

forget_window() {
  WINDOW_FILE=''
}

load_window() {
  WINDOW_FILE=$1 WINDOW_AT=$2
  WINDOW=$(hex_at "$1" "$2" 4096)
}

# Sets a variable to a little-endian number: variable, file, offset, bytes (at most 7 are counted
# with, so that none is negative). Beyond the file's end there is none.
# shellcheck disable=SC2034 # result is the caller's variable
number() {
  local -n result=$1
  local at end i text=''
  if [[ $WINDOW_FILE != "$2" ]] || (($3 < WINDOW_AT || $3 + $4 > WINDOW_AT + ${#WINDOW} / 2)); then
    load_window "$2" "$3"
  fi
  at=$((2 * ($3 - WINDOW_AT))) end=$((2 * ($3 - WINDOW_AT + $4)))
  ((end <= ${#WINDOW})) || fail "$2: ends before the field at offset $3, so it is cut off"
  ((end - at <= 14)) || end=$((at + 14))
  for ((i = end - 2; i >= at; i -= 2)); do text+=${WINDOW:i:2}; done
  result=$((16#$text))
}

# Bytes of a file: offset, length.
piece() {
  (($2 + $3 <= $(stat -L -c %s -- "$1"))) ||
    fail "$1: ends before $(($2 + $3)) bytes, so it is cut off"
  dd if="$1" bs=64K skip="$2" count="$3" iflag=skip_bytes,count_bytes status=none
}

binary() {
  printf '%s' "${1^^}" | basenc --base16 --decode
}

# 16 bits, least byte first, as AHAB has its lengths.
le16() {
  printf '%02x%02x' $(($1 & 255)) $(($1 >> 8))
}

# The 32-bit words that go into fuses: eight of a SHA-256, least byte first.
fuse_words() {
  local hash=$1 i
  for ((i = 0; i < 64; i += 8)); do
    printf '0x%s%s%s%s\n' "${hash:i+6:2}" "${hash:i+4:2}" "${hash:i+2:2}" "${hash:i:2}"
  done
}

# Whether a file holds these bytes. By their hexadecimal text, since grep ends its lines at 0a.
holds_bytes() {
  local count
  count=$(hex_of "$1" | grep -cF -- "$2") || true
  ((count))
}
