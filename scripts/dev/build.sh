#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Summary: compile everything; the daemon is build/super-relay
#
# ./dev build
set -euo pipefail

[[ ${ROOT-} ]] || source scripts/dev/lib.sh
# shellcheck source=scripts/dev/setup.sh
declare -F setup >/dev/null || source scripts/dev/setup.sh

build() {
  configure build "${CC:-gcc}"
  ninja_build build
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  (($# == 0)) || usage_error "$0" "build takes no argument"
  setup build
  steps 1
  step "compile"
  build
  done_step
  printf 'build/super-relay is ready\n'
fi
