# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Runs bench-kms in an emulated machine of its own: signing in OP-TEE through the whole path, and
# natively beside it. Sourced by optee.sh.

readonly BENCH_SECONDS=${SR_OPTEE_BENCH_SECONDS:-30}
# Boot, keys, and rounds that a busy machine draws out.
readonly BENCH_LIMIT=$((BENCH_SECONDS + 180))
readonly BENCH_STATE=$STATE/optee-bench
readonly BENCH_END='bench-kms ended with status'
BENCH_MACHINE=

# The reference is libsecp256k1 as the TA has it, natively: Meson must know its sources.
build_bench() {
  if ! grep -q native-ta-sources "$OPTEE/arm64/build.ninja"; then
    meson configure "$OPTEE/arm64" "-Dsecp256k1_source=$OPTEE/source/libsecp256k1" || return 1
  fi
  "${GUARD[@]}" ninja -C "$OPTEE/arm64" tests/bench-kms
}

# What is laid over the root file system: the program, and what starts it at boot. Its output
# goes to a channel of its own.
pack_bench() {
  local root=$BENCH_STATE/root
  mkdir -p "$root/usr/bin" "$root/etc/super-relay/rc.d" || return 1
  "$CROSS_PREFIX"strip -o "$root/usr/bin/bench-kms" "$OPTEE/arm64/tests/bench-kms" || return 1
  cat >"$root/etc/super-relay/rc.d/bench" <<END || return 1
#!/bin/sh
. /usr/lib/super-relay/port
exec >"\$(port super-relay.bench)" 2>&1
bench-kms optee $BENCH_SECONDS
echo "$BENCH_END \$?"
END
  chmod 755 "$root/etc/super-relay/rc.d/bench" || return 1
  pack_root "$root" "$BENCH_STATE/bench.cpio"
}

prepare_bench() {
  rm -rf "$BENCH_STATE"
  mkdir -p "$BENCH_STATE"
  build_bench && pack_bench
}

# Without the relay, which would take part; its ports are then anybody's.
start_bench_machine() {
  local channel=$BENCH_STATE/output
  : >"$channel"
  SR_OPTEE_STATE=$BENCH_STATE/machine SR_OPTEE_RELAY=no SR_RPC_PORT=0 SR_API_PORT=0 \
    SR_OPTEE_EXTRA_INITRD=$BENCH_STATE/bench.cpio \
    SR_OPTEE_QEMU_ARGS="-chardev file,id=bench,path=$channel
      -device virtserialport,chardev=bench,name=super-relay.bench" \
    "${GUARD[@]}" docker/optee-startup.sh >"$LOGS/optee-bench.log" 2>&1 </dev/null &
  BENCH_MACHINE=$!
}

stop_bench_machine() {
  [[ $BENCH_MACHINE ]] || return 0
  kill -TERM "$BENCH_MACHINE" 2>/dev/null || true
  wait "$BENCH_MACHINE" || true
  BENCH_MACHINE=
}

# The program's status as its last line tells; empty as long as there is none.
bench_status() {
  sed -n "s/^$BENCH_END \([0-9]*\)\r\{0,1\}$/\1/p" "$BENCH_STATE/output"
}

await_bench() {
  local deadline=$((SECONDS + BENCH_LIMIT))
  until [[ $(bench_status) ]]; do
    kill -0 "$BENCH_MACHINE" 2>/dev/null || return 1
    ((SECONDS < deadline)) || return 1
    sleep 0.5
  done
}

optee_run_bench() {
  steps 2
  step "bench-kms for arm64"
  logged optee-bench-build prepare_bench
  done_step
  step "measure for $BENCH_SECONDS s"
  trap stop_bench_machine EXIT
  start_bench_machine
  if ! await_bench; then
    printf 'failed\n' >&2
    show_log "$LOGS/optee-bench.log"
    die "bench-kms did not end; its output is in $BENCH_STATE/output"
  fi
  done_step
  stop_bench_machine
  printf '\n'
  grep -v "^$BENCH_END" "$BENCH_STATE/output" | tr -d '\r'
  [[ $(bench_status) == 0 ]] || return 1
  rm -rf "$BENCH_STATE"
}
