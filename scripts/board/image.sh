# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# SPSDK's configurations, the signed containers, flash.bin, and where it goes. Sourced, after
# lib.sh, bytes.sh, srk.sh and inputs.sh.

# What SPSDK would take for the secret itself; a path is that of a file that has it.
readonly SECRETS='(^|;)[a-z0-9_]*(pin|pass|passwd|password|passphrase|secret|token|api_key)=[^/;]'

# ---- configurations -----------------------------------------------------------------------

yaml_head() {
  printf '# SPDX-License-Identifier: Apache-2.0\n# Written by %s.\n' "$PROGRAM"
  printf 'family: %s\nrevision: a1\n' "$FAMILY"
}

# What the options were when the configurations were written, for sign to look at.
config_line() {
  printf '# with: srk=%s revoke=%s fuse-version=%s encrypt=%s factory=%s\n' \
    "$SRK_INDEX" "$REVOKE" "$FUSE_VERSION" "$ENCRYPT" "$FACTORY"
}

# An option that is given at signing and differs from config's would do nothing, silently; and an
# image that programs RPMB keys stays one, whoever forgets to say so.
compare_config() {
  local pair name line
  [[ -s $WORK/flash.yaml ]] || return 0
  line=$(sed -n 's/^# with: //p' "$WORK/flash.yaml")
  for pair in $line; do
    name=${pair%%=*}
    [[ ! ${GIVEN[$name]:-} || " $(config_line) " == *[[:space:]]"$pair"[[:space:]]* ]] || refuse \
      config-differs "the configurations in '$WORK' were written with $pair, and --$name says \
something else now. Run 'config' with the same options first, then 'sign'"
    [[ $name != factory ]] || FACTORY=${pair#*=}
  done
}

# How SPSDK signs: with a file, or with whatever --signer names (a token, a server).
signer_text() {
  if [[ $SIGNER ]]; then
    printf '%s' "$SIGNER"
  else
    printf 'type=%s;file_path=%s' "$( ((ENCRYPT)) && printf interactive_file || printf file)" \
      "$(absolute "$KEYS")/srk$SRK_INDEX.pem"
  fi
}

yaml_signed() {
  local i
  cat <<END
  - container:
      srk_set: oem
      used_srk_id: $SRK_INDEX
      srk_revoke_mask: '$REVOKE'
      fuse_version: $FUSE_VERSION
      sw_version: 0
      signer: '$(signer_text)'
      srk_table:
        flag_ca: false
        hash_algorithm: default
        srk_array:
END
  for i in 0 1 2 3; do printf "          - '%s/srk/srk%d.pub'\n" "$(absolute "$WORK")" "$i"; done
  printf '      images:\n'
}

input_path() {
  absolute "${INPUT[$1]}"
}

yaml_spl() {
  yaml_head
  cat <<END
target_memory: standard
output: spl.bin
containers:
  - binary_container:
      path: '$(input_path mx93a1-ahab-container.img)'
$(yaml_signed)
        - lpddr_imem_1d: '$(input_path 'lpddr4_imem_1d*.bin')'
          lpddr_imem_2d: '$(input_path 'lpddr4_imem_2d*.bin')'
          lpddr_dmem_1d: '$(input_path 'lpddr4_dmem_1d*.bin')'
          lpddr_dmem_2d: '$(input_path 'lpddr4_dmem_2d*.bin')'
          spl_ddr: '$(input_path u-boot-spl.bin)'
END
}

# OP-TEE is in this container: what is signed with U-Boot and TF-A, and nowhere else on the medium.
yaml_u_boot() {
  local address
  printf -v address '0x%x' "$TEE_ADDRESS"
  yaml_head
  cat <<END
target_memory: standard
output: u-boot-atf.bin
containers:
$(yaml_signed)
        - atf: '$(input_path 'bl31*.bin')'
        - uboot: '$(input_path u-boot.bin)'
        - tee: '$(input_path tee.bin)'
          load_address: '$address'
          entry_point: '$address'
END
}

yaml_flash() {
  yaml_head
  config_line
  printf 'memory_type: serial_downloader\noutput: flash.bin\ninit_offset: 0\n'
  printf 'post_export: fuses\nspl: spl.bin\nuboot: u-boot-atf.bin\n'
}

write_config() {
  local name=$1 text
  text=$("$2")
  say "  $WORK/$name:"
  while IFS= read -r line; do say "    $line"; done <<<"$text"
  ((DRY)) || whole_file "$WORK/$name" <<<"$text"
}

write_configs() {
  stage "SPSDK's configurations"
  [[ ! $SIGNER || $SIGNER =~ ^type=[A-Za-z0-9_=\;:/.,@+-]+$ ]] ||
    usage_error '--signer: expected SPSDK'"'"'s form, type=NAME;name=value;…'
  [[ ! ${SIGNER,,} =~ $SECRETS && ! $SIGNER =~ ://[^/\;]*:[^/\;]*@ ]] || refuse \
    secret-in-argv "--signer has a secret in it: every process of this machine reads it in the \
list of processes, and it would lie in '$WORK'. Change it now; name a file that has it, by its \
whole path, or let the provider ask for it"
  # the key's own word, should --encrypt have been forgotten
  if [[ ! $SIGNER && -r $KEYS/srk$SRK_INDEX.pem ]] &&
    grep -q ENCRYPTED "$KEYS/srk$SRK_INDEX.pem"; then ENCRYPT=1; fi
  (((REVOKE >> SRK_INDEX & 1) == 0)) || refuse revoked-key \
    "--revoke $REVOKE revokes key $SRK_INDEX, which is to sign: the image would be its own last"
  write_config spl.yaml yaml_spl
  write_config u-boot-atf.yaml yaml_u_boot
  write_config flash.yaml yaml_flash
  record config "srk=$SRK_INDEX" "revoke=$REVOKE" "fuseVersion=$FUSE_VERSION" "factory=$FACTORY"
}

# ---- signing ------------------------------------------------------------------------------

made() {
  local file=$WORK/$1
  ((DRY)) && return 0
  [[ -s $file ]] || fail "the tool said it was done, and '$file' is not there"
  passed "$1: $(stat -c %s "$file") bytes, $(sha256_of "$file")"
}

sign_image() {
  stage 'Signed containers and flash.bin'
  if [[ $KEYS ]] && ((!DRY)); then
    check_key_directory "$KEYS"
    check_key_files "$KEYS"
  fi
  need_tool nxpimage
  run nxpimage --version
  run rm -f -- "$WORK"/{spl,u-boot-atf,flash}.bin
  run nxpimage ahab export --config "$WORK/spl.yaml"
  made spl.bin
  run nxpimage ahab export --config "$WORK/u-boot-atf.yaml"
  made u-boot-atf.bin
  compare_tool_hash
  run nxpimage ahab verify --family "$FAMILY" --problems --binary "$WORK/spl.bin"
  run nxpimage ahab verify --family "$FAMILY" --problems --binary "$WORK/u-boot-atf.bin"
  run nxpimage bootable-image export --config "$WORK/flash.yaml"
  made flash.bin
  IMAGE=$WORK/flash.bin IMAGE_HASH=example
  ((DRY)) || IMAGE_HASH=$(sha256_of "$IMAGE")
  record sign "image=$IMAGE_HASH" "factory=$FACTORY"
}

# SPSDK writes the hash that it would burn; ours was computed without it.
compare_tool_hash() {
  local file hash
  for file in "$WORK"/ahab_oem*_hash.txt; do
    [[ -s $file ]] || continue
    hash=$(<"$file")
    [[ ${hash,,} == "$SRK_HASH" ]] || refuse srk-hash \
      "SPSDK's $file says ${hash,,}, and the table of these public keys has $SRK_HASH"
    passed "${file##*/}: SPSDK computed the same SRK hash"
  done
}

# ---- where it goes ------------------------------------------------------------------------

# The ROM reads from the beginning of an eMMC's boot partition, and at 32 KiB of an SD card or of
# an eMMC's user area.
write_commands() {
  local name size=example
  name=$(quoted "if=${IMAGE##*/}")
  stage 'Writing it, on the board'
  ! have image "$IMAGE" || { check_first_container "$IMAGE" && size=$(stat -c %s "$IMAGE"); }
  cat <<END
  Nothing is written by this script. Look at the device's name twice (lsblk); then, into the
  eMMC's first boot partition, which the ROM reads from its beginning:

    echo 0 > /sys/block/mmcblk0boot0/force_ro
    dd $name of=/dev/mmcblk0boot0 bs=64K conv=fsync
    echo 1 > /sys/block/mmcblk0boot0/force_ro
    mmc bootpart enable 1 0 /dev/mmcblk0
    head -c $size /dev/mmcblk0boot0 | sha256sum

  or onto an SD card, or into the eMMC's user area, 32 KiB in, before the first partition:

    dd $name of=/dev/mmcblk1 bs=1K seek=32 conv=notrunc,fsync
    dd if=/dev/mmcblk1 bs=1K skip=32 status=none | head -c $size | sha256sum

  and compare: $([[ -s $IMAGE ]] && sha256_of "$IMAGE" || printf 'the hash of %s' "${IMAGE##*/}")
  OP-TEE is inside it. No other place on the medium holds an OP-TEE that anything reads.
END
}
