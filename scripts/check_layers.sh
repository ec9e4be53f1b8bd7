#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Layers point down only: a folder of src/ includes public headers of the folders
# below it, and its own. Also: ARCHITECTURE.md and the tree name the same folders.
set -euo pipefail
cd "$(dirname "$0")/.."

# What each folder may include, besides itself. The TA is checked below.
declare -A below=(
  [base]=""
  [audit]="base"
  [eth]="base"
  [tee]="base"
  [loop]="base"
  [kms]="tee eth audit base"
  [chain]="loop eth base"
  [paymaster]="kms loop eth base"
  [rpc]="paymaster chain loop eth base"
  [http]="rpc paymaster kms chain loop eth audit base"
  [config]="eth base"
  [cli]="http rpc paymaster kms chain loop config tee eth audit base"
)
# Headers that other folders may see.
public=" base/base.h audit/audit.h eth/eth.h eth/eth_core.h tee/tee.h loop/loop.h kms/kms.h \
kms/attest.h kms/envelope.h kms/statement.h chain/chain.h paymaster/paymaster.h rpc/rpc.h \
http/http.h config/config.h cli/cli.h "
failed=0

complain() {
  echo "$1" >&2
  failed=1
}

check_include() { # file folder included-path
  local file=$1 folder=$2 path=$3 other=${3%%/*}
  [[ $other == "$folder" || -z ${below[$other]+known} ]] && return 0
  [[ " ${below[$folder]} " == *" $other "* ]] ||
    complain "$file: $folder must not include $path"
  [[ $public == *" $path "* ]] || complain "$file: $path is private to $other"
}

for dir in src/*/; do
  folder=$(basename "$dir")
  [[ -n ${below[$folder]+known} ]] || complain "src/$folder has no place in the layers"
  grep -q "src/$folder\b\|^ *$folder/" ARCHITECTURE.md ||
    complain "ARCHITECTURE.md does not name src/$folder"
  while IFS=: read -r file path; do
    check_include "$file" "$folder" "$path"
  done < <(grep -rhoHE '#include "[a-z_]+/[a-z_0-9/]+\.h"' "$dir" --include='*.[ch]' |
    sed -E 's/#include "(.*)"/\1/')
done

# The TA compiles under OP-TEE's dev kit: of src/ it sees eth's core alone.
while IFS=: read -r file path; do
  [[ $path == eth/eth_core.h ]] || complain "$file: the TA must not include $path"
done < <(grep -rhoHE '#include "(base|eth|tee|kms|config|cli)/[a-z_]+\.h"' ta --include='*.[ch]' |
  sed -E 's/#include "(.*)"/\1/')

exit "$failed"
