# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What all subcommands share. Sourced with the checkout as the current directory.

ROOT=$PWD
readonly ROOT STATE=$ROOT/.dev LOGS=$ROOT/.dev/logs DEPS=$ROOT/build/deps
readonly NODE_MINIMUM=20
# Before a program that must not outlive the script, whatever ends that.
readonly GUARD=(setpriv --pdeathsig TERM)
STEP=0
STEPS=0
STEP_BEGAN=0

# npm keeps its cache here, and no tool below may write to the user's own home.
export npm_config_cache=$STATE/npm-cache
export npm_config_update_notifier=false
export ASAN_OPTIONS=${ASAN_OPTIONS-detect_leaks=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS-print_stacktrace=1:halt_on_error=1}

# From here on scratch of tests and tools stays in the checkout, too. Not during the set-up:
# apt works as a user of its own, who may not come here.
own_scratch() {
  mkdir -p "$STATE/tmp"
  export TMPDIR=$STATE/tmp
}

die() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

# The comment at the head of a subcommand's file is its help.
script_help() {
  sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$1" | sed 's/^Summary: //'
}

usage_error() {
  local script=$1
  shift
  printf 'dev: %s\n\n' "$*" >&2
  script_help "$script" >&2
  exit 2
}

# Announces how many steps follow, so that each can say where it stands.
steps() {
  STEPS=$1
  STEP=0
}

step() {
  STEP=$((STEP + 1))
  STEP_BEGAN=$SECONDS
  printf '[%d/%d] %s … ' "$STEP" "$STEPS" "$*"
}

done_step() {
  local seconds=$((SECONDS - STEP_BEGAN))
  printf '%s%d s\n' "${1:+$1, }" "$seconds"
}

show_log() {
  printf -- '--- the end of %s:\n' "${1#"$ROOT"/}" >&2
  tail -n "${2:-40}" "$1" >&2 || true
  printf -- '---\n' >&2
}

# Runs a command with its output in a log; on failure shows the log's end and returns its status.
logged() {
  local log=$LOGS/$1.log status=0
  shift
  mkdir -p "$LOGS"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if ((status != 0)); then
    printf 'failed\n' >&2
    show_log "$log"
  fi
  return "$status"
}

node_version_of() {
  local version
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  printf '%s' "${version%%.*}"
}

# Puts a recent enough Node.js first on PATH; false when there is none yet.
use_node() {
  local version private
  version=$(node_version_of node) || version=0
  ((version < NODE_MINIMUM)) || return 0
  for private in "$STATE"/node/node_modules/node-linux-*/bin; do
    [[ -x $private/node ]] || continue
    PATH=$private:$PATH
    return 0
  done
  return 1
}

# What ninja prints is of interest only when it fails or takes long.
ninja_build() {
  local directory=$1
  shift
  logged "build-${directory//\//-}" "${GUARD[@]}" ninja -C "$directory" "$@"
}

# Configures a build directory once: directory, compiler, meson options.
configure() {
  local directory=$1 compiler=$2
  shift 2
  [[ -e $directory/build.ninja ]] && return
  CC=$compiler logged "setup-${directory//\//-}" meson setup "$directory" \
    --pkg-config-path "$DEPS/lib/pkgconfig" "$@"
}
