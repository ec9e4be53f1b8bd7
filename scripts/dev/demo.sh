#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Summary: send one sponsored UserOperation through the relay that ./dev run brought up
#
# ./dev demo
set -euo pipefail

[[ ${ROOT-} ]] || source scripts/dev/lib.sh

(($# == 0)) || usage_error scripts/dev/demo.sh "demo takes no argument"
{ use_node && [[ -d node_modules/viem ]]; } || die "not set up yet: start './dev run' first"
exec node tests/e2e/demo.mjs
