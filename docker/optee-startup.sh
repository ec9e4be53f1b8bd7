#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts phase 1: QEMU with OP-TEE in the secure world and the relay in the normal one. Prints a
# line when the relay says that it is ready, and stays until the machine ends. SIGTERM and SIGINT
# shut the guest down in good order.
#
#   optee-startup.sh                   start
#   optee-startup.sh relay ARGUMENT…   run a subcommand of super-relay in the running guest, for
#                                      example: relay keys list --json
#   optee-startup.sh healthcheck       status 0 when the relay is ready
#
# Environment (default):
#   SR_OPTEE_IMAGE    directory of flash.bin, uboot-env.bin, Image, rootfs.cpio
#   SR_OPTEE_STATE    directory of what persists and of the logs: disk.img, logs/, run/
#   SR_CONFIG         the relay's configuration; variables that it names are handed in, too
#   ETH_NODE_URL …    such variables; 127.0.0.1 and localhost in a URL mean this machine
#   SR_OPTEE_LISTEN   address of the forwarded ports (127.0.0.1)
#   SR_RPC_PORT, SR_API_PORT   the relay's ports on that address (3000, 9000)
#   SR_OPTEE_WAIT     seconds within which the relay must be ready, 0 for no limit (120)
#   SR_OPTEE_CPU, SR_OPTEE_CPUS, SR_OPTEE_MEMORY   of the machine (max, 2, 1024 MiB); the image's TA
#                     asks the processor for random numbers and dies on one that has none
#   SR_OPTEE_DISK     MiB of the persistent disk when it is made (256)
#   SR_OPTEE_FOLLOW   "yes" writes the relay's log to standard output, too (no)
#   SR_OPTEE_LOG_MIB  a log of more than so many MiB becomes NAME.log.1 (32)
# and for tests: SR_OPTEE_FORWARD ("HOSTPORT:GUESTPORT …"), SR_OPTEE_EXTRA_INITRD (a cpio laid
# over the root file system), SR_OPTEE_QEMU_ARGS, SR_OPTEE_RELAY=no (no relay in the guest).
set -euo pipefail

HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
readonly HERE
readonly IMAGE=${SR_OPTEE_IMAGE:-$HERE/build/optee/image}
readonly STATE=${SR_OPTEE_STATE:-$HERE/.dev/optee}
readonly CONFIG=${SR_CONFIG:-$HERE/config/optee-config.toml}
readonly LISTEN=${SR_OPTEE_LISTEN:-127.0.0.1}
readonly RPC_PORT=${SR_RPC_PORT:-3000} API_PORT=${SR_API_PORT:-9000}
readonly WAIT=${SR_OPTEE_WAIT:-120}
readonly RUN=$STATE/run STATE_LOGS=$STATE/logs
# How long the guest may take to shut down before it is ended.
readonly SHUTDOWN_SECONDS=30
# What the guest sees the machine as that QEMU runs on.
readonly HOST_FROM_GUEST=10.0.2.2
readonly LOG_LIMIT=$((${SR_OPTEE_LOG_MIB:-32} * 1024 * 1024))
INITRD=$IMAGE/rootfs.cpio
QEMU_PID=
KEEPER_PID=
STOPPING=0

fail() {
  printf 'optee-startup: %s\n' "$*" >&2
  exit 1
}

check_image() {
  local file
  for file in flash.bin uboot-env.bin Image rootfs.cpio; do
    [[ -r $IMAGE/$file ]] || fail "there is no $IMAGE/$file; scripts/build_optee_env.sh makes it"
  done
  [[ -f $CONFIG && -r $CONFIG ]] || fail "SR_CONFIG: cannot read '$CONFIG'"
  # QEMU's options are divided by commas, and a Unix socket's path has room for 107 bytes.
  [[ $IMAGE$STATE != *,* ]] || fail "SR_OPTEE_IMAGE, SR_OPTEE_STATE: no comma may be in them"
  ((${#RUN} + 13 <= 107)) || fail "SR_OPTEE_STATE: the path is too long for a socket: $STATE"
}

# Made once and never again: what is on it are the keys. The name appears when it is complete.
make_disk() {
  local disk=$STATE/disk.img
  [[ -e $disk ]] && return
  [[ ! -L $disk ]] || fail "$disk leads nowhere; is its volume mounted?"
  rm -f "$disk.new"
  # All of it at once: a machine that finds no room for its storage later could only stop.
  fallocate -l "${SR_OPTEE_DISK:-256}M" "$disk.new" || fail "there is no room for $disk"
  mke2fs -q -F -t ext4 -L super-relay -E root_owner=0:0 "$disk.new" ||
    fail "mke2fs could not make the persistent disk"
  sync "$disk.new"
  mv "$disk.new" "$disk"
}

# The variables that the configuration names, but for those that the guest's own shell lives by.
config_variables() {
  # shellcheck disable=SC2016 # the configuration's own notation
  grep -o '\${[A-Za-z_][A-Za-z0-9_]*' "$CONFIG" | tr -d '${' | LC_ALL=C sort -u |
    grep -vxE 'PATH|HOME|IFS|ENV|PWD|SHELL|LD_.*|SR_(RPC|API)_LISTEN'
}

# For the shell of the guest. A URL of this machine is another one from there.
assignment() {
  local value=$2
  if [[ $value == http://* || $value == https://* ]]; then
    value=$(sed -E "s#(https?://([^/@]*@)?)(127\.0\.0\.1|localhost|\[::1\])([:/,]|\$)#\1$HOST_FROM_GUEST\4#g" \
      <<<"$value")
  fi
  printf "%s='%s'\n" "$1" "${value//\'/\'\\\'\'}"
}

# The relay's ports are the guest's own matter: 3000 and 9000, on all its addresses.
write_environment() {
  local name value
  while read -r name; do
    # From the environment, and not this script's own variables.
    if value=$(printenv "$name"); then assignment "$name" "$value"; fi
  done < <(config_variables)
  printf 'SR_RPC_LISTEN=0.0.0.0:3000\nSR_API_LISTEN=0.0.0.0:9000\n'
}

# A disk of one tar archive: the guest unpacks it at boot. Node URLs can hold access keys, hence
# the umask.
write_handover() {
  local directory=$RUN/handover
  mkdir -p "$directory"
  chmod 750 "$directory"
  cp "$CONFIG" "$directory/config.toml"
  chmod 640 "$directory/config.toml"
  write_environment >"$directory/environment"
  chmod 640 "$directory/environment"
  [[ ${SR_OPTEE_RELAY-} != no ]] || : >"$directory/no-relay"
  tar -C "$directory" -cf "$RUN/handover.tar" .
  rm -rf "$directory"
}

make_run_directory() {
  umask 077
  mkdir -p "$RUN" "$STATE_LOGS"
  exec 9>"$STATE/lock"
  flock -n 9 || fail "a machine with this state is running already: $STATE"
  rm -rf "${RUN:?}"/*
  mkfifo "$RUN/control.in" "$RUN/control.out"
  cp "$IMAGE/uboot-env.bin" "$RUN/uboot-env.img"
  # The size that the machine's second flash has.
  truncate -s 64M "$RUN/uboot-env.img"
  if [[ ${SR_OPTEE_EXTRA_INITRD-} ]]; then
    INITRD=$RUN/rootfs.cpio
    cat "$IMAGE/rootfs.cpio" "$SR_OPTEE_EXTRA_INITRD" >"$INITRD"
  fi
  write_handover
}

# The processor: "max" has the random number instruction, which QEMU serves from the kernel's
# generator; with the extensions named, this OP-TEE does not start TAs.
processor() {
  local model=${SR_OPTEE_CPU:-max}
  if [[ $model == max ]]; then
    model+=,sve=off,sme=off,pauth-impdef=on
  fi
  printf '%s' "$model"
}

forwards() {
  local pair
  printf ',hostfwd=tcp:%s:%d-:3000,hostfwd=tcp:%s:%d-:9000' "$LISTEN" "$RPC_PORT" "$LISTEN" \
    "$API_PORT"
  for pair in ${SR_OPTEE_FORWARD-}; do
    printf ',hostfwd=tcp:%s:%d-:%d' "$LISTEN" "${pair%:*}" "${pair#*:}"
  done
}

qemu_arguments() {
  # shellcheck disable=SC2054 # the commas are the options' own
  QEMU=(qemu-system-aarch64 -nodefaults -nographic -no-reboot
    -machine "virt,secure=on,gic-version=3,acpi=off" -cpu "$(processor)"
    -smp "${SR_OPTEE_CPUS:-2}" -m "${SR_OPTEE_MEMORY:-1024}"
    -bios "$IMAGE/flash.bin"
    -drive "if=pflash,unit=1,format=raw,readonly=on,file=$RUN/uboot-env.img"
    -kernel "$IMAGE/Image" -initrd "$INITRD"
    -append "console=ttyAMA0,38400 quiet panic=5 random.trust_cpu=on"
    # Flushes reach the disk: what the TEE has stored is there after a power cut, too. An error is
    # the guest's to see, whose file system then ends the machine; QEMU would wait for ever.
    -drive "if=none,id=data,format=raw,cache=writeback,werror=report,file=$STATE/disk.img"
    -device virtio-blk-pci,drive=data
    -drive "if=none,id=handover,format=raw,readonly=on,file=$RUN/handover.tar"
    -device virtio-blk-pci,drive=handover
    -netdev "user,id=n0$(forwards)" -device virtio-net-pci,netdev=n0,romfile=
    -object rng-random,id=rng0,filename=/dev/urandom -device virtio-rng-pci,rng=rng0
    -device virtio-serial-pci
    -chardev "pipe,id=control,path=$RUN/control"
    -device virtserialport,chardev=control,name=super-relay.control
    -chardev "file,id=relay,path=$STATE_LOGS/relay.log,append=on"
    -device virtserialport,chardev=relay,name=super-relay.log
    -chardev "socket,id=console,path=$RUN/console.sock,server=on,wait=off,logfile=$STATE_LOGS/normal.log,logappend=on"
    -serial chardev:console
    -chardev "file,id=secure,path=$STATE_LOGS/secure.log,append=on"
    -serial chardev:secure
    -qmp "unix:$RUN/qmp.sock,server=on,wait=off" -monitor none)
  # shellcheck disable=SC2206 # words
  QEMU+=(${SR_OPTEE_QEMU_ARGS-})
}

running() {
  [[ $QEMU_PID ]] && kill -0 "$QEMU_PID" 2>/dev/null
}

# Seconds that the relay may take to answer.
ready() {
  curl -sf --noproxy '*' --max-time "$1" -o /dev/null "http://$(reachable):$RPC_PORT/ready"
}

# An address to reach the forwarded ports at.
reachable() {
  if [[ $LISTEN == 0.0.0.0 ]]; then printf 127.0.0.1; else printf '%s' "$LISTEN"; fi
}

shut_down() {
  STOPPING=1
  trap '' INT TERM
  local deadline=$((SECONDS + SHUTDOWN_SECONDS))
  running || return 0
  printf 'optee-startup: shutting the guest down\n'
  # Opened for both ways, since opening a pipe for one waits for the other end.
  printf '0 poweroff\n' 1<>"$RUN/control.in"
  while running && ((SECONDS < deadline)); do sleep 0.1; done
  if running; then
    printf 'optee-startup: the guest did not end within %d s and is ended\n' "$SHUTDOWN_SECONDS" >&2
    kill -KILL "$QEMU_PID"
    return 1
  fi
  rm -f "$RUN/handover.tar"
}

# The logs are appended to, so a copy can be taken of one, and it be emptied, while QEMU writes.
rotate_logs() {
  local log
  for log in "$STATE_LOGS"/*.log; do
    (($(stat -c %s "$log" 2>/dev/null || echo 0) > LOG_LIMIT)) || continue
    # Emptied even where there is no room for the copy; what is written in between is lost.
    cp "$log" "$log.1" || true
    : >"$log"
  done
}

# What the last boot has written is not this one's.
set_logs_aside() {
  local log
  for log in "$STATE_LOGS"/*.log; do
    [[ ! -e $log ]] || mv "$log" "$log.1"
  done
}

keep_logs() {
  while sleep 20 && running; do rotate_logs; done
}

follow_logs() {
  rotate_logs
  keep_logs </dev/null >/dev/null 2>&1 9>&- &
  KEEPER_PID=$!
  [[ ${SR_OPTEE_FOLLOW-} != yes ]] ||
    tail -q -n 0 --pid="$QEMU_PID" -F "$STATE_LOGS/relay.log" 2>/dev/null 9>&- &
}

show_ends() {
  local log
  for log in qemu secure normal relay; do
    [[ -s $STATE_LOGS/$log.log ]] || continue
    printf -- '--- the end of %s.log:\n' "$log" >&2
    tail -n 15 "$STATE_LOGS/$log.log" | tr -d '\r' >&2
  done
}

# Why the relay is not ready: what it answers, or what it last wrote before it ended.
obstacle() {
  local answer
  if answer=$(curl -s --noproxy '*' --max-time 5 "http://$(reachable):$RPC_PORT/ready"); then
    printf '%s' "$answer"
  else
    tail -n 1 "$STATE_LOGS/relay.log" 2>/dev/null | tr -d '\r' || true
  fi
}

await_ready() {
  local deadline=$((SECONDS + WAIT)) began=$1 reason='' told=$((SECONDS + 10))
  [[ ${SR_OPTEE_RELAY-} != no ]] || return 0
  # A short wait: while the guest has no network yet, nobody answers at all.
  until ready 1; do
    running || return 1
    if ((SECONDS >= told)) && [[ $reason != "$(obstacle)" ]]; then
      reason=$(obstacle)
      printf 'optee-startup: not ready yet: %s\n' "$reason"
    fi
    if ((WAIT > 0 && SECONDS >= deadline)); then
      printf 'optee-startup: the relay was not ready within %d s\n' "$WAIT" >&2
      return 1
    fi
    sleep 0.1
  done
  # The answer may have been another's, whose port it was.
  running || return 1
  printf 'optee-startup: ready after %d.%01d s, on port %d\n' \
    $((($(date +%s%N) - began) / 1000000000)) $((($(date +%s%N) - began) / 100000000 % 10)) \
    "$RPC_PORT"
}

start() {
  local began status=0
  check_image
  make_run_directory
  set_logs_aside
  make_disk
  qemu_arguments
  trap 'if shut_down; then exit 0; else exit 1; fi' TERM INT
  trap '[[ -z $KEEPER_PID ]] || kill "$KEEPER_PID" 2>/dev/null || true' EXIT
  began=$(date +%s%N)
  setpriv --pdeathsig KILL "${QEMU[@]}" </dev/null >>"$STATE_LOGS/qemu.log" 2>&1 &
  QEMU_PID=$!
  follow_logs
  if ! await_ready "$began"; then
    shut_down || true
    show_ends
    exit 1
  fi
  wait "$QEMU_PID" || status=$?
  rm -f "$RUN/handover.tar"
  ((STOPPING)) || { show_ends && fail "the machine ended by itself (status $status)"; }
}

# One request at a time: the answers share a pipe.
relay_command() {
  local number=$$.$RANDOM answered status out err
  local argument
  for argument; do
    [[ $argument != *[[:space:]]* ]] || fail "no argument may hold white space: '$argument'"
  done
  [[ -p $RUN/control.in ]] || fail "no machine with this state is running: $STATE"
  # QEMU holds the lock, too: it is free only when the machine has ended.
  ! flock -n "$STATE/lock" true || fail "no machine with this state is running: $STATE"
  # What QEMU opens last: before it reads the pipe, what is written there is lost.
  until [[ -S $RUN/qmp.sock ]] || ((SECONDS > 20)); do sleep 0.1; done
  exec 8>"$STATE/control.lock"
  flock -w 120 8 || fail "other requests do not come to their end"
  printf '%s relay %s\n' "$number" "$*" 1<>"$RUN/control.in"
  while read -r -t 60 answered status out err; do
    [[ $answered == "$number" ]] || continue
    [[ $out == - ]] || base64 -d <<<"$out"
    [[ $err == - ]] || base64 -d <<<"$err" >&2
    exit "$status"
  done 0<>"$RUN/control.out"
  fail "the guest did not answer within 60 s"
}

case ${1-} in
'') start ;;
relay)
  shift
  relay_command "$@"
  ;;
healthcheck) ready 5 ;;
*)
  sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0" >&2
  exit 2
  ;;
esac
