#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Summary: put all C files into the project's format
#
# ./dev format
set -euo pipefail

[[ ${ROOT-} ]] || source scripts/dev/lib.sh
# shellcheck source=scripts/dev/setup.sh
declare -F setup >/dev/null || source scripts/dev/setup.sh

(($# == 0)) || usage_error scripts/dev/format.sh "format takes no argument"
setup all
find src ta tests -name '*.[ch]' -print0 | xargs -0 clang-format-19 -i
