#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stands in for mmc-utils and an eMMC: whether it has an RPMB key, and which, is a file in $FAKE.
set -euo pipefail
printf 'mmc %s\n' "$*" >>"$FAKE/calls"
key=$(cat "$FAKE/rpmb-key" 2>/dev/null || true)

case "$1 $2" in
'rpmb read-counter')
  [[ $key ]] || { echo 'RPMB operation failed, retcode 0x0007' && exit 1; }
  echo 'Counter value: 0x00000cef'
  ;;
'rpmb read-block')
  [[ $key != busy ]] || { echo 'RPMB ioctl failed: Device or resource busy' >&2 && exit 1; }
  [[ $(od -An -v -t x1 "$7" | tr -d ' \n') == "$key" ]] || { echo 'RPMB MAC missmatch' && exit 1; }
  ;;
*) exit 2 ;;
esac
