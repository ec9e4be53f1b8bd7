#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# README.md and README.zh.md have the same structure: headings, code, table rows, links. And
# every relative link of the documentation leads to a file, and to a heading where it names one.
# shellcheck disable=SC2317 # compare is given functions by name
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8
failed=0

complain() {
  echo "$1" >&2
  failed=1
}

# Only what stands in code blocks, or only what does not: file, 1 or 0.
lines() {
  awk -v want="$2" '/^```/ { if (want) print; inside = !inside; next } inside == want' "$1"
}

# What of a README the other must have too, one thing a line. An anchor of its own language
# would differ, so links are compared without.
heading_levels() {
  lines "$1" 0 | grep -oE '^#+ ' || true
}

code_blocks() {
  lines "$1" 1
}

table_rows() {
  lines "$1" 0 | grep -E '^\|' | awk -F'|' '{
    printf "%d cells", NF - 2
    for (rest = $0; match(rest, /`[^`]*`/); rest = substr(rest, RSTART + RLENGTH))
      printf " %s", substr(rest, RSTART, RLENGTH)
    print ""
  }' || true
}

links() {
  lines "$1" 0 | grep -oE '\]\([^)]*\)' | sed -E 's/^\]\(|\)$//g' || true
}

readme_links() {
  links "$1" | sed -E 's/#.*//; s/^README(\.zh)?\.md$/the other README/'
}

compare() { # what, function
  local difference
  difference=$(diff <("$2" README.md) <("$2" README.zh.md)) ||
    complain "README.md and README.zh.md differ in their $1:"$'\n'"$difference"
}

# The anchors of a file's headings, as GitHub makes them.
anchors() {
  lines "$1" 0 | sed -nE 's/^#+ +//p' | tr '[:upper:]' '[:lower:]' |
    sed -E 's/[^[:alnum:] _-]//g; s/ /-/g'
}

check_link() { # file, link
  local file=$1 path=${2%%#*} anchor='' target
  [[ $2 != *'#'* ]] || anchor=${2#*#}
  target=$file
  [[ -z $path ]] || target=$(dirname "$file")/$path
  if [[ ! -e $target ]]; then
    complain "$file: the link $2 leads nowhere"
  elif [[ $anchor ]] && ! anchors "$target" | grep -qxF -- "$anchor"; then
    complain "$file: $2: there is no such heading in $target"
  fi
}

compare headings heading_levels
compare "code blocks" code_blocks
compare "table rows" table_rows
compare links readme_links

for file in README*.md ARCHITECTURE.md docs/*.md; do
  while read -r link; do
    [[ $link =~ ^[a-z]+: ]] || check_link "$file" "$link"
  done < <(links "$file")
done

exit "$failed"
