# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The record of a provisioned board: what it is, by its own statements. Sourced by provision.sh,
# after lib.sh and closed.sh.

# The statement that is kept is made once, when all is done; later runs compare it with the TA.
key_record() {
  local id=$1 file=$DIR/$1.statement hash=example now address
  attest "$id"
  now=$TA_SAYS
  if [[ ! -e $file ]]; then keep "$file" "$SIGNED"; fi
  ask attest verify "$file" --pin "$DIR/ta.pin"
  [[ $(json_field publicKey "$ANSWER") == "$(json_field publicKey "$now")" &&
    $(json_field policyDigest "$ANSWER") == "$(json_field policyDigest "$now")" ]] || refuse \
    other-key "'$file' is of another key or policy than the TA's '$id'; put it aside, and resume"
  tell keys show "$id"
  address=$(json_field address "$ANSWER")
  ((DRY)) || hash=$(sha256_of "$file")
  KEY_RECORDS+=,$(json_object "id=$id" "usage=${USAGE[$id]}" \
    "origin=$(json_field origin "$now")" "publicKey=$(json_field publicKey "$now")" \
    "address=$address" "policyVersion=$(json_field policyVersion "$now")" \
    "policyDigest=$(json_field policyDigest "$now")" \
    "statementSha256=$hash")
}

ta_record() {
  local name pairs=()
  for name in ta version build attestationKey auditKey rollbackProtection operator; do
    pairs+=("$name=$(json_field "$name" "$TA_SAYS")")
  done
  json_object "${pairs[@]}"
}

board_record() {
  if ((SIMULATOR)); then
    json_object "simulator=yes: neither life cycle nor RPMB was checked"
  else
    json_object "uid=$BOARD_UID" "lifeCycle=$(json_field lifeCycle "$STATUS")" \
      "srkHash=$(json_field srkHash "$STATUS")" "rpmbDevice=$RPMB_DEVICE" "rpmbKey=not the test key"
  fi
}

print_record() {
  local line
  line=${1//[\"\[\]\{\}]/}
  printf '    %s\n' "${line//,/$'\n    '}"
}

# Without its time it is the same each time; a difference is somebody's doing.
step_record() {
  local id body old now file=$DIR/record.json KEY_RECORDS=''
  stage '6 of 6, record: what this board is'
  for id in "${IDS[@]}"; do key_record "$id"; done
  body="\"board\":$(board_record),\"ta\":$(ta_record),\"keys\":[${KEY_RECORDS#,}]}"
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  if ((!DRY)) && [[ -e $file ]]; then
    old=$(<"$file")
    [[ $old == *"$body" ]] ||
      refuse record-differs "$file says something else than the TA and this board do now: $body"
    passed "nothing has changed since $(json_field time "$old")"
  else
    keep "$file" "{\"superRelayProvisioning\":1,\"time\":\"$now\",$body"
    answered "the record is written: $file"
  fi
  ((DRY)) || print_record "$body"
  say '  Keep a copy of this directory on another machine; there is no secret in it.'
}
