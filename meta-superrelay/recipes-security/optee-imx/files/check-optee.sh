#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Refuses to build, or to hand on, an OP-TEE for the i.MX 93 whose keys could be guessed. For
# bitbake's tasks and for scripts/optee/imx93.sh.
#
#   check-optee.sh source TREE            before the build: the code that seeds the generator of
#                                         random numbers from the EdgeLock Enclave is there
#   check-optee.sh core OBJDUMP TEE_ELF   after it: the linked core does so, and nothing else
#   check-optee.sh key PYTHON TREE CORE   after it: the core trusts no TA key that is published
#                                         with OP-TEE; CORE is the directory of ta_pub_key.c
#
# Ends with 0, or with 1 and a reason.
set -euo pipefail

refuse() {
  printf 'check-optee: %s\n' "$*" >&2
  exit 1
}

# The sources that sub.mk names, in its own lines and not in a comment.
driver_sources() {
  sed -n 's/^srcs-[^#]*+= *\([a-z0-9_]*\.c\) *$/\1/p' "$1/sub.mk" | while read -r name; do
    [[ ! -r $1/$name ]] || printf '%s\n' "$1/$name"
  done
}

# C without comments, and without what "#if 0" leaves out.
plain_code() {
  awk '
    { line = $0; out = "" }
    {
      while (line != "") {
        if (inside) {
          at = index(line, "*/")
          if (!at) { line = ""; break }
          line = substr(line, at + 2); inside = 0
        } else {
          at = index(line, "/*"); slashes = index(line, "//")
          if (slashes && (!at || slashes < at)) { out = out substr(line, 1, slashes - 1); break }
          if (!at) { out = out line; break }
          out = out substr(line, 1, at - 1); line = substr(line, at + 2); inside = 1
        }
      }
    }
    out ~ /^[ \t]*#[ \t]*if/ && left_out { depth++; next }
    out ~ /^[ \t]*#[ \t]*if[ \t]+0[ \t]*$/ { left_out = depth = 1; next }
    left_out && out ~ /^[ \t]*#[ \t]*endif/ { if (!--depth) left_out = 0; next }
    left_out && depth == 1 && out ~ /^[ \t]*#[ \t]*el/ { left_out = 0; next }
    !left_out { print out }
  ' "$@"
}

# OP-TEE calls plat_rng_init() up to 4.10, and plat_init_soft_prng() from then on.
seed_function() {
  local caller=$1/core/tee/tee_cryp_utl.c name
  for name in plat_init_soft_prng plat_rng_init; do
    grep -qs "^[[:blank:]]$name();" "$caller" || continue
    printf '%s' "$name"
    return
  done
}

# What that function and those that it calls do, by their bodies: one word a finding.
seed_findings() {
  awk -v seed="$1" '
    /^#[ \t]*define[ \t]+[A-Z0-9_]+[ \t]+0[xX][cC][dD]$/ { random_command = random_command "|" $2 }
    /^[A-Za-z_].*\(/ && !body_of { head = $0; sub(/\(.*/, "", head); sub(/.*[ *]/, "", head) }
    /^\{/ { body_of = head; next }
    /^\}/ { body_of = ""; next }
    body_of { body[body_of] = body[body_of] "\n" $0 }
    function visit(name, rest, word) {
      if (seen[name]++) return
      all = all "\n" body[name]
      rest = body[name]
      while (match(rest, /[A-Za-z_][A-Za-z0-9_]*/)) {
        word = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH)
        if (word in body) visit(word)
      }
    }
    END {
      if (!(seed in body)) exit
      print "seed"
      visit(seed)
      if (all ~ "command[ \t]*=[ \t]*(0[xX][cC][dD]" random_command ")[ \t]*,") print "draws"
      if (all ~ /imx_(ele|mu)_call[ \t]*\(/) print "asks"
      if (all ~ /crypto_rng_init[ \t]*\(/) print "seeds"
      if (all ~ /panic[ \t]*\(/) print "panics"
      if (all ~ /tee_time_get|__plat_rng_init|cntpct|cntvct/) print "clock"
    }'
}

check_source() {
  local driver=$1/core/drivers/crypto/ele findings seed
  local -a sources=()
  [[ -r $driver/sub.mk ]] ||
    refuse "'$1' has no driver of the EdgeLock Enclave at core/drivers/crypto/ele: not an" \
      "OP-TEE for the i.MX 93, or one that this check does not know"
  mapfile -t sources < <(driver_sources "$driver")
  ((${#sources[@]} > 0)) || refuse "'$driver/sub.mk' names no source file that is there"
  seed=$(seed_function "$1")
  findings=" $(plain_code "${sources[@]}" | seed_findings "$seed" | tr '\n' ' ')"
  [[ $findings == *' seed '* ]] ||
    refuse "nothing in '$driver' seeds the generator of random numbers: OP-TEE would seed it" \
      "from the clock, and its keys could be guessed. Apply the patch of this layer, or take a" \
      "release that seeds it"
  [[ $findings != *' clock '* ]] ||
    refuse "the generator of random numbers is seeded from the clock"
  [[ $findings == *' draws '* && $findings == *' asks '* ]] ||
    refuse "what seeds the generator does not ask the EdgeLock Enclave for random numbers"
  [[ $findings == *' seeds '* ]] || refuse "the enclave's random numbers seed nothing"
  [[ $findings == *' panics '* ]] ||
    refuse "OP-TEE would start although the enclave gives no random numbers"
}

# Which function calls or jumps to which, of a disassembly: "CALLER CALLEE" a line.
call_graph() {
  "$1" --disassemble --no-show-raw-insn "$2" | awk '
    /^[0-9a-f]+ <.*>:$/ { caller = $2; gsub(/[<>:]/, "", caller); next }
    $2 ~ /^(b|bl|b\.[a-z]+|cbn?z|tbn?z)$/ && match($0, /<[^>]*>/) {
      callee = substr($0, RSTART + 1, RLENGTH - 2); sub(/\+0x.*/, "", callee)
      if (callee != caller) print caller, callee
    }' | LC_ALL=C sort -u
}

# All that a function reaches, itself included. Behind the functions named after it is not looked.
reached_from() {
  awk -v start="$1" -v ends="${2-}" '
    BEGIN { split(ends, list, " "); for (i in list) end_at[list[i]] = 1 }
    { callees[$1] = callees[$1] " " $2 }
    END {
      todo[1] = start; count = 1; found[start] = 1
      for (at = 1; at <= count; at++) {
        print todo[at]
        if (todo[at] in end_at) continue
        n = split(callees[todo[at]], next_ones, " ")
        for (i = 1; i <= n; i++)
          if (!found[next_ones[i]]++) todo[++count] = next_ones[i]
      }
    }'
}

# GCC's parts of a function carry its name and a suffix.
has_function() {
  grep -qE "^$2(\.[a-z]+(\.[0-9]+)?)*\$" <<<"$1"
}

check_core() {
  local graph seed reached
  graph=$(call_graph "$1" "$2") || refuse "'$2' cannot be disassembled by '$1'"
  reached=$(reached_from tee_cryp_init <<<"$graph")
  if has_function "$(reached_from crypto_rng_read <<<"$graph")" hw_get_random_bytes; then
    # Without a generator of its own: each number is the enclave's.
    has_function "$(reached_from hw_get_random_bytes <<<"$graph")" imx_mu_call ||
      refuse "random numbers are asked of something else than the EdgeLock Enclave"
    return
  fi
  seed=plat_rng_init
  has_function "$reached" "$seed" || seed=plat_init_soft_prng
  has_function "$reached" "$seed" || refuse "nothing in '$2' seeds the generator at start"
  # The messages on the way to a panic may ask for the time.
  reached=$(reached_from "$seed" 'crypto_rng_init trace_printf trace_ext_puts __do_panic' \
    <<<"$graph")
  has_function "$reached" imx_mu_call || refuse "the seed is not asked of the EdgeLock Enclave"
  has_function "$reached" crypto_rng_init || refuse "the enclave's random numbers seed nothing"
  has_function "$reached" __do_panic || refuse "a missing seed does not end the start"
  ! has_function "$reached" '(tee_time_get_sys_time|__plat_rng_init)' ||
    refuse "the generator is seeded from the clock"
}

# OP-TEE writes the key's modulus as C: that of each published key, made by the same script, is
# compared with what was built.
check_key() {
  local python=$1 tree=$2 built=$3/ta_pub_key.c key
  [[ -s $built ]] || refuse "'$built' is not there: was OP-TEE built?"
  for key in "$tree"/keys/*.pem; do
    [[ -r $key ]] || continue
    if "$python" "$tree/scripts/pem_to_pub_c.py" --prefix ta_pub_key --key "$key" \
      --out /dev/stdout | cmp --quiet - "$built"; then
      refuse "OP-TEE would take TAs signed with '${key##*/}', which is published: set TA_SIGN_KEY" \
        "and TA_PUBLIC_KEY to a key of your own"
    fi
  done
}

case ${1-}:$# in
source:2) check_source "$2" ;;
core:3) check_core "$2" "$3" ;;
key:4) check_key "$2" "$3" "$4" ;;
*)
  sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0" >&2
  exit 2
  ;;
esac
