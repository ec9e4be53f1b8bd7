// SPDX-License-Identifier: Apache-2.0
// Random inputs that are the same in every run: a failure can be looked at again. Another seed,
// for longer searches: SR_TEST_SEED.
import { createHash } from "node:crypto";

import { bytesToHex } from "viem";

const seed = process.env.SR_TEST_SEED ?? "super-relay";
let block = Buffer.alloc(0);
let used = 0;
let counter = 0;

function byte() {
  if (used === block.length) {
    block = createHash("sha512").update(`${seed} ${counter++}`).digest();
    used = 0;
  }
  return block[used++];
}

const bytes = (length) => bytesToHex(Uint8Array.from({ length }, byte));

export const random = {
  byte,
  bytes,
  address: () => bytes(20),
  /** Of 1 to length bytes, so that short numbers are as frequent as long ones; sometimes 0. */
  number: (length) => {
    const n = byte() % (length + 1);
    return n === 0 ? 0n : BigInt(bytes(n));
  },
  pick: (list) => list[byte() % list.length],
};
