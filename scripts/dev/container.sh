#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Summary: build the container images, and test what runs in them
#
# ./dev container build [--from-scratch] [NAME]
# ./dev container test [NAME]
#
#   build           the images super-relay, super-relay-optee and super-relay-anvil, and one for tests
#   --from-scratch  their Dockerfiles compile OP-TEE's image and fetch the npm packages, instead
#                   of taking both from this checkout
#   test            build them, and run tests/container
#   NAME            only images, or test files, whose name holds NAME
#
# No container engine has to be set up: images and containers lie in build/container, and
# build/container/podman is podman with that store. docs/container.md tells of the images.
set -euo pipefail

[[ ${ROOT-} ]] || source scripts/dev/lib.sh
# shellcheck source=scripts/dev/setup.sh
declare -F setup >/dev/null || source scripts/dev/setup.sh
# shellcheck source=scripts/dev/tap.sh
source scripts/dev/tap.sh

readonly CONTAINER_PACKAGES=(podman runc netavark aardvark-dns iptables iproute2 uidmap
  slirp4netns fuse-overlayfs mmdebstrap)
readonly CONTAINERS=$ROOT/build/container
readonly PODMAN=$CONTAINERS/podman
readonly BASE_IMAGE=docker.io/library/debian:trixie-slim
# In this order: that with systemd is made from the first.
readonly CONTAINER_IMAGES=(super-relay super-relay-anvil super-relay-optee super-relay-systemd)
# An image's Dockerfile, and what this checkout may hand to it: context=directory.
declare -rA DOCKERFILES=([super-relay]=Dockerfile [super-relay-anvil]=Dockerfile.anvil
  [super-relay-optee]=Dockerfile.optee-qemu [super-relay-systemd]=Dockerfile.systemd)
declare -rA HANDED=([super-relay-anvil]=modules=node_modules
  [super-relay-optee]=optee-image=build/optee/image)
readonly CERTIFICATES=/etc/ssl/certs/ca-certificates.crt
# Layers of no image are a cache. Older than this they go, and with them that day's packages.
readonly CACHE_HOURS=168
# A file that does not end would hold the whole run up.
readonly CONTAINER_LIMIT=480
CONTAINER_PASSED=0
CONTAINER_FAILED=0
CONTAINER_SKIPPED=0
CONTAINER_REPORT=

# ---- podman ------------------------------------------------------------------

# podman with a store, networks and locks of its own: the machine's are not touched. runc, and
# cgroups without systemd, since that may not be there.
write_podman() {
  cat >"$CONTAINERS/containers.conf" <<END
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
compat_api_enforce_docker_hub = false
END
  cat >"$PODMAN.new" <<END
#!/usr/bin/env bash
export CONTAINERS_CONF="$CONTAINERS/containers.conf"
exec podman --storage-driver overlay --root "$CONTAINERS/storage" \\
  --runroot "$CONTAINERS/run" --tmpdir "$CONTAINERS/tmp" \\
  --network-config-dir "$CONTAINERS/networks" "\$@"
END
  chmod +x "$PODMAN.new"
  mv "$PODMAN.new" "$PODMAN"
}

# Runs a command with mounts and processes of its own, and with --net a loopback interface of its
# own: whatever ends it, the kernel ends every container and every mount of it too. Without root,
# podman makes a user namespace, which these would get in the way of.
isolated() {
  local -a spaces=(--mount --pid --fork --kill-child --mount-proc)
  if [[ $1 == --net ]]; then
    spaces+=(--net)
    shift
  fi
  if ((EUID != 0)); then
    "${GUARD[@]}" "$@"
    return
  fi
  # unshare takes no notice of SIGTERM while it waits
  setpriv --pdeathsig KILL unshare "${spaces[@]}" bash -c "$INSIDE" - "$@"
}

# What isolated runs first: podman's runtime directories that no option moves. The shell stays, to
# reap what is orphaned.
# shellcheck disable=SC2016 # the inner shell expands it
readonly INSIDE='
  for directory in /run/containers /run/netns; do
    mkdir -p "$directory" && mount -t tmpfs tmpfs "$directory" || exit
  done
  ip link set lo up
  "$@"
  exit'

# A run that was killed has left containers in the store, of which nothing runs any more.
forget_containers() {
  rm -rf "$CONTAINERS/run" "$CONTAINERS/tmp" "$CONTAINERS/networks"
  isolated "$PODMAN" rm --all --force --volumes --time 0 &&
    isolated "$PODMAN" volume prune --force
}

# The reason why no container runs here, on a network: "host", or "podman" for one of their own.
# Nothing where one does.
refused_on() {
  local log=$LOGS/container-trial-$1.log
  isolated --net "$PODMAN" run --rm --network="$1" --pull=never "$BASE_IMAGE" true >"$log" 2>&1 \
    </dev/null || tail -n 3 "$log"
}

# Counts what cannot run here, and says so: what, reason.
leave_out() {
  CONTAINER_SKIPPED=$((CONTAINER_SKIPPED + 1))
  CONTAINER_REPORT+="LEFT OUT, because it cannot run here: $1. The reason: $2"$'\n'
}

# ---- what the images are made from ---------------------------------------------

install_engine() {
  install_missing container-apt "${CONTAINER_PACKAGES[@]}" || return 1
  write_podman
  logged container-forget forget_containers
}

# The machine's terms with its archive, as mmdebstrap's options: the image asks the same archive.
archive_terms() {
  local term
  for term in Acquire::Check-Valid-Until Acquire::http::Proxy Acquire::https::Proxy; do
    term=$(apt-config dump --no-empty "$term")
    [[ -z $term ]] || printf -- '--aptopt=%s\n' "$term"
  done
}

# The smallest Debian that has apt, which is what the official image of this name is. With the
# security archive where this machine has one, since images ought to have its updates.
make_base() {
  local archive security
  local -a sources terms
  mapfile -t terms < <(archive_terms)
  # shellcheck disable=SC2016 # apt expands it
  security=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
    grep -m 1 security || true)
  while read -r archive; do
    sources=("deb $archive trixie main" "deb $archive trixie-updates main")
    [[ -z $security ]] || sources+=("deb $security trixie-security main")
    # In the system's own temporary directory: apt works as a user who may not come here.
    env -u TMPDIR mmdebstrap --variant=minbase --include=ca-certificates \
      --aptopt='Acquire::Languages "none"' "${terms[@]}" --dpkgopt=force-unsafe-io \
      --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
      --dpkgopt='path-exclude=/usr/share/locale/*' trixie "$CONTAINERS/base.tar" \
      "${sources[@]}" && return
  done < <(archives)
  return 1
}

# Made anew when what makes it has changed.
setup_base() {
  local wanted
  wanted=$(declare -f make_base archive_terms | sha256sum)
  if [[ $(cat "$CONTAINERS/base.stamp" 2>/dev/null) == "$wanted" ]] &&
    isolated "$PODMAN" image exists "$BASE_IMAGE"; then
    return
  fi
  logged container-base make_base || return 1
  logged container-import isolated "$PODMAN" import "$CONTAINERS/base.tar" "$BASE_IMAGE" || return 1
  rm "$CONTAINERS/base.tar"
  printf '%s\n' "$wanted" >"$CONTAINERS/base.stamp"
}

# The real docker-compose, which needs no engine but podman's API: Debian's, unpacked.
get_compose() {
  local new=$CONTAINERS/compose.new
  rm -rf "$new"
  unpack_donor_packages "$new" "$(dpkg --print-architecture)" docker-compose || return 1
  mv "$new/usr/libexec/docker/cli-plugins/docker-compose" "$CONTAINERS/" || return 1
  rm -rf "$new"
}

setup_compose() {
  [[ -x $CONTAINERS/docker-compose ]] || (unset TMPDIR && logged container-compose get_compose)
}

# ---- images ------------------------------------------------------------------

image_id() {
  isolated "$PODMAN" image inspect --format '{{.Id}}' "$1" 2>/dev/null || true
}

# Runs podman build: image, whether from scratch. The image that had the name before goes.
podman_build() {
  local name=$1 scratch=$2 tag=localhost/$1:latest old new
  local handed=${HANDED[$name]-}
  local -a options=(--isolation=chroot --network=host --pull=never --format=docker)
  if ((scratch)); then
    # What npm fetches may come through a proxy that only this machine's certificates vouch for.
    options+=("--volume=$CERTIFICATES:$CERTIFICATES:ro")
  elif [[ $handed ]]; then
    [[ -d ${handed#*=} ]] || { echo "there is no ${handed#*=}" && return 1; }
    options+=("--build-context=${handed%%=*}=$ROOT/${handed#*=}")
  fi
  old=$(image_id "$tag")
  # Where the Dockerfiles' caches lie, too.
  mkdir -p "$CONTAINERS/cache"
  TMPDIR=$CONTAINERS/cache isolated "$PODMAN" build "${options[@]}" \
    --file "docker/${DOCKERFILES[$name]}" --tag "$tag" . || return 1
  new=$(image_id "$tag")
  [[ -z $old || $old == "$new" ]] || isolated "$PODMAN" image rm "$old" || true
}

build_image() {
  logged "container-$1" podman_build "$@"
}

# What the images take from the checkout is made there first.
build_optee_image() {
  logged container-optee-image env -u TMPDIR bash scripts/build_optee_env.sh
}

prune_images() {
  logged container-prune isolated "$PODMAN" image prune --force --filter "until=${CACHE_HOURS}h"
}

# What makes containers run at all: a command that announces each part.
prepare_engine() {
  mkdir -p "$CONTAINERS"
  # one user of the store at a time
  exec 7>"$CONTAINERS/lock"
  flock 7
  "$1" "podman" install_engine &&
    "$1" "base image debian:trixie-slim, of Debian's packages" setup_base
}

# The images: what announces each part, whether from scratch, filter of their names.
prepare_images() {
  local announce=$1 scratch=$2 filter=$3 name
  if ((!scratch)); then
    "$announce" "OP-TEE's image for the container" build_optee_image || return 1
  fi
  for name in "${CONTAINER_IMAGES[@]}"; do
    [[ $name == *"$filter"* ]] || continue
    "$announce" "image $name" build_image "$name" "$scratch" || return 1
  done
  prune_images
}

as_step() {
  step "$1"
  shift
  "$@" || return 1
  done_step
}

as_part() {
  shift
  "$@"
}

# ---- tests -------------------------------------------------------------------

# The test files whose name holds the filter, less those that cannot run here, into "files".
choose_tests() {
  local file reason
  for file in tests/container/*.test.mjs; do
    [[ $file == *"$1"* ]] || continue
    if [[ $file == */compose.test.mjs ]]; then
      reason=$(refused_on podman)
      [[ -z $reason ]] || { leave_out "$file" "no container network: $reason" && continue; }
    fi
    files+=("$file")
  done
}

run_container_tests() {
  local log=$LOGS/container.log status=0
  local -a files=()
  choose_tests "$1"
  ((${#files[@]} > 0)) || return 0
  isolated --net timeout -k 10 "$CONTAINER_LIMIT" node --test --test-reporter=tap \
    --test-concurrency="$(nproc)" "${files[@]}" >"$log" 2>&1 </dev/null || status=$?
  CONTAINER_PASSED=$(tap_count "$log" pass)
  CONTAINER_FAILED=$(($(tap_count "$log" fail) + $(tap_count "$log" cancelled)))
  CONTAINER_SKIPPED=$((CONTAINER_SKIPPED + $(tap_count "$log" skipped) + $(tap_count "$log" todo)))
  # the runner's own verdict stands above what was counted
  ((status == 0 || CONTAINER_FAILED > 0)) || CONTAINER_FAILED=1
  if ((status == 124)); then
    CONTAINER_REPORT+="the tests were ended after $CONTAINER_LIMIT s"$'\n'
  fi
  ((CONTAINER_FAILED == 0)) || CONTAINER_REPORT+=$(tap_failures "$log")
}

# Builds and tests, and sets CONTAINER_PASSED, _FAILED, _SKIPPED and _REPORT: what announces the
# parts, filter of the test files.
containers() {
  local reason announce=$1 filter=$2
  CONTAINER_PASSED=0
  CONTAINER_FAILED=0
  CONTAINER_SKIPPED=0
  CONTAINER_REPORT=
  if ! prepare_engine "$announce"; then
    CONTAINER_FAILED=1
    return
  fi
  reason=$(refused_on host)
  if [[ $reason ]]; then
    leave_out tests/container "$reason"
    return
  fi
  if ! "$announce" "docker-compose" setup_compose || ! prepare_images "$announce" 0 ''; then
    CONTAINER_FAILED=1
    return
  fi
  [[ $announce != as_step ]] || step "tests"
  run_container_tests "$filter"
}

test_main() {
  local text
  steps 8
  containers as_step "${1-}"
  ((CONTAINER_PASSED + CONTAINER_FAILED + CONTAINER_SKIPPED > 0)) ||
    die "no test file's name holds '${1-}'"
  text="$CONTAINER_PASSED passed, $CONTAINER_FAILED failed"
  ((CONTAINER_SKIPPED == 0)) || text+=", $CONTAINER_SKIPPED skipped"
  done_step "$text"
  [[ -z $CONTAINER_REPORT ]] || printf '%s\n' "$CONTAINER_REPORT" >&2
  printf '%s\n' "$text"
  ((CONTAINER_FAILED == 0))
}

build_main() {
  local scratch=0 filter=
  local -a names
  if [[ ${1-} == --from-scratch ]]; then
    scratch=1
    shift
  fi
  filter=${1-}
  mapfile -t names < <(printf '%s\n' "${CONTAINER_IMAGES[@]}" | grep -F -- "$filter")
  ((${#names[@]} > 0)) || die "no image's name holds '$filter'"
  steps $((2 + !scratch + ${#names[@]}))
  prepare_engine as_step
  prepare_images as_step "$scratch" "$filter"
  isolated "$PODMAN" images --filter reference='localhost/super-relay*'
}

container_main() {
  local command=${1-}
  case $command in
  build | test) shift ;;
  *) usage_error scripts/dev/container.sh "container takes build or test" ;;
  esac
  setup run
  own_scratch
  "${command}_main" "$@"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  container_main "$@"
fi
