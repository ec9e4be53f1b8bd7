# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What goes into flash.bin, and what must not. Sourced, after lib.sh and bytes.sh.

# OP-TEE's public default keys for Trusted Applications, by the first bytes of their moduli: of
# 4.6 and later, and of those before. Their private halves are in OP-TEE's sources.
readonly DEFAULT_TA_KEYS=(e9ee82639f0bcdded5c5bfc1f64e3b5fc7eebe4604f0ed69
  a65a18adc0b3cee30c902b7d409bacbb5a4988420ab1e092)

# Each input: the name it has below INPUTS, and what it is.
readonly INPUT_NAMES=(
  'mx93a1-ahab-container.img:the ELE firmware, signed by NXP'
  'lpddr4_imem_1d*.bin:DDR training firmware' 'lpddr4_imem_2d*.bin:DDR training firmware'
  'lpddr4_dmem_1d*.bin:DDR training data' 'lpddr4_dmem_2d*.bin:DDR training data'
  'u-boot-spl.bin:U-Boot SPL' 'bl31*.bin:TF-A' 'u-boot.bin:U-Boot' 'tee.bin:OP-TEE')
declare -A INPUT=()

find_input() {
  local pattern=$1 what=$2 matches
  # the pattern is a pattern: exactly one file may fit
  # shellcheck disable=SC2206
  matches=("$INPUTS"/$pattern)
  if [[ ! -e ${matches[0]} ]]; then
    ((DRY)) || fail "--inputs: no $pattern ($what) in '$INPUTS'"
    INPUT[$pattern]=$INPUTS/${pattern//\*/}
    return 0
  fi
  ((${#matches[@]} == 1)) || fail "--inputs: more than one $pattern in '$INPUTS': ${matches[*]}"
  plain_path --inputs "${matches[0]}"
  [[ -s ${matches[0]} ]] || fail "--inputs: '${matches[0]}' is empty"
  INPUT[$pattern]=${matches[0]}
}

# ---- OP-TEE -------------------------------------------------------------------------------

conf_value() {
  sed -n "s/^$1=//p" "$OPTEE_CONF" | tail -n 1
}

conf_must() {
  local name=$1 wanted=$2 code=$3 value
  value=$(conf_value "$name")
  [[ $value == "$wanted" ]] || refuse "$code" "$OPTEE_CONF: $name is '$value'. $4"
}

# What a build's own record says of it.
check_optee_conf() {
  local start
  if [[ ! $OPTEE_CONF ]]; then
    supposed_or_warn
    return 0
  fi
  [[ -s $OPTEE_CONF ]] || fail "--optee-conf: '$OPTEE_CONF' is missing or empty"
  [[ "$(conf_value PLATFORM)-$(conf_value PLATFORM_FLAVOR)" == imx-mx93evk ]] ||
    refuse optee-platform "$OPTEE_CONF: OP-TEE was built for \
$(conf_value PLATFORM)-$(conf_value PLATFORM_FLAVOR). mx8mqevk and the like have other addresses \
and no ELE driver: it would not start on this chip. Build PLATFORM=imx-mx93evk"
  conf_must CFG_INSECURE n optee-insecure 'With y OP-TEE takes constants where it lacks a hardware \
secret: the storage key is then the same on every board'
  conf_must CFG_RPMB_FS y optee-rpmb 'Without RPMB whoever owns the disk puts older storage back'
  [[ $(conf_value CFG_REE_FS) == n ]] || conf_must CFG_REE_FS_INTEGRITY_RPMB y optee-rpmb \
    'Files of the normal world without their root hash in RPMB are put back unnoticed'
  conf_must CFG_RPMB_TESTKEY n rpmb-test-key 'The test key is in the sources of OP-TEE, and an \
RPMB key is programmed once in a life: with it the protection against rollback is gone for good'
  ((FACTORY)) || conf_must CFG_RPMB_WRITE_KEY n rpmb-write-key 'An image that programs RPMB keys \
hands the key over the bus of any board with a blank eMMC. It belongs into the factory, for one \
boot: --factory'
  start=$(conf_value CFG_TZDRAM_START)
  [[ $start =~ ^0x[0-9A-Fa-f]{1,8}$ ]] || start=0x0
  ((start == TEE_ADDRESS)) || refuse tee-address \
    "$OPTEE_CONF: CFG_TZDRAM_START is '$start', and the container loads OP-TEE at \
$(printf '0x%x' "$TEE_ADDRESS"): it would run where it was not linked. Both, and TF-A's BL32_BASE, \
must be one address"
  passed "$OPTEE_CONF: imx-mx93evk, CFG_INSECURE=n, RPMB without test key, at $start"
}

supposed_or_warn() {
  if ((DRY)); then
    supposed 'conf.mk: imx-mx93evk, CFG_INSECURE=n, CFG_RPMB_TESTKEY=n, CFG_RPMB_WRITE_KEY=n'
  else
    say '  NOT CHECKED: how OP-TEE was built; give its conf.mk with --optee-conf'
  fi
}

# The binary's own word: which Trusted Applications it would run.
check_tee_binary() {
  local file=$1 key modulus
  [[ $(hex_at "$file" 0 4) != 4f505445 ]] || refuse tee-header \
    "$file begins with OP-TEE's own header, and would be run from its first byte. Take \
tee-raw.bin of the build and name it tee.bin"
  for key in "${DEFAULT_TA_KEYS[@]}"; do
    ! holds_bytes "$file" "$key" || refuse ta-test-key \
      "$file trusts OP-TEE's default key, which everybody has: anybody's Trusted Application \
would run under our UUID and read our keys. Build with TA_PUBLIC_KEY, and sign with sign_ta.sh"
  done
  [[ $TA_PUBLIC ]] || return 0
  modulus=$(openssl rsa -pubin -in "$TA_PUBLIC" -noout -modulus 2>/dev/null) ||
    fail "--ta-public-key: '$TA_PUBLIC' is no RSA public key in PEM"
  modulus=${modulus#Modulus=}
  holds_bytes "$file" "${modulus,,}" || refuse ta-key \
    "$file does not hold the key of $TA_PUBLIC: it would not run the Trusted Application"
  passed "$file trusts the key of $TA_PUBLIC"
}

# ---- random numbers ------------------------------------------------------------------------

# What the layer's patch says when it has no seed: where this is in the binary, the seed is the
# enclave's. Releases that were mended in another way are judged by their tee.elf.
readonly SEED_TEXT='The enclave gives no random numbers'

# Both begin with the same code, or the elf says nothing of the binary. Towards their ends they
# differ: there is what is put right only in the binary.
check_same_build() {
  local file=$1 headers type from length
  length=$(stat -L -c %s -- "$file")
  ((length <= 262144)) || length=262144
  [[ $(hex_at "$OPTEE_ELF" 0 5) == 7f454c4602 ]] || fail "--optee-elf: '$OPTEE_ELF' is no ELF file"
  forget_window
  number headers "$OPTEE_ELF" 32 8
  number type "$OPTEE_ELF" "$headers" 4
  number from "$OPTEE_ELF" $((headers + 8)) 8
  ((type == 1)) || fail "--optee-elf: '$OPTEE_ELF' does not begin with what is loaded"
  [[ $(piece "$OPTEE_ELF" "$from" "$length" | sha256sum) == \
    "$(piece "$file" 0 "$length" | sha256sum)" ]] ||
    refuse optee-random "$OPTEE_ELF is of another build than $file, and says nothing of it"
}

check_elf() {
  local check=$HERE/../../meta-superrelay/recipes-security/optee-imx/files/check-optee.sh
  local objdump=${OBJDUMP:-aarch64-linux-gnu-objdump} said
  [[ -s $OPTEE_ELF ]] || fail "--optee-elf: '$OPTEE_ELF' is missing or empty"
  require_tool "$objdump"
  [[ ! -s $1 ]] || check_same_build "$1"
  said=$(bash "$check" core "$objdump" "$OPTEE_ELF" 2>&1) ||
    refuse optee-random "$OPTEE_ELF: $said"
  passed "$OPTEE_ELF: random numbers are seeded by the enclave"
}

check_random() {
  local file=${INPUT[tee.bin]} text
  if [[ $OPTEE_CONF ]]; then
    conf_must CFG_IMX_ELE y optee-random 'Without the EdgeLock Enclave there is neither a key of \
the chip nor a source of random numbers'
  fi
  if [[ $OPTEE_ELF ]]; then
    check_elf "$file"
    return 0
  fi
  text=$(printf '%s' "$SEED_TEXT" | hex_of -)
  if [[ ! -s $file ]]; then
    supposed 'tee.bin: random numbers are seeded by the enclave'
  elif holds_bytes "$file" "$text" ||
    [[ $OPTEE_CONF && $(conf_value CFG_WITH_SOFTWARE_PRNG) == n ]]; then
    passed "${file##*/}: random numbers are the enclave's"
  elif [[ $OPTEE_CONF ]]; then
    refuse optee-random "$file does not show that its random numbers are seeded by the enclave: \
OP-TEE up to 4.10 seeds them with the time since power-on, and keys made of them can be guessed. \
Build it with the layer's patch, or give the build's tee.elf with --optee-elf"
  else
    say '  NOT CHECKED: what seeds random numbers; give --optee-conf, or --optee-elf'
  fi
}

# ---- all ----------------------------------------------------------------------------------

# NXP's container is authenticated by the ROM alone; here only its form can be looked at.
check_ele_container() {
  local flags
  forget_window
  [[ $(hex_at "$1" 0 1) == 00 && $(hex_at "$1" 3 1) == 87 ]] || refuse not-a-container \
    "$1 does not begin with the tag of an AHAB container (version 0, tag 0x87)"
  number flags "$1" 4 4
  ((flags % 16 == 1)) || fail "$1: this container is not signed by NXP"
}

check_inputs() {
  local row
  stage "Inputs, in $INPUTS"
  plain_path --inputs "$INPUTS"
  for row in "${INPUT_NAMES[@]}"; do find_input "${row%%:*}" "${row#*:}"; done
  check_optee_conf
  if [[ -s ${INPUT[tee.bin]} ]]; then
    check_tee_binary "${INPUT[tee.bin]}"
  else
    supposed 'tee.bin: raw, and without the default key for Trusted Applications'
  fi
  check_random
  if [[ -s ${INPUT[mx93a1-ahab-container.img]} ]]; then
    check_ele_container "${INPUT[mx93a1-ahab-container.img]}"
  fi
  for row in "${INPUT_NAMES[@]}"; do record_input "${row%%:*}"; done
}

record_input() {
  local file=${INPUT[$1]} hash=example
  if [[ -s $file ]]; then
    hash=$(sha256_of "$file")
    passed "${file##*/}  $hash"
  else
    supposed "${file##*/}"
  fi
  record input "name=${file##*/}" "sha256=$hash"
}
