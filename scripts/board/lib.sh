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

say() {
  printf '%s\n' "$*"
}

fail() {
  printf '%s: %s\n' "$PROGRAM" "$*" >&2
  exit 1
}

usage_error() {
  printf "%s: %s\nTry '%s --help'.\n" "$PROGRAM" "$*" "$0" >&2
  exit 2
}

# A mistake that is known, and why it is one: its name, the explanation.
refuse() {
  printf '%s: refused [%s]: %s\n' "$PROGRAM" "$1" "$2" >&2
  exit 3
}

# The comment at a script's head is its help.
script_help() {
  sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$1"
}

quoted() {
  local word out=''
  for word; do
    if [[ $word =~ ^[A-Za-z0-9_./:=,@%+-]+$ ]]; then out+=" $word"; else out+=" '$word'"; fi
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

# In a dry run what is not there is supposed; in a real one it is an error.
have() {
  local what=$1 file=$2
  [[ -s $file ]] && return 0
  ((DRY)) || fail "$what: '$file' is missing or empty"
  return 1
}

need_tool() {
  local tool
  for tool; do
    ((DRY)) || command -v "$tool" >/dev/null || fail "the program '$tool' is not there; $HINT"
  done
}

# Paths go into YAML files and into SPSDK's signer text, which has no quoting.
plain_path() {
  [[ $2 =~ ^[A-Za-z0-9_./+@-]+$ ]] ||
    fail "$1: '$2' has characters other than A-Z a-z 0-9 _ . / + @ -"
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
  # whatever is left of control characters has no business in a record
  printf '"%s"' "${text//[[:cntrl:]]/ }"
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
    printf '%s\n' "$line" >>"$RECORD" || fail "the record '$RECORD' cannot be written"
  fi
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
  IFS= read -r answer || true
  [[ $answer == "$words" ]] ||
    refuse not-confirmed "what was typed is not '$words'; nothing was changed"
}
