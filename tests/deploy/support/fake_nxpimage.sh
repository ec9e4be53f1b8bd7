#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stands in for NXP's nxpimage: an export is a file that the test has put into $FAKE, under the name
# that the configuration asks for. Every call is written down.
set -euo pipefail
printf 'nxpimage %s\n' "$*" >>"$FAKE/calls"

case "$*" in
--version) echo 'nxpimage, version 3.12.0' ;;
*' export --config '*)
  config=${*: -1}
  output=$(sed -n 's/^output: //p' "$config")
  cp "$FAKE/$output" "$(dirname "$config")/$output"
  ;;
*' verify '*) ;;
*) exit 2 ;;
esac
