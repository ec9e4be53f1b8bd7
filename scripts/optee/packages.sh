# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What comes from Debian's archive: sources of the secure world, and the packages of the guest.
# Sourced by build_optee_env.sh. apt verifies all of it; nothing is installed on this machine
# but what OPTEE_BUILD_PACKAGES names, and nothing of it is of another architecture.

# What compiles firmware, TA and daemon. clang because it needs no libc of the target but the
# one in the unpacked packages.
# shellcheck disable=SC2034 # build_optee_env.sh's
readonly OPTEE_BUILD_PACKAGES=(ca-certificates make gcc libc6-dev gcc-aarch64-linux-gnu clang-19
  libssl-dev openssl device-tree-compiler python3-cryptography python3-pyelftools dpkg-dev
  meson ninja-build pkg-config cpio xz-utils)
# Sources and the suite of each. OP-TEE: the oldest release without the known advisories.
readonly OPTEE_SOURCES=(optee-os/sid arm-trusted-firmware/trixie libsecp256k1/trixie)
# Unpacked with all that they depend on: what the daemon links, and what the guest runs.
readonly OPTEE_LIBRARIES=(libc6-dev libgcc-14-dev libteec2 libuv1-dev libcurl4-openssl-dev
  libsecp256k1-dev libsodium-dev libssl-dev libcmocka-dev libyyjson-dev libllhttp-dev
  optee-client-dev)
# Unpacked as they are.
readonly OPTEE_PROGRAMS=(tee-supplicant busybox-static u-boot-qemu ca-certificates)
readonly OPTEE_KERNEL=linux-image-cloud-arm64

# The kernel's package is named by version, which the metapackage depends on.
kernel_package() {
  apt-cache depends "$OPTEE_KERNEL" | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p'
}

download_all() {
  local directory=$1 kernel
  export APT_CONFIG=$directory/apt.conf
  apt-get update || return 1
  # With an empty status, all that a package depends on is "to be installed".
  apt-get install --download-only -y --no-install-recommends "${OPTEE_LIBRARIES[@]}" || return 1
  kernel=$(kernel_package)
  [[ $kernel ]] || return 1
  cd "$directory/packages" || return 1
  apt-get download "$kernel" "${OPTEE_PROGRAMS[@]}" || return 1
  mkdir "$directory/source" && cd "$directory/source" || return 1
  apt-get source --download-only "${OPTEE_SOURCES[@]}"
}

fetch_everything() {
  local archive directory=$1
  while read -r archive; do
    write_private_apt "$directory" "$archive" arm64 'deb trixie' 'deb-src trixie' 'deb-src sid'
    if (download_all "$directory"); then
      return 0
    fi
  done < <(archives)
  return 1
}

# Unpacks a source package under a name without its version. apt has compared its files with
# the signed index; the maintainer's own signature would need a keyring that few have.
unpack_source() {
  local name=$1 directory=$2 final=$3
  rm -rf "$final"
  dpkg-source --no-check -x "$directory"/source/"${name}"_*.dsc "$final"
}

unpack_everything() {
  local directory=$1 package
  rm -rf "$OPTEE/sysroot" "$OPTEE/kernel" "$OPTEE/u-boot.bin"
  mkdir -p "$OPTEE"/{sysroot,kernel,source}
  ln -s usr/lib "$OPTEE/sysroot/lib"
  for package in "$directory"/cache/archives/*.deb "$directory"/packages/*.deb; do
    case ${package##*/} in
    linux-image-*) dpkg-deb -x "$package" "$OPTEE/kernel" || return 1 ;;
    *) dpkg-deb -x "$package" "$OPTEE/sysroot" || return 1 ;;
    esac
  done
  for package in "${OPTEE_SOURCES[@]%/*}"; do
    unpack_source "$package" "$directory" "$OPTEE/source/$package" || return 1
  done
}

# What was fetched, for whoever asks which versions an image holds.
record_versions() {
  local directory=$1
  (cd "$directory" && sha256sum cache/archives/*.deb packages/*.deb source/*) |
    sed 's|  .*/|  |' | LC_ALL=C sort -k 2 >"$OPTEE/versions.txt"
}

# Debian's part changes when this list does, or when it is asked for anew.
packages_stamp() {
  printf '1 %s\n' "${OPTEE_SOURCES[@]}" "${OPTEE_LIBRARIES[@]}" "${OPTEE_PROGRAMS[@]}" \
    "$OPTEE_KERNEL"
}

# Whether newer ones are wanted: 0 or 1. What is there stays until the new ones have been fetched.
get_packages() {
  local directory=$OPTEE/apt
  if (($1 == 0)) && stamped packages "$(packages_stamp)"; then
    done_step "nothing to do"
    return
  fi
  logged optee-packages fetch_and_unpack "$directory" || return 1
  stamp packages "$(packages_stamp)"
  done_step "$(wc -l <"$OPTEE/versions.txt") files"
}

fetch_and_unpack() {
  fetch_everything "$1" || return 1
  rm -f "$OPTEE/stamps/packages"
  unpack_everything "$1" && record_versions "$1" && rm -rf "$1"
}
