# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Fetches what checks the deployment files into build/tools/bin. Most is out of Debian's packages,
# which are unpacked and not installed, since prometheus would start as a server. Sourced by setup.sh.

readonly TOOLS=$ROOT/build/tools
# Go programs, which need a C library and nothing else: those of one suite serve both.
readonly TOOL_PACKAGES=(kustomize kubectl prometheus promtool)

# The place, too: Python's environments do not survive being moved.
tools_stamp() {
  printf '2 %s %s ' "$TOOLS" "${TOOL_PACKAGES[*]}"
  sha256sum <scripts/dev/oelint.txt
}

tools_are_complete() {
  [[ $(cat "$TOOLS/stamp" 2>/dev/null) == "$(tools_stamp)" ]]
}

# The linter of recipes, from PyPI. Debian's Python, since another may come first on PATH.
fetch_oelint() {
  rm -rf "$TOOLS/oelint"
  /usr/bin/python3 -m venv "$TOOLS/oelint" || return 1
  "$TOOLS/oelint/bin/pip" install --no-cache-dir --disable-pip-version-check --no-deps \
    --requirement scripts/dev/oelint.txt || return 1
  ln -s ../oelint/bin/oelint-adv "$TOOLS/bin/oelint-adv"
}

# The stamp is laid there last.
fetch_tools() {
  local new=$TOOLS.new
  rm -rf "$new"
  unpack_donor_packages "$new" "$(dpkg --print-architecture)" "${TOOL_PACKAGES[@]}" || return 1
  mkdir -p "$TOOLS" || return 1
  rm -rf "${TOOLS:?}/bin"
  mv "$new/usr/bin" "$TOOLS/bin" || return 1
  rm -rf "$new"
  fetch_oelint || return 1
  tools_stamp >"$TOOLS/stamp"
}

setup_tools() {
  if tools_are_complete; then
    done_step "nothing to do"
    return
  fi
  logged tools fetch_tools
  done_step
}
