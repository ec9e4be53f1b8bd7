#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Summary: check format, C, shell, JavaScript and spelling
#
# ./dev lint
set -euo pipefail

[[ ${ROOT-} ]] || source scripts/dev/lib.sh
# shellcheck source=scripts/dev/build.sh
declare -F build >/dev/null || source scripts/dev/build.sh

LINT_PASSED=0
LINT_FAILED=0
LINT_REPORT=

c_files() {
  find src ta tests -name "$1" -print | LC_ALL=C sort
}

check_format() {
  c_files '*.[ch]' | xargs clang-format-19 --dry-run -Werror
}

# Lines that no formatter cuts (strings), and files that want dividing.
check_sizes() {
  # shellcheck disable=SC2046 # no name holds a space
  awk 'FNR == 1 { if (NR > 1 && lines > 800) { print file ": " lines " lines"; bad = 1 }
                  file = FILENAME }
       { lines = FNR; width = 0
         for (i = 1; i <= length($0); i++)
           width = substr($0, i, 1) == "\t" ? width + 8 - width % 8 : width + 1
         if (width > 100) { print FILENAME ":" FNR ": " width " columns"; bad = 1 } }
       END { if (lines > 800) { print file ": " lines " lines"; bad = 1 }; exit bad }' \
    $(c_files '*.[ch]')
}

check_clang_tidy() {
  # One file a process and two at a time; headers are seen through the files.
  jq -r '.[].file' build/compile_commands.json | sed 's|^\.\./||' | LC_ALL=C sort -u |
    xargs -P "$(nproc)" -n 4 "${GUARD[@]}" clang-tidy-19 --quiet --warnings-as-errors='*' -p build
}

check_cppcheck() {
  # readdirCalled asks for readdir_r, which glibc has deprecated; normalCheckLevelMaxBranches
  # is no finding but tells of cppcheck's own limit.
  cppcheck -j "$(nproc)" --quiet --error-exitcode=1 --inline-suppr --std=c11 \
    --enable=warning,performance,portability --library=posix --max-configs=4 \
    --suppress=missingIncludeSystem --suppress=unmatchedSuppression \
    --suppress=readdirCalled --suppress=normalCheckLevelMaxBranches -D_GNU_SOURCE \
    -I src -I ta/super_relay_ta/include -I src/tee/sim src ta
}

check_shell() {
  # SC2317: functions called by traps or by name are not seen as reached.
  printf '%s\n' dev .ci/run scripts/*.sh scripts/board/*.sh scripts/dev/*.sh scripts/optee/*.sh \
    scripts/optee/guest/{start,stop,supplicant,relay,control,port} docker/*.sh \
    meta-superrelay/recipes-security/optee-imx/files/*.sh |
    xargs -P "$(nproc)" -n 6 shellcheck -x --exclude=SC2317
}

check_yaml() {
  git ls-files --cached --others --exclude-standard '*.yaml' '*.yml' | xargs yamllint --strict
}

check_javascript() {
  local file
  find tests -name '*.mjs' -print | while read -r file; do
    node --check "$file" || exit 1
  done
}

check_spelling() {
  codespell --ignore-words=.codespellignore --skip='./build,./node_modules,./.dev,./.git' \
    --skip='*/corpus/*,*/vectors/*,package-lock.json' .
}

# One check: name, log's name, command.
lint_one() {
  local log=$LOGS/lint-$2.log
  if "$3" >"$log" 2>&1 </dev/null; then
    LINT_PASSED=$((LINT_PASSED + 1))
  else
    LINT_FAILED=$((LINT_FAILED + 1))
    LINT_REPORT+="lint, $1:"$'\n'"$(grep -vE '^[0-9]+ warnings? (generated|treated)' "$log" |
      sed -n '1,100p')"$'\n'
  fi
}

# Needs a configured and compiled build.
lint() {
  lint_one "clang-format" format check_format
  lint_one "sizes" sizes check_sizes
  lint_one "clang-tidy" tidy check_clang_tidy
  lint_one "cppcheck" cppcheck check_cppcheck
  lint_one "shellcheck" shell check_shell
  lint_one "yamllint" yaml check_yaml
  lint_one "JavaScript syntax" javascript check_javascript
  lint_one "spelling" spelling check_spelling
  lint_one "layers" layers scripts/check_layers.sh
  lint_one "documents" documents scripts/check_readme.sh
}

# For ./dev test, which runs this beside other tests: everything is set up and compiled, and the
# outcome goes to a file that it sources.
if [[ ${BASH_SOURCE[0]} == "$0" && ${1-} == --into && $# -eq 2 ]]; then
  use_node
  own_scratch
  lint
  declare -p LINT_PASSED LINT_FAILED LINT_REPORT >"$2.new"
  mv "$2.new" "$2"
elif [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  (($# == 0)) || usage_error scripts/dev/lint.sh "lint takes no argument"
  setup all
  steps 2
  step "compile"
  build
  done_step
  step "lint"
  lint
  done_step "$LINT_PASSED checks passed, $LINT_FAILED failed"
  [[ -z $LINT_REPORT ]] || printf '%s\n' "$LINT_REPORT" >&2
  ((LINT_FAILED == 0))
fi
