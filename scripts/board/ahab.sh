# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Reads AHAB containers and judges them by openssl and sha256sum alone, so that it is not the tool
# that signed that says that it did. Sourced, after lib.sh, bytes.sh and srk.sh.
#
# A container: header of 16 bytes, images of 128 bytes each, the signature block with SRK table and
# signature. All offsets are from the container's own beginning.

readonly ALIGNMENT=1024 CONTAINERS_MAX=3 IMAGES_MAX=8

check_first_container() {
  forget_window
  [[ $(hex_at "$1" 0 4) == 00????87 ]] || refuse not-a-container \
    "$1 does not begin with the tag of an AHAB container (version 0, tag 0x87), so the ROM would \
read nothing from it. OP-TEE or U-Boot alone boot from no offset: they are signed inside flash.bin"
}

is_container() {
  (($2 + 16 <= $(stat -L -c %s -- "$1"))) && [[ $(hex_at "$1" "$2" 4) == 00????87 ]]
}

# ---- images -------------------------------------------------------------------------------

image_digest() {
  case $1 in
  0) printf sha256sum ;;
  1) printf sha384sum ;;
  2) printf sha512sum ;;
  *) fail "an image has the hash type $1, which is none of SHA-256, 384, 512" ;;
  esac
}

# One entry: the bytes at its offset have its hash. What is NXP's is only measured: its firmware
# may be encrypted, and the ROM judges it.
check_image() {
  local file=$1 container=$2 entry=$3 judge=$4 flags offset size found hash tool
  number offset "$file" "$entry" 4
  number size "$file" $((entry + 4)) 4
  number flags "$file" $((entry + 24)) 4
  number IMAGE_LOAD "$file" $((entry + 8)) 8
  offset=$((container + offset))
  ((SET_END >= offset + size)) || SET_END=$((offset + size))
  ((judge)) || return 0
  (((flags & 0x800) == 0)) ||
    fail "$file: an image at $offset is encrypted; that is not looked into"
  tool=$(image_digest $((flags >> 8 & 7)))
  found=$(piece "$file" "$offset" "$size" | "$tool" | cut -d ' ' -f 1)
  hash=$(hex_at "$file" $((entry + 32)) $((${#found} / 2)))
  [[ $found == "$hash" ]] || fail "$file: the image that loads at $(printf '0x%x' "$IMAGE_LOAD") \
has not the hash that its container names: it was changed after it was signed"
}

check_images() {
  local file=$1 container=$2 judge=$3 count i
  number count "$file" $((container + 11)) 1
  ((count >= 1 && count <= IMAGES_MAX)) || fail "$file: a container of $count images"
  IMAGES_LOADED=''
  for ((i = 0; i < count; i++)); do
    check_image "$file" "$container" $((container + 16 + 128 * i)) "$judge"
    printf -v IMAGES_LOADED '%s 0x%x' "$IMAGES_LOADED" "$IMAGE_LOAD"
  done
}

# ---- signature ----------------------------------------------------------------------------

# A raw signature, r and s, as openssl takes it.
der_signature() {
  local raw=$1 half=$((${#1} / 2))
  printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "${raw:0:half}" "${raw:half}" |
    openssl asn1parse -genconf /dev/stdin -noout -out "$2" >/dev/null
}

signed_by() {
  local file=$1 container=$2 length=$3 point=$4 raw=$5
  # this is called where a failure ends nothing by itself
  scratch_directory
  binary "$SPKI$point" |
    openssl pkey -pubin -inform DER -out "$SCRATCH/key" 2>/dev/null || return 1
  der_signature "$raw" "$SCRATCH/signature" || return 1
  piece "$file" "$container" "$length" >"$SCRATCH/bytes" || return 1
  openssl dgst "-$DIGEST" -verify "$SCRATCH/key" -signature "$SCRATCH/signature" \
    "$SCRATCH/bytes" >/dev/null 2>&1
}

# The SRK table is the fuses' one, and the key that signed is the one that the header names.
check_signature() {
  local file=$1 container=$2 flags=$3 block table signature length hash record raw certificate
  number block "$file" $((container + 12)) 2
  block=$((container + block))
  [[ $(hex_at "$file" $((block + 3)) 1) == 90 ]] || fail "$file: no signature block at $block"
  number certificate "$file" $((block + 4)) 2
  ((certificate == 0)) ||
    fail "$file: the container has a certificate; this flow signs with super root keys only"
  number table "$file" $((block + 6)) 2
  number signature "$file" $((block + 8)) 2
  table=$((block + table)) signature=$((block + signature))
  number length "$file" $((table + 1)) 2
  hash=$(piece "$file" "$table" "$length" | sha256sum | cut -d ' ' -f 1)
  [[ $hash == "$SRK_HASH" ]] || refuse srk-hash \
    "$file: the container at $container was signed with the SRK set $hash, and the fuses' is \
$SRK_HASH. A board with these fuses refuses it, and a closed one does not start any more"
  [[ $(hex_at "$file" "$signature" 8) == 00$(le16 $((8 + 2 * COORDINATE)))d8???????? ]] ||
    fail "$file: the container at $container has no signature of $CURVE's length"
  record=$((table + 4 + (flags >> 4 & 15) * (12 + 2 * COORDINATE)))
  raw=$(hex_at "$file" $((signature + 8)) $((2 * COORDINATE)))
  signed_by "$file" "$container" $((signature - container)) \
    "$(hex_at "$file" $((record + 12)) $((2 * COORDINATE)))" "$raw" ||
    fail "$file: the signature of the container at $container does not verify"
}

# ---- containers ---------------------------------------------------------------------------

# Sets SIGNER_OF to none, nxp or oem. NXP's own can be verified by the ROM only.
check_container() {
  local file=$1 container=$2 flags
  number flags "$file" $((container + 4)) 4
  check_images "$file" "$container" $(((flags & 15) != 1))
  case $((flags & 15)) in
  1) SIGNER_OF=nxp ;;
  2)
    SIGNER_OF=oem
    (((flags >> 8 >> (flags >> 4 & 15) & 1) == 0)) ||
      fail "$file: the container at $container revokes the key that signed it"
    check_signature "$file" "$container" "$flags"
    ;;
  *) refuse unsigned "$file: the container at $container is not signed. An open board starts it \
all the same and only notes an event; a closed board does not start" ;;
  esac
  passed "$(printf 'container at 0x%x: %s, loads at%s' "$container" "$SIGNER_OF" "$IMAGES_LOADED")"
}

# Containers that stand side by side; their images follow them. SET_END is where the next set is.
check_set() {
  local file=$1 begin=$2 at=$2 n=0
  SET_END=0 SET_SIGNERS='' SET_LOADED='' SET_FIRST=$(($2 + 1))
  while ((n < CONTAINERS_MAX && at < SET_FIRST)) && is_container "$file" "$at"; do
    check_container "$file" "$at"
    if ((n == 0)); then
      number SET_FIRST "$file" $((at + 16)) 4
      SET_FIRST=$((at + SET_FIRST))
    fi
    SET_SIGNERS+=" $SIGNER_OF"
    SET_LOADED+=$IMAGES_LOADED
    n=$((n + 1)) at=$((at + ALIGNMENT))
  done
  ((n)) || refuse not-a-container "$(printf '%s: no AHAB container at 0x%x' "$file" "$begin")"
  SET_END=$(((SET_END + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT))
}

check_tee_address() {
  local wanted
  printf -v wanted '0x%x' "$TEE_ADDRESS"
  [[ " $SET_LOADED " == *" $wanted "* ]] || refuse tee-address \
    "$1: nothing in the u-boot-atf container loads at $wanted, where OP-TEE was linked for: it is \
missing, or at another address than CFG_TZDRAM_START (there is:$SET_LOADED)"
}

verify_image() {
  local file=$IMAGE
  stage "Verifying ${file##*/} without NXP's tool"
  if ! have image "$file"; then
    supposed 'begins with an AHAB container; the first set is signed by NXP and by us'
    supposed 'the SRK table in each of our containers has the hash above'
    supposed 'each signature verifies with the key that its header names'
    supposed 'each image has the hash that its container names'
    supposed "OP-TEE is in the second set, at $(printf '0x%x' "$TEE_ADDRESS")"
    record verify "image=${file##*/}" sha256=example "srkHash=$SRK_HASH"
    return 0
  fi
  check_first_container "$file"
  check_set "$file" 0
  [[ $SET_SIGNERS == ' nxp oem' ]] ||
    fail "$file: the first set should be NXP's ELE firmware and our SPL, and is:$SET_SIGNERS"
  check_set "$file" "$SET_END"
  [[ $SET_SIGNERS == ' oem' ]] ||
    fail "$file: the second set should be ours alone, and is:$SET_SIGNERS"
  check_tee_address "$file"
  IMAGE_HASH=$(sha256_of "$file")
  passed "OP-TEE at $(printf '0x%x' "$TEE_ADDRESS"), in a container that our keys signed"
  record verify "image=${file##*/}" "sha256=$IMAGE_HASH" "srkHash=$SRK_HASH"
}
