# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# How provision.sh speaks to super-relay, and to the operator on another machine. Sourced, after
# lib.sh.
# shellcheck disable=SC2034 # ROLLBACK, SIGNED and TA_SAYS are the script's

# ---- super-relay --------------------------------------------------------------------------

# What asks the TA runs as the relay's user, since the audit log and the simulator's store are his.
set_relay() {
  PLAIN=("${SUPER_RELAY_BIN:-super-relay}")
  ((DRY)) || command -v "${PLAIN[0]}" >/dev/null ||
    fail "the program '${PLAIN[0]}' is not there; name it in \$SUPER_RELAY_BIN"
  RELAY=("${PLAIN[@]}")
  if ((EUID == 0 && !SIMULATOR)); then
    need_tool runuser getent
    ((DRY)) || getent passwd "$RUN_AS" >/dev/null || fail "--user: there is no user '$RUN_AS'"
    RELAY=(runuser -u "$RUN_AS" -- "${RELAY[@]}")
  fi
  WITH_CONFIG=()
  [[ ! $CONFIG ]] || WITH_CONFIG=(--config "$CONFIG")
  ((!SIMULATOR)) || ROLLBACK=0
}

# Shows a command and runs it. Its answer, in ANSWER; what it says against it goes to the screen.
answer_of() {
  local said=''
  ANSWER=''
  printf '  $ %s\n' "$(quoted "$@")"
  ((DRY)) && return 0
  said=$("$@" </dev/null) ||
    fail "super-relay did not: see above. Nothing after this was done; mend it, then --resume. \
A signature that was refused has to be taken out of --dir first"
  ANSWER=$said
}

# What needs no TEE: reads and writes files of this directory, as whoever runs this.
ask() {
  answer_of "${PLAIN[@]}" "$@" --json
}

tell() {
  answer_of "${RELAY[@]}" "$@" "${WITH_CONFIG[@]}" --json
}

keep() {
  ((DRY)) || whole_file "$1" <<<"$2"
}

# What the TA says of itself, or of a key, now: TA_SAYS, and the statement itself in ANSWER.
attest() {
  local statement=$DIR/now.statement
  tell attest "$@"
  keep "$statement" "$ANSWER"
  SIGNED=$ANSWER
  ask attest verify "$statement" --pin "$DIR/ta.pin"
  TA_SAYS=$ANSWER
  ((DRY)) || rm -f "$statement"
}

# ---- signed elsewhere ---------------------------------------------------------------------

MISSING=()

# Says what is to be signed when the signature is not there yet.
want_signature() {
  local file=$DIR/$1
  shift
  [[ ! -s $file ]] || return 0
  MISSING+=("$(quoted super-relay operator sign "$@" --key operator.key --out "${file##*/}")")
}

wait_for_signatures() {
  local line
  ((${#MISSING[@]})) || return 0
  printf '\n  On the operator'"'"'s machine, with the statements of %s:\n\n' "$DIR"
  for line in "$@"; do printf '    %s\n' "$line"; done
  for line in "${MISSING[@]}"; do printf '    %s\n' "$line"; done
  MISSING=()
  printf '\n  Bring the signed files into %s, and run this again with --resume.\n' "$DIR"
  ((DRY)) || exit "$WAITING"
}
