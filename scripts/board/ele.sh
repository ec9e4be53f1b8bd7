# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The board, through NXP's nxpele: what the EdgeLock enclave says, fuses, life cycle. The board
# stands at U-Boot's prompt, or in its fastboot. Sourced, after lib.sh and bytes.sh.

readonly SOC_IMX93=0x9300 FUSE_FIRST=128 FUSE_COUNT=8
readonly EXAMPLE_UID=000102030405060708090a0b0c0d0e0f

# Its answer, in ELE_SAID; a dry run has none.
ask_ele() {
  ELE_SAID=''
  printf '  $ %s\n' "$(quoted nxpele --family "$FAMILY" "${CONNECTION[@]}" "$@")"
  ((DRY)) && return 0
  ELE_SAID=$(nxpele --family "$FAMILY" "${CONNECTION[@]}" "$@" </dev/null) ||
    fail "nxpele got no answer. Is the board at U-Boot's prompt (fastboot 0, or --port), and is \
its U-Boot built with the ELE commands?"
}

said() {
  sed -n "s/^ *$1: *//p" <<<"$ELE_SAID" | head -n 1
}

# ---- reading ------------------------------------------------------------------------------

read_device() {
  ask_ele get-info
  if ((DRY)); then
    SOC=$SOC_IMX93 LIFE_CYCLE=OEM_OPEN UID_OF_BOARD=$EXAMPLE_UID FUSED=example
  else
    SOC=$(said 'SoC ID') LIFE_CYCLE=$(said 'Life Cycle') UID_OF_BOARD=$(said UUID)
    FUSED=$(said 'OEM SRKH')
    SOC=${SOC##* } LIFE_CYCLE=${LIFE_CYCLE%% *}
  fi
  [[ $UID_OF_BOARD =~ ^[0-9a-f]{32}$ ]] || fail "nxpele get-info: no UUID in its answer"
  [[ ${SOC,,} == "$SOC_IMX93" ]] || refuse wrong-chip \
    "the chip says it is $SOC, and an i.MX 93 says $SOC_IMX93. Other families have other fuses at \
these numbers: what is burnt there would be something else"
  say "  board $UID_OF_BOARD, life cycle $LIFE_CYCLE, SRK hash $FUSED"
}

read_events() {
  ask_ele get-events
  EVENTS=0
  ((DRY)) || EVENTS=$(said 'Event count')
  [[ $EVENTS =~ ^[0-9]+$ ]] || fail "nxpele get-events: no count in its answer"
}

read_fuse() {
  ask_ele read-common-fuse --index "$1"
  FUSE=0x00000000
  ((DRY)) && return 0
  FUSE=$(said "Fuse ID_$1")
  [[ $FUSE =~ ^0x[0-9A-Fa-f]{8}$ ]] || fail "nxpele read-common-fuse $1: no value in its answer"
}

# All eight words against the hash's. Sets FUSES to blank, equal, part or other; part is what a
# burning that was interrupted leaves.
read_fuses() {
  local i blank=0 equal=0
  mapfile -t WORDS < <(fuse_words "$SRK_HASH")
  for ((i = 0; i < FUSE_COUNT; i++)); do
    read_fuse $((FUSE_FIRST + i))
    if ((FUSE == WORDS[i])); then
      equal=$((equal + 1))
    elif ((FUSE == 0)); then
      blank=$((blank + 1))
    fi
  done
  FUSES=part
  ((blank + equal == FUSE_COUNT)) || FUSES=other
  ((equal < FUSE_COUNT)) || FUSES=equal
  ((blank < FUSE_COUNT)) || FUSES=blank
}

must_be_open() {
  [[ $LIFE_CYCLE == OEM_OPEN ]] || refuse not-open \
    "the life cycle is $LIFE_CYCLE, not OEM_OPEN: what is to be done here is done before closing"
}

show_status() {
  stage 'The board'
  need_tool nxpele
  read_device
  read_events
  say "  events $EVENTS"
  record status "uid=$UID_OF_BOARD" "lifeCycle=$LIFE_CYCLE" "srkHash=$FUSED" "events=$EVENTS"
}

# ---- fuses --------------------------------------------------------------------------------

show_fuses() {
  local i
  stage 'Fuses: the SRK hash, eight words'
  mapfile -t WORDS < <(fuse_words "$SRK_HASH")
  for ((i = 0; i < FUSE_COUNT; i++)); do
    say "    $(quoted nxpele --family "$FAMILY" "${CONNECTION[@]}" write-fuse \
      --index $((FUSE_FIRST + i)) --data "${WORDS[i]}")"
  done
  say "  The same at U-Boot's prompt, which asks for each one: fuse prog 16 0 ${WORDS[*]}"
  record fuses "srkHash=$SRK_HASH" "words=${WORDS[*]}"
}

burn_word() {
  run nxpele --family "$FAMILY" "${CONNECTION[@]}" write-fuse --index "$1" --data "$2"
  read_fuse "$1"
  ((DRY)) || ((FUSE == $2)) ||
    fail "fuse $1 reads $FUSE after $2 was written. Stop here: do not close this board"
}

burn_words() {
  local i
  for ((i = 0; i < FUSE_COUNT; i++)); do
    read_fuse $((FUSE_FIRST + i))
    if ((DRY)) || ((FUSE != WORDS[i])); then burn_word $((FUSE_FIRST + i)) "${WORDS[i]}"; fi
  done
}

burn_fuses() {
  stage 'Burning the SRK hash'
  need_tool nxpele
  read_device
  must_be_open
  read_fuses
  ((DRY)) && FUSES=blank
  [[ $FUSES != other ]] || refuse fuses-other \
    "the fuses of board $UID_OF_BOARD hold another hash ($FUSED) already, and bits go only from 0 \
to 1. This board takes images of that other set, for ever"
  if [[ $FUSES == equal ]]; then
    passed 'the fuses hold this hash already; nothing to burn'
    record burn "uid=$UID_OF_BOARD" "srkHash=$SRK_HASH" already=yes
    return 0
  fi
  confirm "burn ${SRK_HASH:0:16}" "Board $UID_OF_BOARD will take images signed with the SRK set
$SRK_HASH, and with no other set, for ever."
  # a burning that is cut off has its line, too; and without a record nothing is burnt
  record burning "uid=$UID_OF_BOARD" "srkHash=$SRK_HASH"
  burn_words
  read_fuses
  [[ $FUSES == equal ]] || ((DRY)) || fail 'the fuses do not read back equal'
  answered 'all eight words read back equal'
  record burn "uid=$UID_OF_BOARD" "srkHash=$SRK_HASH" already=no
  say "  Now power the board off and on, let it start the signed flash.bin from its own medium,"
  say "  stop in U-Boot, and run 'prove'."
}

# ---- proof and closing --------------------------------------------------------------------

# The enclave's own word; whether it gives the words as numbers or as bytes, releases differ.
ele_has_hash() {
  local words
  printf -v words '%s' "${WORDS[@]#0x}"
  [[ $FUSED == "$SRK_HASH" || $FUSED == "$words" ]]
}

check_fused() {
  read_fuses
  ((DRY)) || { [[ $FUSES == equal ]] && ele_has_hash; } || refuse fuses-not-equal \
    "the fuses of board $UID_OF_BOARD do not hold $SRK_HASH (read: $FUSES, ELE says $FUSED). \
Closed like this it would never start again"
}

check_events() {
  read_events
  ((EVENTS == 0)) || refuse events \
    "AHAB noted $EVENTS events since this boot: what started was not signed as the fuses want. \
An open board starts it all the same; a closed one would not. \
See them with 'nxpele get-events', or ahab_status in U-Boot"
}

# After a boot of the signed image on an open board: AHAB had nothing to say against it.
prove_boot() {
  stage 'Proof: the signed image started, and AHAB noted nothing'
  need_tool nxpele
  read_device
  must_be_open
  check_fused
  check_events
  answered 'no events, and the fuses are equal'
  record prove "uid=$UID_OF_BOARD" "image=${IMAGE_HASH:-example}" "srkHash=$SRK_HASH" events=0
}

# A dry run does not know which board it is about.
check_proof() {
  local board=("uid=$UID_OF_BOARD")
  if ((DRY)) && [[ ! -s $RECORD || ! $IMAGE_HASH ]]; then
    supposed "that the record has this board's proof with this image"
    return 0
  fi
  ((!DRY)) || board=()
  recorded prove "${board[@]}" "image=${IMAGE_HASH:-example}" "srkHash=$SRK_HASH" || refuse \
    not-proven "$RECORD has no proof that board $UID_OF_BOARD started this very image \
(${IMAGE_HASH:-example}) without events. Burn, power off and on, run 'prove'; then close"
  passed 'the record has the proof'
}

# Its signing may be in another record than the one that is kept at the board.
is_factory_image() {
  ((FACTORY)) || recorded sign "image=${IMAGE_HASH:-example}" factory=1 ||
    { [[ $IMAGE == "$WORK/flash.bin" ]] && grep -qs '^# with: .*factory=1' "$WORK/flash.yaml"; }
}

close_device() {
  stage 'Closing the device'
  ! is_factory_image || refuse factory-image "a board is closed with its final image. This one \
programs RPMB keys, and is for one boot in the factory"
  need_tool nxpele
  read_device
  must_be_open
  check_fused
  check_events
  check_proof
  confirm "close $UID_OF_BOARD" "Board $UID_OF_BOARD will start nothing but what the SRK set
$SRK_HASH signed. An image that is not right, or lost keys, make it scrap."
  record closing "uid=$UID_OF_BOARD" "image=${IMAGE_HASH:-example}" "srkHash=$SRK_HASH"
  run nxpele --family "$FAMILY" "${CONNECTION[@]}" forward-lifecycle-update \
    --lifecycle oem_closed
  record close "uid=$UID_OF_BOARD" "image=${IMAGE_HASH:-example}" "srkHash=$SRK_HASH"
  say "  Power the board off and on. 'status' then has to say OEM_CLSD. Only now provision it:"
  say "  scripts/provision.sh, with this record."
}
