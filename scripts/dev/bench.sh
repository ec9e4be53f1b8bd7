#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Summary: measure the hot paths in an optimised build
#
# ./dev bench [NAME…]
set -euo pipefail

[[ ${ROOT-} ]] || source scripts/dev/lib.sh
# shellcheck source=scripts/dev/setup.sh
declare -F setup >/dev/null || source scripts/dev/setup.sh

setup build
own_scratch
steps 1
step "compile, optimised"
configure build/release gcc --buildtype=release
ninja_build build/release
done_step
for bench in build/release/tests/bench-*; do
  [[ -x $bench && ! -d $bench ]] || continue
  name=${bench##*/bench-}
  (($# == 0)) || [[ " $* " == *" $name "* ]] || continue
  printf '\n%s\n' "$name"
  "$bench"
done
