# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Reads what node's test runner reports in TAP. Sourced.

# A total of a TAP stream: file, one of pass, fail, cancelled, skipped, todo.
tap_count() {
  local count
  count=$(sed -n "s/^# $2 \([0-9]*\)$/\1/p" "$1" | tail -n 1)
  printf '%d' "${count:-0}"
}

# Prints the blocks of a TAP stream's failures, innermost tests only.
tap_failures() {
  awk '/^ *not ok /{ show = 1 } /^ *ok /{ show = 0 } show' "$1" | head -n 200
}
