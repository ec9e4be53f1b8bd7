# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the scripts for a board have in common: how they speak, refuse, run, check and record.
# Sourced. PROGRAM names the script that speaks.
#
# Exit status: 0 done, 1 a step or a check failed, 2 wrong usage, 3 refused for the operator's own
# good. A refusal has a short name in brackets; docs/secure-boot.md has an entry for each.

PROGRAM=board
HINT=''
DRY=0
RECORD=''
SCRATCH=''

# Ranges in patterns mean bytes, whatever the operator's language is.
export LC_ALL=C
# Whoever exports his shell's own settings would change what patterns mean.
shopt -u failglob nocasematch nullglob
umask 022

trap '[[ ! $SCRATCH ]] || rm -rf -- "$SCRATCH"' EXIT
trap 'interrupted INT' INT
trap 'interrupted TERM' TERM
trap 'interrupted HUP' HUP
trap 'interrupted PIPE' PIPE

say() {
  printf '%s\n' "$*"
}

fail() {
  printf '%s: %s\n' "$PROGRAM" "$*" >&2
  record_end failed "why=$*"
  exit 1
}

usage_error() {
  printf "%s: %s\nTry '%s --help'.\n" "$PROGRAM" "$*" "$0" >&2
  exit 2
}

# A mistake that is known, and why it is one: its name, the explanation.
refuse() {
  printf '%s: refused [%s]: %s\n' "$PROGRAM" "$1" "$2" >&2
  record_end refused "name=$1"
  exit 3
}

# Says so in the record, and dies of the very signal, as whoever sent it expects.
interrupted() {
  record_end interrupted "signal=$1"
  [[ ! $SCRATCH ]] || rm -rf -- "$SCRATCH"
  trap - EXIT "$1"
  kill -s "$1" "$BASHPID"
}

# The comment at a script's head is its help.
script_help() {
  sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$1"
}

quoted() {
  local word out=''
  for word; do
    if [[ $word =~ ^[A-Za-z0-9_./:=,@%+-]+$ ]]; then out+=" $word"; else out+=" ${word@Q}"; fi
  done
  printf '%s' "${out# }"
}

# Shows a command, and runs it unless this is a dry run.
run() {
  printf '  $ %s\n' "$(quoted "$@")"
  ((DRY)) && return 0
  # standard input is the confirmation's
  "$@" </dev/null ||
    fail "'$1' failed with status $?: see what it says above; nothing after it was done"
}

stage() {
  printf '\n== %s\n' "$*"
}

passed() {
  printf '  ok    %s\n' "$*"
}

# For a check whose object a dry run does not have.
supposed() {
  printf '  check %s (dry run: supposed)\n' "$*"
}

# For what only a board or a TEE can say: a dry run has not asked it.
answered() {
  if ((DRY)); then supposed "$@"; else passed "$@"; fi
}

# In a dry run what is not there is supposed; in a real one it is an error.
have() {
  local what=$1 file=$2
  [[ -s $file ]] && return 0
  ((DRY)) || fail "$what: '$file' is missing or empty"
  return 1
}

require_tool() {
  local tool
  for tool; do
    command -v "$tool" >/dev/null || fail "the program '$tool' is not there; $HINT"
  done
}

# Of what a dry run only shows.
need_tool() {
  ((DRY)) || require_tool "$@"
}

# Paths go into YAML files, in quotes, and into SPSDK's signer text, which has none.
plain_path() {
  local whole plain='^[A-Za-z0-9_./+@ -]+$'
  [[ $2 && $2 != -* ]] || usage_error "$1: a path, not '$2'"
  whole=$(absolute "$2")
  [[ ! $whole =~ $plain ]] || return 0
  ((DRY)) || fail "$1: '$whole' has characters other than A-Z a-z 0-9 space _ . / + @ -"
  say "  NOT TAKEN by a real run: $1 ${whole@Q}, for its characters other than A-Z a-z 0-9 space" \
    '_ . / + @ -'
}

# Who may write there puts other files in their place between two steps.
check_directory() {
  [[ -d $2 ]] || return 0
  (((8#$(stat -L -c %a -- "$2") & 8#002) == 0)) || refuse directory-writable \
    "$1: everybody may write to '$2'. chmod o-w it, and look at what is in it"
}

# Two runs in one directory would work with each other's halves.
only_one() {
  require_tool flock
  exec {LOCK}<"$1" || fail "'$1' cannot be opened"
  flock -n "$LOCK" || fail "another run is at work in '$1'; wait for its end"
}

scratch_directory() {
  [[ $SCRATCH ]] || SCRATCH=$(mktemp -d) || fail 'no directory for temporary files (TMPDIR)'
}

# An option's value that looks like an option is a value that was forgotten.
need_value() {
  if (($# < 2)) || [[ ! $2 || $2 == -* ]]; then usage_error "option '$1' needs a value"; fi
}

absolute() {
  case $1 in
  /*) printf '%s' "$1" ;;
  *) printf '%s/%s' "$PWD" "$1" ;;
  esac
}

# ---- records -----------------------------------------------------------------------------

json_text() {
  local text=$1
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  # what is not printable ASCII has no business in a record
  printf '"%s"' "${text//[^[:print:]]/ }"
}

json_object() {
  local pair out=''
  for pair; do
    out+=",$(json_text "${pair%%=*}"):$(json_text "${pair#*=}")"
  done
  printf '{%s}' "${out#,}"
}

# One line a step: its name, and name=value for what was done. Never a secret.
record() {
  local line
  line=$(json_object "time=$(date -u +%Y-%m-%dT%H:%M:%SZ)" "step=$1" "${@:2}")
  if ((DRY)); then
    printf '  record %s\n' "$line"
  elif [[ $RECORD ]]; then
    append "$line" || fail "the record '$RECORD' cannot be written"
  fi
}

# Onto the disk, as far as what the file lies on knows of it: power may be cut next.
to_disk() {
  sync -- "$1" 2>/dev/null || true
}

# A line, whole or not at all: what a full disk took of it is taken off again.
append() {
  local size=0
  [[ ! -e $RECORD ]] || size=$(stat -L -c %s -- "$RECORD") || return 1
  if printf '%s\n' "$1" 2>/dev/null >>"$RECORD"; then
    to_disk "$RECORD"
    return 0
  fi
  truncate --no-create --size "$size" -- "$RECORD" 2>/dev/null || true
  return 1
}

# How a run ended that did not come to its end. Best effort: there is nobody left to tell.
record_end() {
  local file=$RECORD
  ((!DRY)) && [[ $file ]] && [[ -d $(dirname -- "$file") ]] || return 0
  append "$(json_object "time=$(date -u +%Y-%m-%dT%H:%M:%SZ)" "step=$1" "${@:2}")" || true
  RECORD=''
}

# What cannot be recorded is not begun, and a power cut may have left half a line.
check_record() {
  [[ -s $RECORD ]] || return 0
  [[ $(tail -c 1 -- "$RECORD" | od -An -t x1) != ' 0a' ]] || return 0
  local file=$RECORD
  RECORD=''
  fail "the last line of the record '$file' is cut off. Keep a copy of it, and take that line off"
}

# Whether the record has a line of this step with all these name=value; false without a record.
recorded() {
  local line pair text
  [[ -s $RECORD ]] || return 1
  while IFS= read -r line; do
    for pair in "step=$1" "${@:2}"; do
      text="$(json_text "${pair%%=*}"):$(json_text "${pair#*=}")"
      [[ $line == *"$text"* ]] || continue 2
    done
    return 0
  done <"$RECORD"
  return 1
}

# A file from standard input, whole or not at all, so that a cut leaves no half of it.
whole_file() {
  if ! cat >"$1.new" || ! to_disk "$1.new" || ! mv -- "$1.new" "$1"; then
    rm -f -- "$1.new"
    fail "'$1' cannot be written"
  fi
}

sha256_of() {
  sha256sum -- "$1" | cut -d ' ' -f 1
}

# ---- confirmation ------------------------------------------------------------------------

# What cannot be undone is done for whoever types the very words, and for nobody else: the words
# name the thing, so that no `yes |` and no habit gives them.
confirm() {
  local words=$1 answer=''
  printf '\n%s\nThis cannot be undone. To go on type:\n\n    %s\n\n> ' "$2" "$words"
  if ((DRY)); then
    printf '(dry run: not asked)\n'
    return 0
  fi
  [[ -t 0 ]] || refuse no-terminal \
    'these words are typed by a person at a terminal, not sent by a program; nothing was changed'
  IFS= read -r answer || true
  [[ $answer == "$words" ]] ||
    refuse not-confirmed "what was typed is not '$words'; nothing was changed"
}
