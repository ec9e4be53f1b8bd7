#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Summary: fuzz the parsers from their committed corpus
#
# ./dev fuzz [--seconds N] [NAME]
#
#   --seconds N  how long each target runs (60)
#   NAME         only targets whose name holds NAME
#
# Inputs found on the way are kept in build/fuzz/corpus, a crash's input in build/fuzz/crashes.
set -euo pipefail

[[ ${ROOT-} ]] || source scripts/dev/lib.sh
# shellcheck source=scripts/dev/build.sh
declare -F build >/dev/null || source scripts/dev/build.sh

FUZZ_PASSED=0
FUZZ_FAILED=0
FUZZ_REPORT=

build_fuzz() {
  configure build/fuzz clang-19 -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false &&
    ninja_build build/fuzz
}

# One target: replays its corpus, then mutates it. Executable, seconds.
fuzz_one() {
  local program=$1 seconds=$2 name corpus
  name=${program##*/fuzz-}
  corpus=tests/fuzz/corpus/${name//-/_}
  mkdir -p "build/fuzz/corpus/$name" build/fuzz/crashes
  [[ -d $corpus ]] || {
    echo "no corpus in $corpus"
    return 1
  }
  "${GUARD[@]}" "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/crashes/$name-" "build/fuzz/corpus/$name" "$corpus"
}

# All targets, two at a time: seconds for each, name filter.
fuzz() {
  own_scratch
  local program name
  local -a running=() names=()
  for program in build/fuzz/tests/fuzz-*; do
    name=${program##*/fuzz-}
    [[ -x $program && ! -d $program && $name == *"${2-}"* ]] || continue
    fuzz_one "$program" "$1" >"$LOGS/fuzz-$name.log" 2>&1 </dev/null &
    running+=($!)
    names+=("$name")
    if ((${#running[@]} == 2)); then collect_fuzz; fi
  done
  collect_fuzz
}

# Waits for the targets under way and counts them (running and names are the caller's).
collect_fuzz() {
  local i
  for i in "${!running[@]}"; do
    if wait "${running[i]}"; then
      FUZZ_PASSED=$((FUZZ_PASSED + 1))
    else
      FUZZ_FAILED=$((FUZZ_FAILED + 1))
      FUZZ_REPORT+="fuzz-${names[i]} failed: $(tail -n 30 "$LOGS/fuzz-${names[i]}.log")"$'\n'
    fi
  done
  running=()
  names=()
}

fuzz_main() {
  local seconds=60 filter=''
  while (($#)); do
    case $1 in
    --seconds)
      [[ ${2-} =~ ^[1-9][0-9]*$ ]] || usage_error scripts/dev/fuzz.sh "--seconds: expected a number"
      seconds=$2
      shift
      ;;
    -*) usage_error scripts/dev/fuzz.sh "fuzz: '$1' is no option of it" ;;
    *) filter=$1 ;;
    esac
    shift
  done
  setup all
  steps 2
  step "compile with libFuzzer"
  build_fuzz
  done_step
  step "fuzz, $seconds s a target"
  fuzz "$seconds" "$filter"
  done_step "$FUZZ_PASSED targets passed, $FUZZ_FAILED failed"
  [[ -z $FUZZ_REPORT ]] || printf '%s\n' "$FUZZ_REPORT" >&2
  ((FUZZ_FAILED == 0 && FUZZ_PASSED > 0))
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  fuzz_main "$@"
fi
