// SPDX-License-Identifier: Apache-2.0
// The TA's own answers, from build/tests/ta/digest-tool: digests and signatures of sponsorships,
// and what it reads of transactions and of calls of an EntryPoint.
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

import {
  bytesToHex,
  concat,
  hexToBytes,
  keccak256,
  numberToHex,
  pad,
  size,
  slice,
  stringToHex,
} from "viem";

import { launch, root } from "./processes.mjs";

const program = resolve(process.env.SR_DIGEST_TOOL ?? join(root, "build/tests/ta/digest-tool"));

/** SR_TA_SCHEME_* */
export const SCHEME = {
  verifyingPaymaster07: 1,
  verifyingPaymaster06: 2,
  singleton6: 3,
  singleton7: 4,
  singleton8: 5,
  openZeppelin: 6,
  parallel09: 7,
};

/** Starts the TA; ask gives one answer a line. */
export async function startSigner() {
  const child = launch("digest-tool", program, [], { output: "pipe" });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`digest-tool ended: ${child.output()}`);
    return value;
  };
  const address = await read();

  async function ask(questions) {
    child.process.stdin.write(`${questions.join("\n")}\n\n`);
    const answers = [];
    for (const _ of questions) answers.push(await read());
    return answers;
  }

  /** Items are { scheme, wire }; answers { result, digest, signature }. */
  async function sign(items) {
    const questions = items.map(({ scheme, wire }) => `s ${scheme} ${wire.slice(2)}`);
    return (await ask(questions)).map((line) => {
      const [result, digest, signature] = line.split(" ");
      return { result, digest: `0x${digest}`, signature: `0x${signature}` };
    });
  }
  return { address, ask, sign };
}

const littleEndian = (value, length) =>
  bytesToHex(hexToBytes(numberToHex(value, { size: length })).reverse());
const word = (value) => numberToHex(value, { size: 32 });
const half = (value) => numberToHex(value, { size: 16 });
const ZERO = pad("0x", { size: 32 });

const longString = (bytes) => concat([littleEndian(size(bytes), 2), bytes]);
const shortString = (bytes) => concat([littleEndian(size(bytes), 1), bytes]);

/** What a scheme adds behind the common part. */
function additions(scheme, { operation, data, senderNonce, domain, delegateInitCode }) {
  switch (scheme) {
    case SCHEME.verifyingPaymaster06:
      return [word(senderNonce), longString(operation.initCode), longString(operation.callData)];
    case SCHEME.singleton6:
    case SCHEME.singleton7:
      return [shortString(data)];
    case SCHEME.singleton8:
      return [delegateInitCode ? keccak256(delegateInitCode) : ZERO, shortString(data)];
    case SCHEME.openZeppelin:
      return [keccak256(stringToHex(domain.name)), keccak256(stringToHex(domain.version))];
    default:
      return [];
  }
}

/**
 * A sponsorship as include/super_relay_ta.h lays it out. terms: scheme, operation (v0.6's
 * fields, or the packed ones with accountGasLimits and gasFees), chainId, entryPoint,
 * paymaster, validUntil, validAfter, and what the scheme adds.
 */
export function wireSponsorship(terms) {
  const { scheme, operation: op, chainId, entryPoint, paymaster } = terms;
  const whole = scheme === SCHEME.verifyingPaymaster06;
  // v0.9 hashes what will run; the others the bytes as they stand
  const initCode = (scheme === SCHEME.parallel09 && terms.delegateInitCode) || op.initCode;

  return concat([
    littleEndian(chainId, 8),
    entryPoint,
    paymaster,
    op.sender,
    word(op.nonce),
    whole ? ZERO : keccak256(initCode),
    whole ? ZERO : keccak256(op.callData),
    op.accountGasLimits ?? concat([half(op.verificationGasLimit), half(op.callGasLimit)]),
    op.accountGasLimits ? slice(op.paymasterAndData, 20, 52) : ZERO,
    word(op.preVerificationGas),
    op.gasFees ?? concat([half(op.maxPriorityFeePerGas), half(op.maxFeePerGas)]),
    littleEndian(terms.validUntil, 8),
    littleEndian(terms.validAfter, 8),
    ...additions(scheme, terms),
  ]);
}
