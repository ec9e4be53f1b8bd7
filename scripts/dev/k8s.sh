#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Summary: render the Kubernetes manifests, or check that they are in step
#
# ./dev k8s render
# ./dev k8s check [DIRECTORY]
#
#   render  k8s/superrelay-optee.yaml and k8s/superrelay-tee-node.yaml from the overlays, after
#           copying into k8s/ what other places own: the configuration and the alert rules
#   check   whether DIRECTORY (k8s) is what render would make of it
set -euo pipefail

[[ ${ROOT-} ]] || source scripts/dev/lib.sh

# Each rendered file, and the overlay that it is rendered from.
declare -rA RENDERED=([superrelay-optee.yaml]=overlays/qemu
  [superrelay-tee-node.yaml]=overlays/tee-node)
readonly RULES=monitoring/prometheus/super-relay.rules.yml

kustomize_build() {
  if [[ -x $ROOT/build/tools/bin/kustomize ]]; then
    "$ROOT/build/tools/bin/kustomize" build "$1"
  else
    kubectl kustomize "$1"
  fi
}

# The operator's object of Prometheus' own rules file: its groups are the object's spec.
prometheus_rule() {
  cat <<END
# SPDX-License-Identifier: Apache-2.0
# Written by \`./dev k8s render\` from $RULES.
# yamllint disable rule:line-length
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: super-relay
  labels:
    app.kubernetes.io/name: super-relay
    app.kubernetes.io/part-of: super-relay
spec:
END
  sed -n '/^groups:/,$p' "$RULES" | sed 's/^\(.\)/  \1/'
}

rendered() {
  cat <<END
# SPDX-License-Identifier: Apache-2.0
# Rendered from k8s/${RENDERED[$1]} by \`./dev k8s render\`: change it there.
# docs/kubernetes.md tells what must be there before it is applied.
# yamllint disable rule:line-length
---
END
  kustomize_build "$2/${RENDERED[$1]}"
}

# Into a directory that holds base, components and overlays.
render_into() {
  local directory=$1 file
  cp config/optee-config.toml "$directory/base/config.toml"
  prometheus_rule >"$directory/components/monitoring/prometheusrule.yaml"
  for file in "${!RENDERED[@]}"; do
    rendered "$file" "$directory" >"$directory/$file.new"
    mv "$directory/$file.new" "$directory/$file"
  done
}

check_directory() {
  local copy status=0
  copy=$(mktemp -d)
  cp -R "$1/." "$copy"
  render_into "$copy"
  diff -r "$1" "$copy" >&2 || status=1
  rm -rf "$copy"
  if ((status != 0)); then
    printf 'dev: %s is not in step; ./dev k8s render brings it there\n' "$1" >&2
  fi
  return "$status"
}

case ${1-} in
render) render_into k8s ;;
check) check_directory "${2:-k8s}" ;;
*) usage_error scripts/dev/k8s.sh "k8s takes render or check" ;;
esac
