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
# Ends with how many executions there were, and the coverage reached (blocks and features).
set -euo pipefail

[[ ${ROOT-} ]] || source scripts/dev/lib.sh
# shellcheck source=scripts/dev/build.sh
declare -F build >/dev/null || source scripts/dev/build.sh

FUZZ_PASSED=0
FUZZ_FAILED=0
FUZZ_REPORT=
FUZZ_FIGURES=
FUZZ_UNITS=0
FUZZ_COV=0
FUZZ_FT=0
readonly FUZZ_LARGEST=ta # every command of the Trusted Application

build_fuzz() {
  configure build/fuzz clang-19 -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false &&
    ninja_build build/fuzz
}

# One target: replays its corpus, then mutates it. Executable, seconds. Runs in a subshell: its
# scratch lies in memory, where there is such a place, and goes with it.
fuzz_one() {
  local program=$1 seconds=$2 name corpus
  name=${program##*/fuzz-}
  corpus=tests/fuzz/corpus/${name//-/_}
  mkdir -p "build/fuzz/corpus/$name" build/fuzz/crashes
  [[ -d $corpus ]] || {
    echo "no corpus in $corpus"
    return 1
  }
  [[ ! -w /dev/shm ]] || TMPDIR=/dev/shm
  TMPDIR=$(mktemp -d -t super-relay-fuzz-XXXXXX)
  # shellcheck disable=SC2064
  trap "rm -rf '$TMPDIR'" EXIT
  TMPDIR=$TMPDIR "${GUARD[@]}" "$program" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="build/fuzz/crashes/$name-" \
    "build/fuzz/corpus/$name" "$corpus"
}

# Executions and coverage that a target's log tells of, as three numbers.
fuzz_figures() {
  awk '/^stat::number_of_executed_units:/ { units = $2 }
    / cov: / { for (i = 1; i < NF; i++) figure[$i] = $(i + 1) }
    END { print units + 0, figure["cov:"] + 0, figure["ft:"] + 0 }' "$1"
}

# Waits for one of the targets under way and counts it (names is the caller's).
collect_fuzz() {
  local pid='' status=0 name units cov ft
  wait -n -p pid "${!names[@]}" || status=$?
  name=${names[$pid]}
  unset "names[$pid]"
  read -r units cov ft < <(fuzz_figures "$LOGS/fuzz-$name.log")
  FUZZ_FIGURES+="fuzz-$name: $units executions, cov $cov, ft $ft"$'\n'
  FUZZ_UNITS=$((FUZZ_UNITS + units))
  FUZZ_COV=$((FUZZ_COV + cov))
  FUZZ_FT=$((FUZZ_FT + ft))
  if ((status == 0)); then
    FUZZ_PASSED=$((FUZZ_PASSED + 1))
  else
    FUZZ_FAILED=$((FUZZ_FAILED + 1))
    FUZZ_REPORT+="fuzz-$name failed: $(tail -n 30 "$LOGS/fuzz-$name.log")"$'\n'
  fi
}

# All targets, two at a time: seconds for each, name filter, seconds for the one that takes in most.
# That one begins, and the others run beside it.
fuzz() {
  own_scratch
  local name seconds
  local -a targets=()
  local -A names=()
  for name in build/fuzz/tests/fuzz-*; do
    [[ -x $name && ! -d $name ]] || continue
    name=${name##*/fuzz-}
    [[ $name == *"${2-}"* && $name != "$FUZZ_LARGEST" ]] && targets+=("$name")
  done
  [[ $FUZZ_LARGEST == *"${2-}"* ]] && targets=("$FUZZ_LARGEST" "${targets[@]}")
  for name in "${targets[@]}"; do
    if ((${#names[@]} == 2)); then collect_fuzz; fi
    seconds=$1
    [[ $name != "$FUZZ_LARGEST" ]] || seconds=${3-$1}
    (fuzz_one "build/fuzz/tests/fuzz-$name" "$seconds") >"$LOGS/fuzz-$name.log" 2>&1 </dev/null &
    names[$!]=$name
  done
  while ((${#names[@]})); do collect_fuzz; done
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
  printf '%sall: %d executions, cov %d, ft %d\n' \
    "$FUZZ_FIGURES" "$FUZZ_UNITS" "$FUZZ_COV" "$FUZZ_FT"
  ((FUZZ_FAILED == 0 && FUZZ_PASSED > 0))
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  fuzz_main "$@"
fi
