#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the secure world of the i.MX 93 as the Yocto layer has it, but with Debian's sources and
# cross compiler: OP-TEE OS for imx-mx93evk with the layer's flags and patches, and the TA by its
# dev kit. It shows that flags, patches and TA fit together; a board's image comes from the layer.
#
#   build/imx93/source   OP-TEE's source with the layer's patches
#   build/imx93/os       the core (conf.mk, core/tee*.bin) and the dev kit
#   build/imx93/ta       the TA
#
#   scripts/optee/imx93.sh
#
# Environment: SR_TA_SIGN_KEY, as in build_optee_env.sh. What has not changed is not made again.
# Sourced by dev/optee.sh.
set -euo pipefail

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
fi
# shellcheck source=scripts/build_optee_env.sh
declare -F build_optee >/dev/null || source scripts/build_optee_env.sh

readonly IMX93=$ROOT/build/imx93
readonly IMX93_LAYER=meta-superrelay/recipes-security/optee-imx
readonly IMX93_FLAGS=$IMX93_LAYER/optee-os-superrelay.inc
readonly IMX93_CHECK=$IMX93_LAYER/files/check-optee.sh
# What meta-freescale gives OP-TEE for this machine.
readonly IMX93_PLATFORM=(PLATFORM=imx-mx93evk CFG_ARM64_core=y CFG_USER_TA_TARGETS=ta_arm64 DEBUG=0)

# The values of one of the file's two lists, a line each. A line of another form would be understood
# by bitbake alone, and the build would not be the layer's.
imx93_flags() {
  if grep -nvE '^(#.*|SUPERRELAY_(OPTEE|TA)_FLAGS \+= "CFG_[A-Z0-9_]+=[A-Za-z0-9_]+")?$' \
    "$IMX93_FLAGS" >&2; then
    printf '%s: these lines are no flags\n' "$IMX93_FLAGS" >&2
    return 1
  fi
  sed -n "s/^SUPERRELAY_$1_FLAGS += \"\(.*\)\"\$/\1/p" "$IMX93_FLAGS"
}

# A tree of its own: that of the emulated machine has another patch. It stands in build/optee with
# that patch or without, since it is patched when it is compiled.
prepare_imx93_source() {
  local patch
  local -a apply=(patch --directory="$IMX93/source" --strip=1 --force --silent --fuzz=0)
  rm -rf "$IMX93/source"
  mkdir -p "$IMX93"
  cp -a "$OPTEE/source/optee-os" "$IMX93/source" || return 1
  if "${apply[@]}" --reverse --dry-run <"$OPTEE_PATCH" >/dev/null 2>&1; then
    "${apply[@]}" --reverse <"$OPTEE_PATCH" || return 1
  fi
  for patch in "$IMX93_LAYER"/files/*.patch; do
    "${apply[@]}" <"$patch" || return 1
  done
}

# Sources without a sound seed are not compiled, and what was compiled has to be sound, too: a core
# that is refused goes at once.
compile_imx93_os() {
  local -a flags
  rm -rf "$IMX93/os"
  prepare_imx93_source || return 1
  bash "$IMX93_CHECK" source "$IMX93/source" || return 1
  mapfile -t flags < <(imx93_flags OPTEE)
  ((${#flags[@]} > 0)) || return 1
  nice "${GUARD[@]}" make -C "$IMX93/source" -j "$(nproc)" --no-print-directory \
    CROSS_COMPILE="$CROSS_PREFIX" PYTHON3="$PYTHON" O="$IMX93/os" \
    TA_SIGN_KEY="$TA_KEY" TA_PUBLIC_KEY="$TA_KEY" "${IMX93_PLATFORM[@]}" "${flags[@]}" || return 1
  # The dev kit's copy of the private key is one too many.
  rm -rf "$IMX93/os/export-ta_arm64/keys"
  bash "$IMX93_CHECK" core "${CROSS_PREFIX}objdump" "$IMX93/os/core/tee.elf" &&
    bash "$IMX93_CHECK" key "$PYTHON" "$IMX93/source" "$IMX93/os/core"
}

# Its output is what the TA is compiled with: a refused one must not be left over.
make_imx93_os() {
  compile_imx93_os && return
  rm -rf "$IMX93/os"
  return 1
}

imx93_os_inputs() {
  cat "$OPTEE/versions.txt" "$OPTEE_PATCH" "$IMX93_FLAGS" "$IMX93_CHECK" \
    "$IMX93_LAYER"/files/*.patch scripts/optee/imx93.sh | sha256sum
}

build_imx93_os() {
  local wanted
  imx93_flags OPTEE >/dev/null || return 1
  wanted="$(imx93_os_inputs) $(ta_public_key)"
  if stamped imx93-os "$wanted" && [[ -e $IMX93/os/core/tee-raw.bin ]]; then
    done_step "nothing to do"
    return
  fi
  logged imx93-os make_imx93_os || return 1
  stamp imx93-os "$wanted"
  done_step
}

compile_imx93_ta() {
  local -a flags
  mapfile -t flags < <(imx93_flags TA)
  ((${#flags[@]} > 0)) || return 1
  nice "${GUARD[@]}" make -C ta/super_relay_ta -j "$(nproc)" --no-print-directory \
    PYTHON3="$PYTHON" CROSS_COMPILE="$CROSS_PREFIX" TA_DEV_KIT_DIR="$IMX93/os/export-ta_arm64" \
    SECP256K1_DIR="$OPTEE/source/libsecp256k1" TA_SIGN_KEY="$TA_KEY" O="$IMX93/ta" "${flags[@]}"
}

# make itself finds out which sources changed. Another core begins anew.
build_imx93_ta() {
  local wanted
  wanted=$(cat "$OPTEE/stamps/imx93-os")
  if ! stamped imx93-ta "$wanted"; then
    rm -rf "$IMX93/ta"
  fi
  logged imx93-ta compile_imx93_ta || return 1
  stamp imx93-ta "$wanted"
  done_step
}

# One at a time, with the emulated machine's build: both use its sources and its key. In a shell of
# its own: a caller's count of steps goes on, and apt's own user may not come to the tests' scratch.
build_imx93() (
  unset TMPDIR
  mkdir -p "$OPTEE" "$LOGS"
  exec 8>"$OPTEE/lock"
  flock 8
  steps 4
  step "Debian packages"
  install_packages "${OPTEE_BUILD_PACKAGES[@]}" || return 1
  step "sources and arm64 packages, into build/optee"
  get_packages 0 || return 1
  step "OP-TEE for the i.MX 93 and its TA dev kit"
  make_ta_key || return 1
  build_imx93_os || return 1
  step "Trusted Application"
  build_imx93_ta || return 1
)

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  (($# == 0)) || {
    script_help "$0" >&2
    exit 2
  }
  build_imx93
  printf 'build/imx93 is ready\n'
fi
