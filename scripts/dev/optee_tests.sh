# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The tests on the real OP-TEE, in an emulated machine. Sourced by test.sh, whose counting it uses.

readonly OPTEE_LIMIT=1500
readonly OPTEE_ARM64=$ROOT/build/optee/arm64

# The programs that run in the machine, by their names in Meson.
optee_test_targets() {
  printf 'tests/optee/%s\n' guest-agent ta-hook ta-wire
  meson introspect "$OPTEE_ARM64" --targets |
    jq -r '.[].name | select(startswith("test-ta-")) | "tests/" + .'
}

# apt works as a user of its own, who may not come to the checkout's scratch.
build_optee_tests() {
  local -a targets=()
  env -u TMPDIR bash scripts/dev/optee.sh build --tests || return 1
  mapfile -t targets < <(optee_test_targets)
  "${GUARD[@]}" ninja -C "$OPTEE_ARM64" "${targets[@]}"
}

# Runs those whose name holds the argument, all for an empty one.
optee_tests() {
  local log=$LOGS/optee-tests.log status=0 failed
  step "OP-TEE's image and test programs"
  if ! logged optee-tests-build build_optee_tests; then
    broken
    return
  fi
  done_step
  step "on OP-TEE, in an emulated machine"
  "${GUARD[@]}" timeout -k 10 "$OPTEE_LIMIT" node tests/optee/run.mjs "$1" \
    >"$log" 2>&1 </dev/null || status=$?
  if ((status == 124)); then
    printf 'ended after %d s … ' "$OPTEE_LIMIT"
  fi
  failed=$(tap_count "$log" fail)
  ((status == 0 || failed > 0)) || failed=1
  tally "$(tap_count "$log" pass)" "$failed" 0
  sed -n 's/^# \(part .*\)/      \1/p' "$log"
  ((failed == 0)) || tap_failures "$log" >&2
}
