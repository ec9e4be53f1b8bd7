# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Super root keys: four key pairs, the table of the public ones, its hash, the fuse words.
# Sourced, after lib.sh and bytes.sh.

# What stands before the point in a DER public key, and the codes of AHAB's SRK record: the key's
# size, the coordinates' length, the hash that goes with the curve.
# shellcheck disable=SC2034 # DIGEST is ahab.sh's
curve_facts() {
  case $1 in
  P-384)
    SPKI=3076301006072a8648ce3d020106052b8104002203620004
    KEY_CODE=02 HASH_CODE=01 COORDINATE=48 DIGEST=sha384
    ;;
  P-521)
    SPKI=30819b301006072a8648ce3d020106052b810400230381860004
    KEY_CODE=03 HASH_CODE=02 COORDINATE=66 DIGEST=sha512
    ;;
  *) usage_error "--curve: P-384 or P-521, not '$1'" ;;
  esac
}

# ---- where private keys lie ---------------------------------------------------------------

# As git looks for it, up to the ceiling that git knows.
in_a_checkout() {
  local at
  at=$(realpath -m -- "$1")
  while [[ $at != / && :${GIT_CEILING_DIRECTORIES:-}: != *":$at:"* ]]; do
    [[ -e $at/.git ]] && return 0
    at=$(dirname "$at")
  done
  return 1
}

check_key_directory() {
  local mode
  [[ $(realpath -m -- "$1")/ != "$(realpath -m -- "$WORK")"/* ]] || refuse keys-in-work \
    "'$1' is in the --work directory '$WORK', which goes to the machine at the board, and has no \
secret. Name a directory elsewhere"
  ! in_a_checkout "$1" || refuse keys-in-checkout \
    "'$1' is inside a checkout: sooner or later somebody commits it, and whoever has these keys \
signs firmware for every board with this SRK hash. Name a directory elsewhere"
  [[ -d $1 ]] || return 0
  mode=$(stat -L -c %a -- "$1")
  (((8#$mode & 8#077) == 0)) || refuse keys-readable \
    "the key directory '$1' has mode $mode: others can read it. chmod 700 it, and if others have \
used this machine meanwhile, make new keys"
}

check_key_files() {
  local file mode
  for file in "$1"/*.pem; do
    [[ -e $file ]] || continue
    mode=$(stat -L -c %a -- "$file")
    (((8#$mode & 8#077) == 0)) || refuse keys-readable \
      "the private key '$file' has mode $mode: others can read it. chmod 600 it, and if others \
have used this machine meanwhile, make new keys"
  done
}

# ---- keys ---------------------------------------------------------------------------------

# How many of the four files srkN with this ending are there.
count_of() {
  local i count=0
  for i in 0 1 2 3; do [[ ! -s $1/srk$i.$2 ]] || count=$((count + 1)); done
  printf '%d' "$count"
}

# Made aside, and moved when there are four: half a set is never taken for one.
make_private_keys() {
  local i aside=$KEYS/.unfinished cipher=()
  [[ $ENCRYPT == 0 ]] || cipher=(-aes256)
  run rm -rf -- "$aside"
  run mkdir -p -- "$aside"
  for i in 0 1 2 3; do
    run openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$CURVE" \
      -pkeyopt ec_param_enc:named_curve "${cipher[@]}" -out "$aside/srk$i.pem"
  done
  run chmod 600 "$aside"/srk{0,1,2,3}.pem
  run mv -n -- "$aside"/srk{0,1,2,3}.pem "$KEYS/"
  run rmdir -- "$aside"
}

# A public half that is there already stays, if it is this key's.
make_public_key() {
  local private=$KEYS/srk$1.pem public=$WORK/srk/srk$1.pub
  run openssl pkey -in "$private" -pubout -out "$public.new"
  if ((!DRY)) && [[ -s $public && $(<"$public") != "$(<"$public.new")" ]]; then
    rm -f -- "$public.new"
    fail "'$public' is of another key than '$private', and is left as it is: boards in the field \
may know its set"
  fi
  run mv -- "$public.new" "$public"
}

make_public_keys() {
  local i
  run mkdir -p -- "$WORK/srk"
  for i in 0 1 2 3; do make_public_key "$i"; done
}

# What is there is never replaced: boards in the field know its hash.
make_keys() {
  local private public
  stage "Super root keys: four, $CURVE, in $KEYS"
  check_key_directory "$KEYS"
  check_key_files "$KEYS"
  need_tool openssl
  private=$(count_of "$KEYS" pem) public=$(count_of "$WORK/srk" pub)
  ((public < 4)) || fail "'$WORK/srk' has a set already, and is left as it is; a new set needs a \
new --work and a new --keys directory, since boards in the field know the old one's hash"
  ((private == 0 || private == 4)) ||
    fail "'$KEYS' has $private of a set's four keys: a run was cut off, or somebody took some. If \
no set was ever made of them, remove them"
  if ((private == 4)); then
    say "  The private keys are there and are kept; this takes their public halves."
  else
    (umask 077 && make_private_keys)
  fi
  make_public_keys
  record keys "curve=$CURVE" count=4 "directory=$KEYS"
  say "  Who has one of these keys signs firmware for every board with their hash, and who loses"
  say "  all four updates none of them ever again. Make them on a machine without a network, and"
  say "  keep two copies in two places. The build machine needs $WORK/srk, the public halves, only."
}

# ---- table --------------------------------------------------------------------------------

# The point of a public key, in hexadecimal; anything but a named curve's is refused by its length.
public_point() {
  local der
  der=$(openssl pkey -pubin -in "$1" -outform DER 2>/dev/null | od -An -v -t x1 | tr -d ' \n') ||
    fail "$1: no public key in PEM"
  [[ $der == "$SPKI"* && ${#der} -eq $((${#SPKI} + 4 * COORDINATE)) ]] ||
    fail "$1: not a public key on $CURVE; the four of a set are of one curve"
  printf '%s' "${der:${#SPKI}}"
}

# Two keys that are one make a set of three: revoking one revokes the other.
read_points() {
  local i point
  POINTS=()
  for i in 0 1 2 3; do
    point=$(public_point "$1/srk$i.pub")
    [[ " ${POINTS[*]} " != *" $point "* ]] ||
      fail "two of the four public keys in '$1' are the same"
    POINTS+=("$point")
  done
}

# Of AHAB's records: tag E1, length, ECDSA, hash, size of the key, the coordinates' lengths, they.
srk_table_hex() {
  local head length point records=''
  length=$(le16 "$COORDINATE")
  head=e1$(le16 $((12 + 2 * COORDINATE)))27$HASH_CODE${KEY_CODE}0000$length$length
  for point in "${POINTS[@]}"; do records+=$head$point; done
  printf 'd7%s42%s' "$(le16 $((4 + ${#records} / 2)))" "$records"
}

compare_srk_hash() {
  [[ ! $EXPECTED_HASH || $SRK_HASH == "$EXPECTED_HASH" ]] || refuse srk-hash \
    "these public keys have the hash $SRK_HASH, and ${1:-expected} is $EXPECTED_HASH. Fuses that \
hold one hash never take another: a board with the other hash would not boot what these keys sign"
}

make_table() {
  local known=$WORK/srk.hash table=''
  stage 'SRK table and its hash'
  if have 'public key' "$WORK/srk/srk0.pub"; then
    read_points "$WORK/srk"
    table=$(srk_table_hex)
    SRK_HASH=$(binary "$table" | sha256sum | cut -d ' ' -f 1)
    [[ ! -s $known || $(<"$known") == "$SRK_HASH" ]] || refuse srk-hash \
      "$known says $(<"$known"), and the public keys beside it have the hash $SRK_HASH: somebody \
changed the set. Use the set that goes with the hash, or start in a new --work directory"
    compare_srk_hash --srk-hash
    if ((!DRY)); then
      binary "$table" | whole_file "$WORK/srk.table"
      whole_file "$known" <<<"$SRK_HASH"
    fi
    passed "the table has $((${#table} / 2)) bytes, and this SHA-256:"
  else
    supposed 'the table of four public keys'
    compare_srk_hash --srk-hash
  fi
  say "        $SRK_HASH"
  record table "srkHash=$SRK_HASH" "curve=$CURVE"
}
