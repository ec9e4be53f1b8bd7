#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds a Kubernetes control plane into build/tools/control-plane: etcd, API server, controllers
# and scheduler, for ./dev test --all. No package registry has them built; Go's proxy has their
# sources, in the versions and with the hashes of tests/deploy_all/control_plane.
#
#   scripts/dev/control_plane.sh
#
# Takes 5 to 10 minutes on two processors and 4 GB of disk meanwhile, 0.3 GB afterwards. What has
# not changed is not made again.
set -euo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
# shellcheck source=scripts/dev/setup.sh
source scripts/dev/setup.sh

readonly PLANE=$ROOT/build/tools/control-plane
readonly PLANE_MODULE=tests/deploy_all/control_plane
# Its go command fetches the toolchain that go.mod asks for.
readonly PLANE_GO=golang-1.24

plane_is_complete() {
  cmp -s "$PLANE_MODULE/go.mod" "$PLANE/go.mod" && cmp -s "$PLANE_MODULE/go.sum" "$PLANE/go.sum"
}

# Caches and home are its own: the user's stay as they are, and nothing of them gets in.
build_plane() {
  local new=$1
  env -u GOROOT -u GOFLAGS HOME="$new/home" GOENV=off GOWORK=off GOTOOLCHAIN=auto \
    GOPATH="$new/go" GOCACHE="$new/cache" GOTMPDIR="$new/tmp" CGO_ENABLED=0 \
    "$new/root/usr/lib/go-${PLANE_GO#*-}/bin/go" -C "$PLANE_MODULE" build -trimpath \
    -mod=readonly -modcacherw -ldflags '-s -w' -o "$new/bin/" tool
}

# The two files that tell what it was built from are laid there last.
make_plane() {
  local new=$PLANE.new
  rm -rf "$new" "$PLANE"
  mkdir -p "$new"/{home,tmp,bin} || return 1
  unpack_donor_packages "$new/root" "$(dpkg --print-architecture)" "$PLANE_GO"-{go,src} || return 1
  build_plane "$new" || return 1
  mv "$new/bin/server" "$new/bin/etcd" || return 1
  cp "$PLANE_MODULE/go.mod" "$PLANE_MODULE/go.sum" "$new/bin/" || return 1
  mv "$new/bin" "$PLANE" && rm -rf "$new"
}

plane_is_complete || make_plane
