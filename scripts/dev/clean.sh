#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Summary: remove what was built; --all also chain, keys and installed dependencies
#
# ./dev clean [--all]
#
# Without --all, build/deps, node_modules and the state of ./dev run stay.
set -euo pipefail

[[ ${ROOT-} ]] || source scripts/dev/lib.sh

case ${1-} in
'') [[ ! -d build ]] || find build -mindepth 1 -maxdepth 1 ! -name deps -exec rm -rf {} + ;;
--all)
  if [[ -e $STATE/run.pid ]] && kill -0 "$(cat "$STATE/run.pid")" 2>/dev/null; then
    die "./dev run is up: stop it first"
  fi
  rm -rf build node_modules "$STATE"
  ;;
*) usage_error scripts/dev/clean.sh "clean: '$1' is no option of it" ;;
esac
