# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The secure world and what starts it: the key that TAs are signed with, OP-TEE with its TA dev
# kit, TF-A, U-Boot's environment, and the kernel. Sourced by build_optee_env.sh.

# The virt machine of QEMU is OP-TEE's "vexpress-qemu_armv8a". The core logs errors alone, and goes
# without the assertions that are for its developers; its unwinder stays in, so that an abort in
# the TA can be symbolised.
readonly OPTEE_SETTINGS=(PLATFORM=vexpress-qemu_armv8a CFG_ARM64_core=y
  CFG_USER_TA_TARGETS=ta_arm64 CFG_ARM_GICV3=y DEBUG=0 CFG_TEE_CORE_DEBUG=n CFG_CC_OPT_LEVEL=2
  CFG_TEE_CORE_LOG_LEVEL=1 CFG_TEE_TA_LOG_LEVEL=1 CFG_UNWIND=y CFG_PKCS11_TA=n
  CFG_ENABLE_EMBEDDED_TESTS=n CFG_ATTESTATION_PTA=y)
readonly OPTEE_PATCH=scripts/optee/optee-os.patch
readonly CROSS_PREFIX=aarch64-linux-gnu-
# A python3 from elsewhere on PATH need not have the modules of Debian's.
readonly PYTHON=/usr/bin/python3

# The TAs' signing key of this checkout, made once. An image trusts this key and no other: not
# the one that is published with OP-TEE, with which anybody can sign.
make_ta_key() {
  TA_KEY=${SR_TA_SIGN_KEY:-$OPTEE/keys/ta-signing.pem}
  if [[ ${SR_TA_SIGN_KEY-} ]]; then
    # make runs elsewhere.
    TA_KEY=$(readlink -f "$TA_KEY")
    openssl rsa -in "$TA_KEY" -check -noout >/dev/null 2>&1 ||
      die "SR_TA_SIGN_KEY: '$SR_TA_SIGN_KEY' is no RSA private key in PEM that can be read"
    return
  fi
  [[ ! -r $TA_KEY ]] || return 0
  mkdir -p "${TA_KEY%/*}"
  (umask 077 && openssl genrsa -out "$TA_KEY.new" 3072 2>/dev/null) || return 1
  mv "$TA_KEY.new" "$TA_KEY"
}

ta_public_key() {
  openssl rsa -in "$TA_KEY" -pubout 2>/dev/null
}

# What can be taken back is there already.
patch_optee() {
  local -a apply=(patch --directory="$OPTEE/source/optee-os" --strip=1 --force --silent)
  "${apply[@]}" --reverse --dry-run <"$OPTEE_PATCH" >/dev/null 2>&1 || "${apply[@]}" <"$OPTEE_PATCH"
}

compile_optee() {
  rm -rf "$OPTEE/optee-os"
  patch_optee || return 1
  make -C "$OPTEE/source/optee-os" -j "$(nproc)" --no-print-directory \
    CROSS_COMPILE="$CROSS_PREFIX" PYTHON3="$PYTHON" O="$OPTEE/optee-os" \
    TA_SIGN_KEY="$TA_KEY" TA_PUBLIC_KEY="$TA_KEY" "${OPTEE_SETTINGS[@]}" || return 1
  # The dev kit's copy of the private key is one too many.
  rm -rf "$OPTEE/optee-os/export-ta_arm64/keys"
}

build_optee_os() {
  local wanted
  wanted=$(cat "$OPTEE/versions.txt" "$OPTEE_PATCH" | sha256sum)
  wanted+=$(printf ' %s' "${OPTEE_SETTINGS[@]}")$(ta_public_key)
  if stamped optee-os "$wanted" && [[ -e $OPTEE/optee-os/core/tee-raw.bin ]]; then
    done_step "nothing to do"
    return
  fi
  logged optee-os compile_optee || return 1
  stamp optee-os "$wanted"
  done_step
}

compile_firmware() {
  local core=$OPTEE/optee-os/core
  rm -rf "$OPTEE/tf-a"
  make -C "$OPTEE/source/arm-trusted-firmware" -j "$(nproc)" --no-print-directory \
    CROSS_COMPILE="$CROSS_PREFIX" BUILD_BASE="$OPTEE/tf-a" PLAT=qemu \
    QEMU_USE_GIC_DRIVER=QEMU_GICV3 SPD=opteed BL32="$core/tee-header_v2.bin" \
    BL32_EXTRA1="$core/tee-pager_v2.bin" BL32_EXTRA2="$core/tee-pageable_v2.bin" \
    BL32_RAM_LOCATION=tdram BL33="$OPTEE/sysroot/usr/lib/u-boot/qemu_arm64/u-boot.bin" \
    all fip || return 1
  # By a new name first: a machine may be starting from the old one.
  cp "$OPTEE/tf-a/qemu/release/qemu_fw.bios" "$IMAGE/flash.bin.new" || return 1
  mv "$IMAGE/flash.bin.new" "$IMAGE/flash.bin"
}

# U-Boot's own load address would put the kernel over the memory that OP-TEE shares with it,
# and its pause before booting is for people. The block is a CRC-32, little-endian, and what it
# covers; gzip ends its output with that very checksum.
make_uboot_environment() {
  local block=$OPTEE/uboot-env size=$((0x40000 - 4))
  {
    printf 'bootdelay=0\0fdt_addr=0x40000000\0'
    printf 'bootcmd=qfw load 0x44000000 0x48000000; '
    # shellcheck disable=SC2016 # U-Boot expands them
    printf 'booti 0x44000000 0x48000000:${filesize} ${fdt_addr}\0\0'
  } >"$block" || return 1
  truncate -s "$size" "$block" || return 1
  { gzip -c "$block" | tail -c 8 | head -c 4 && cat "$block"; } >"$IMAGE/uboot-env.bin" || return 1
  rm "$block"
}

make_firmware() {
  compile_firmware && make_uboot_environment && cp "$OPTEE"/kernel/boot/vmlinuz-* "$IMAGE/Image"
}

build_firmware() {
  local wanted
  wanted=$(cat "$OPTEE/versions.txt" "$OPTEE/optee-os/core/tee-raw.bin" \
    scripts/optee/firmware.sh | sha256sum)
  if stamped firmware "$wanted" &&
    [[ -e $IMAGE/flash.bin && -e $IMAGE/uboot-env.bin && -e $IMAGE/Image ]]; then
    done_step "nothing to do"
    return
  fi
  mkdir -p "$IMAGE"
  logged optee-firmware make_firmware || return 1
  stamp firmware "$wanted"
  done_step
}
