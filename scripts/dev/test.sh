#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Summary: run all tests, sanitizers, lint and short fuzzing; ends with one line of counts
#
# ./dev test [--quick | --all] [NAME]
#
#   --quick  unit tests and end-to-end tests of the plain build only
#   --all    also what takes long or needs much: OP-TEE compiled for the i.MX 93, and a control
#            plane of Kubernetes
#   NAME     only tests whose name (or file, end to end) holds NAME; no lint
#            "optee" or "optee/NAME", "container" or "container/NAME": only those on OP-TEE in an
#            emulated machine, or in containers
set -euo pipefail

[[ ${ROOT-} ]] || source scripts/dev/lib.sh
# shellcheck source=scripts/dev/lint.sh
source scripts/dev/lint.sh
# shellcheck source=scripts/dev/fuzz.sh
source scripts/dev/fuzz.sh
# shellcheck source=scripts/dev/optee.sh
source scripts/dev/optee.sh
# shellcheck source=scripts/dev/optee_tests.sh
source scripts/dev/optee_tests.sh
# shellcheck source=scripts/dev/container.sh
source scripts/dev/container.sh

readonly FUZZ_SECONDS=5
# The TA's commands take as long as all the others together, which run beside them.
readonly FUZZ_TA_SECONDS=60
# A file that does not end would hold the whole run up.
readonly E2E_LIMIT=300
readonly DEPLOY_LIMIT=300
readonly PLANE_LIMIT=1800
PASSED=0
FAILED=0
SKIPPED=0
FILTER=
LINT_PID=
ALL=0
COMPILED=0 # whether the last build went through

# Adds a step's result and closes its line: passed, failed, skipped.
tally() {
  PASSED=$((PASSED + $1))
  FAILED=$((FAILED + $2))
  SKIPPED=$((SKIPPED + $3))
  local text="$1 passed"
  (($2 == 0)) || text+=", $2 FAILED"
  (($3 == 0)) || text+=", $3 skipped"
  done_step "$text"
}

# A step that could not even run counts as one failure.
broken() {
  tally 0 1 0
}

# Sum of an attribute over all suites of a JUnit file. A suite that crashed counts in "errors".
junit_sum() {
  grep -o '<testsuite [^>]*>' "$1" | grep -o " $2=\"[0-9]*\"" | tr -dc '0-9\n' |
    awk '{ sum += $1 } END { print sum + 0 }'
}

matching_tests() {
  meson introspect "$1" --tests | jq -r --arg filter "$FILTER" --arg suite "${2-}" \
    '.[] | select((.name | contains($filter)) and
      ($suite == "" or any(.suite[]; endswith(":" + $suite)))) | .name'
}

# Runs a build directory's tests: directory, optional suite.
meson_tests() {
  local directory=$1 suite=${2-} status=0 log junit=$1/meson-logs/testlog.junit.xml
  local tests failures errors skipped
  local -a names
  log=$LOGS/test-${directory//\//-}.log
  mapfile -t names < <(matching_tests "$directory" "$suite")
  if ((${#names[@]} == 0)); then
    tally 0 0 0
    return
  fi
  rm -f "$junit"
  "${GUARD[@]}" meson test -C "$directory" --no-rebuild --print-errorlogs "${names[@]}" \
    >"$log" 2>&1 </dev/null || status=$?
  if [[ ! -e $junit ]]; then
    broken
    show_log "$log"
    return
  fi
  tests=$(junit_sum "$junit" tests)
  failures=$(junit_sum "$junit" failures)
  errors=$(junit_sum "$junit" errors)
  skipped=$(junit_sum "$junit" skipped)
  failures=$((failures + errors))
  # meson's own verdict stands above what was counted (a timeout, a missing plan).
  ((status == 0 || failures > 0)) || failures=1
  tally $((tests > failures + skipped ? tests - failures - skipped : 0)) "$failures" "$skipped"
  ((failures == 0)) || show_log "$log" 150
}

build_and_test() {
  local name=$1 directory=$2 compiler=$3 suite=$4
  shift 4
  step "$name"
  if configure "$directory" "$compiler" "$@" && ninja_build "$directory"; then
    COMPILED=1
    meson_tests "$directory" "$suite"
  else
    COMPILED=0
    broken
  fi
}

# Runs the test files of a directory: what it is called, directory, seconds it may take at most.
node_tests() {
  local name=$1 directory=$2 limit=$3 file log=$LOGS/${2##*/}.log status=0 failed
  local -a files=()
  step "$name"
  for file in "$directory"/*.test.mjs; do
    [[ ! -e $file || $file != *"$FILTER"* ]] || files+=("$file")
  done
  if ((${#files[@]} == 0)); then
    tally 0 0 0
    return
  fi
  "${GUARD[@]}" timeout -k 10 "$limit" node --test --test-reporter=tap \
    --test-concurrency="$(nproc)" "${files[@]}" >"$log" 2>&1 </dev/null || status=$?
  if ((status == 124)); then
    printf 'ended after %d s … ' "$limit"
  fi
  failed=$(($(tap_count "$log" fail) + $(tap_count "$log" cancelled)))
  ((status == 0 || failed > 0)) || failed=1
  tally "$(tap_count "$log" pass)" "$failed" \
    $(($(tap_count "$log" skipped) + $(tap_count "$log" todo)))
  sed -nE 's/^ *# ((LEFT OUT|NOT CHECKED).*)/      \1/p' "$log" | sort -u
  ((failed == 0)) || tap_failures "$log" >&2
}

e2e_tests() {
  node_tests "end to end: real chain, real clients" tests/e2e "$E2E_LIMIT"
}

deploy_tests() {
  node_tests "deployment: manifests, layer, units, scripts, monitoring" tests/deploy "$DEPLOY_LIMIT"
}

# What ./dev test --all adds.
deploy_all_tests() {
  local limit=$((3 * DEPLOY_LIMIT))
  step "OP-TEE and the TA for the i.MX 93"
  if ! logged imx93-build env -u TMPDIR bash scripts/optee/imx93.sh; then
    broken
    return
  fi
  done_step
  step "Kubernetes' control plane, from its sources"
  if ! logged control-plane "${GUARD[@]}" timeout -k 10 "$PLANE_LIMIT" \
    bash scripts/dev/control_plane.sh; then
    broken
    return
  fi
  done_step
  node_tests "on the i.MX 93's build, its vendor's tools, the control plane" tests/deploy_all \
    "$limit"
}

container_tests() {
  step "in containers"
  containers as_part "$1"
  tally "$CONTAINER_PASSED" "$CONTAINER_FAILED" "$CONTAINER_SKIPPED"
  [[ -z $CONTAINER_REPORT ]] || printf '%s\n' "$CONTAINER_REPORT" >&2
}

# The tests on OP-TEE leave a core to others for most of the time: lint takes what they leave.
start_lint_tests() {
  rm -f "$STATE/tmp/lint"
  nice -n 19 "${GUARD[@]}" bash scripts/dev/lint.sh --into "$STATE/tmp/lint" \
    >"$LOGS/lint.log" 2>&1 </dev/null &
  LINT_PID=$!
}

finish_lint_tests() {
  step "lint, which ran beside them"
  if ! wait "$LINT_PID" || [[ ! -e $STATE/tmp/lint ]]; then
    broken
    show_log "$LOGS/lint.log"
    return
  fi
  # shellcheck source=/dev/null
  source "$STATE/tmp/lint"
  tally "$LINT_PASSED" "$LINT_FAILED" 0
  [[ -z $LINT_REPORT ]] || printf '%s\n' "$LINT_REPORT" >&2
}

fuzz_tests() {
  step "fuzzing, $FUZZ_TA_SECONDS s the TA, $FUZZ_SECONDS s each other target"
  if build_fuzz; then
    fuzz "$FUZZ_SECONDS" "$FILTER" "$FUZZ_TA_SECONDS"
    tally "$FUZZ_PASSED" "$FUZZ_FAILED" 0
    [[ -z $FUZZ_REPORT ]] || printf '%s\n' "$FUZZ_REPORT" >&2
  else
    broken
  fi
}

sanitized_tests() {
  build_and_test "unit and TA tests, AddressSanitizer and UBSan" build/asan gcc '' \
    -Db_sanitize=address,undefined -Db_lundef=false
  build_and_test "threaded tests, ThreadSanitizer" build/tsan clang-19 threads \
    -Db_sanitize=thread -Db_lundef=false
}

# Emulation and containers cost minutes to set up, lint knows no names: a NAME runs none of them.
unnamed_tests() {
  if [[ $FILTER ]]; then
    printf 'left out: OP-TEE and containers; "optee/%s", "container/%s" ask for them\n' \
      "$FILTER" "$FILTER"
    return
  fi
  start_lint_tests
  optee_tests ''
  finish_lint_tests
  container_tests ''
}

remaining_tests() {
  local quick=$1
  ((quick)) || sanitized_tests
  e2e_tests
  ((quick)) && return
  deploy_tests
  fuzz_tests
  unnamed_tests
  ((!ALL)) || deploy_all_tests
}

only_heavy_tests() {
  local name=${FILTER#*/}
  [[ $FILTER == */* ]] || name=
  setup all
  own_scratch
  steps 2
  "${FILTER%%/*}_tests" "$name"
}

ordinary_tests() {
  local quick=$1 count=2
  if ((!quick)); then
    count=6
    [[ $FILTER ]] || count=10
    ((!ALL)) || count=$((count + 3))
    setup all
  else
    setup quick
  fi
  own_scratch
  steps "$count"
  build_and_test "unit and TA tests" build "${CC:-gcc}" ''
  # What does not compile would only fail again in each of the others.
  if ((COMPILED)); then
    remaining_tests "$quick"
  else
    printf 'the other steps are left out: they need a build that compiles\n'
  fi
}

run_tests() {
  case $FILTER in
  optee | optee/* | container | container/*) only_heavy_tests ;;
  *) ordinary_tests "$1" ;;
  esac
  if [[ $FILTER ]] && ((PASSED + FAILED + SKIPPED == 0)); then
    die "no test's name holds '$FILTER'"
  fi
  printf '%d passed, %d failed' "$PASSED" "$FAILED"
  ((SKIPPED == 0)) || printf ', %d skipped' "$SKIPPED"
  printf '\n'
  ((FAILED == 0))
}

main() {
  local quick=0
  while (($#)); do
    case $1 in
    --quick) quick=1 ;;
    --all) ALL=1 ;;
    -*) usage_error scripts/dev/test.sh "test: '$1' is no option of it" ;;
    *)
      [[ -z $FILTER ]] || usage_error scripts/dev/test.sh "test takes one NAME"
      FILTER=$1
      ;;
    esac
    shift
  done
  ((!quick || !ALL)) || usage_error scripts/dev/test.sh "test: --quick or --all, not both"
  run_tests "$quick"
}

main "$@"
