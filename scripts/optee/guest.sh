# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The guest's normal world and the TA: the daemon for arm64, the TA by OP-TEE's dev kit, and the
# root file system. Sourced by build_optee_env.sh.

readonly TA_UUID=12345678-5b69-11d4-9fee-00c04f4c3456
readonly TRIPLET=aarch64-linux-gnu
# In the order in which they must be loaded; the rest is built into the kernel.
readonly GUEST_MODULES=(net/core/failover drivers/net/net_failover drivers/net/virtio_net
  drivers/block/virtio_blk drivers/char/hw_random/virtio-rng drivers/tee/tee
  drivers/tee/optee/optee)

# Meson's description of a machine of which only unpacked packages are here.
write_cross_file() {
  cat >"$OPTEE/cross.ini" <<END
[binaries]
c = ['clang-19', '--target=$TRIPLET']
ar = '$TRIPLET-ar'
strip = '$TRIPLET-strip'
pkgconfig = 'pkg-config'
pkg-config = 'pkg-config'

[built-in options]
c_args = ['--sysroot=$OPTEE/sysroot']
c_link_args = ['--sysroot=$OPTEE/sysroot']

[properties]
sys_root = '$OPTEE/sysroot'
pkg_config_libdir = ['$OPTEE/sysroot/usr/lib/$TRIPLET/pkgconfig', '$OPTEE/sysroot/usr/share/pkgconfig']

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
END
}

configure_daemon() {
  local directory=$OPTEE/arm64 wanted
  # shellcheck disable=SC2153 # lib.sh's
  wanted="$ROOT $(cat "$OPTEE/versions.txt") $(declare -f write_cross_file configure_daemon)"
  # The cross file names the checkout's place, so a moved checkout configures anew.
  if stamped arm64 "$wanted" && [[ -e $directory/build.ninja ]]; then
    return
  fi
  rm -rf "$directory"
  rm -f "$OPTEE/stamps/arm64-bench"
  write_cross_file
  # The client's header is in the unpacked packages; meson wants the place to exist.
  mkdir -p "$DEPS/include"
  meson setup "$directory" --cross-file "$OPTEE/cross.ini" --buildtype=release || return 1
  stamp arm64 "$wanted"
}

build_daemon() {
  logged optee-arm64-setup configure_daemon || return 1
  logged optee-arm64 ninja -C "$OPTEE/arm64" super-relay || return 1
  done_step
}

# Compiles a TA: output directory, its settings. make itself finds out what changed. All settings
# are given, so that none comes in from the environment.
compile_ta() {
  local output=$1
  shift
  set -- CFG_SR_DEV_IMPORT=n CFG_SR_TA_RNDR=n CFG_SR_TA_TEE_RANDOM_TRUSTED=n CFG_SR_TEST_HOOKS=n "$@"
  make -C ta/super_relay_ta -j "$(nproc)" --no-print-directory PYTHON3="$PYTHON" \
    CROSS_COMPILE="$CROSS_PREFIX" TA_DEV_KIT_DIR="$OPTEE/optee-os/export-ta_arm64" \
    SECP256K1_DIR="$OPTEE/source/libsecp256k1" TA_SIGN_KEY="$TA_KEY" O="$output" "$@"
}

# A directory of build/optee, further make variables. A change of the settings begins anew.
build_ta() {
  local name=$1 wanted
  shift
  wanted=$(printf '%s\n' "${TA_SETTINGS[@]}" "$@" "$(cat "$OPTEE/stamps/optee-os")")
  if ! stamped "$name" "$wanted"; then
    rm -rf "${OPTEE:?}/$name"
  fi
  logged "optee-$name" compile_ta "$OPTEE/$name" "${TA_SETTINGS[@]}" "$@" || return 1
  stamp "$name" "$wanted"
  done_step
}

# Copies the libraries that a program names, and those that they name, into the root.
copy_libraries() {
  local root=$1 name found
  shift
  while read -r name; do
    [[ -e $root/usr/lib/$TRIPLET/$name ]] && continue
    [[ $name == ld-linux-aarch64.so.1 ]] && continue
    found=$OPTEE/sysroot/usr/lib/$TRIPLET/$name
    [[ -e $found ]] || { echo "no library $name among the packages" && return 1; }
    cp -L "$found" "$root/usr/lib/$TRIPLET/$name" || return 1
    copy_libraries "$root" "$found" || return 1
  done < <("$CROSS_PREFIX"readelf -d "$@" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | sort -u)
}

copy_programs() {
  local root=$1 name
  cp "$OPTEE/sysroot/usr/bin/busybox" "$root/usr/bin/" || return 1
  cp "$OPTEE/sysroot/usr/sbin/tee-supplicant" "$root/usr/sbin/" || return 1
  "$CROSS_PREFIX"strip -o "$root/usr/bin/super-relay" "$OPTEE/arm64/super-relay" || return 1
  cp -L "$OPTEE/sysroot/usr/lib/ld-linux-aarch64.so.1" "$root/usr/lib/" || return 1
  # libteec is loaded at run time and named by nobody.
  cp -L "$OPTEE/sysroot/usr/lib/$TRIPLET/libteec.so.2" "$root/usr/lib/$TRIPLET/" || return 1
  copy_libraries "$root" "$root"/usr/{bin/super-relay,sbin/tee-supplicant} \
    "$root/usr/lib/$TRIPLET/libteec.so.2" || return 1
  # The applets that the guest's scripts and whoever debugs it use; busybox cannot be asked for
  # its list here, being a program of another architecture.
  for name in "${GUEST_APPLETS[@]}"; do
    ln -s busybox "$root/usr/bin/$name" || return 1
  done
}

readonly GUEST_APPLETS=(sh ash mount umount insmod ip poweroff reboot touch sync mkdir chown chmod
  chgrp tar sleep usleep su cat base64 tr killall pidof ls ps dmesg vi less grep sed awk head tail
  cp mv rm ln id df du free top date hexdump od sha256sum find wget nc ping printf echo test
  kill env dd stat truncate wc sort cut tee true false expr seq mktemp md5sum readlink uptime
  hostname route ifconfig lsmod devmem timeout nslookup cmp gzip gunzip xargs dirname basename)

copy_modules() {
  local root=$1 module directory
  directory=$(echo "$OPTEE"/kernel/usr/lib/modules/*/kernel)
  for module in "${GUEST_MODULES[@]}"; do
    xz -dc "$directory/$module.ko.xz" >"$root/usr/lib/modules/${module##*/}.ko" || return 1
  done
}

copy_settings() {
  local root=$1 guest=scripts/optee/guest
  cp "$guest"/{passwd,group,inittab} "$root/etc/" || return 1
  cp "$guest"/{start,stop} "$root/etc/init.d/" || return 1
  cp "$guest"/{supplicant,relay,control,port} "$root/usr/lib/super-relay/" || return 1
  echo 'nameserver 10.0.2.3' >"$root/etc/resolv.conf"
  echo '127.0.0.1 localhost' >"$root/etc/hosts"
  cat "$OPTEE"/sysroot/usr/share/ca-certificates/mozilla/*.crt \
    >"$root/etc/ssl/certs/ca-certificates.crt"
}

fill_root() {
  local root=$1
  rm -rf "$root"
  mkdir -p "$root"/{dev,proc,sys,run,tmp,var/lib,etc/init.d,etc/super-relay/rc.d,etc/ssl/certs} \
    "$root"/usr/{bin,sbin,"lib/$TRIPLET",lib/optee_armtz,lib/modules,lib/super-relay} || return 1
  ln -s usr/bin "$root/bin" && ln -s usr/sbin "$root/sbin" && ln -s usr/lib "$root/lib" || return 1
  ln -s bin/busybox "$root/init" || return 1
  copy_programs "$root" && copy_modules "$root" && copy_settings "$root" || return 1
  cp "$OPTEE/ta/$TA_UUID.ta" "$root/usr/lib/optee_armtz/" || return 1
  chmod 444 "$root"/usr/lib/optee_armtz/*.ta
}

# Packs a directory as the kernel wants an initial root file system: directory, file.
pack_root() {
  (cd "$1" && find . -print0 | LC_ALL=C sort -z |
    cpio --null --create --quiet --format=newc --owner=0:0 --reproducible) >"$2.new" || return 1
  mv "$2.new" "$2"
}

make_root() {
  fill_root "$OPTEE/root" && pack_root "$OPTEE/root" "$IMAGE/rootfs.cpio"
}

root_inputs() {
  cat "$OPTEE/versions.txt" "$OPTEE/arm64/super-relay" "$OPTEE/ta/$TA_UUID.ta" \
    scripts/optee/guest.sh scripts/optee/guest/* | sha256sum
}

build_root() {
  local wanted
  wanted=$(root_inputs)
  if stamped root "$wanted" && [[ -e $IMAGE/rootfs.cpio ]]; then
    done_step "nothing to do"
    return
  fi
  logged optee-root make_root || return 1
  stamp root "$wanted"
  done_step
}
