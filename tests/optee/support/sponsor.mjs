// SPDX-License-Identifier: Apache-2.0
// One operation that needs no chain, and the judge of what a relay in the machine signs for it.
import { concat, encodeAbiParameters, keccak256, pad, recoverMessageAddress, toHex } from "viem";

import { takeApart } from "../../e2e/support/operations.mjs";
import { CHAIN_ID, ENTRY_POINT } from "../../e2e/support/relay.mjs";

export const PAYMASTER = "0x00000000000000000000000000000000000000a1";

const operation = {
  sender: "0x1234567890123456789012345678901234567890",
  nonce: 7n,
  callData: "0xdeadbeef",
  callGasLimit: 0x11111n,
  verificationGasLimit: 0x22222n,
  preVerificationGas: 0x3333n,
  maxFeePerGas: 3_000_000_000n,
  maxPriorityFeePerGas: 1_000_000_000n,
};

const quantity = (value) => (typeof value === "bigint" ? toHex(value) : value);
const rpcForm = Object.fromEntries(Object.entries(operation).map(([k, v]) => [k, quantity(v)]));

/** pm_getPaymasterData of the operation: the response object, or an error thrown by fetch. */
export async function ask(url, id = 1, options = {}) {
  const params = [rpcForm, ENTRY_POINT, toHex(CHAIN_ID), null];
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id, method: "pm_getPaymasterData", params }),
    ...options,
  });
  return response.json();
}

const word = (value) => pad(toHex(value), { size: 16 });
const pair = (high, low) => concat([word(high), word(low)]);

/** Who signed an answer, by the contract's own digest (VerifyingPaymaster.getHash). */
export function signerOf(answer) {
  const { validUntil, validAfter, signature } = takeApart(answer.paymasterData);
  const limits = pair(
    BigInt(answer.paymasterVerificationGasLimit),
    BigInt(answer.paymasterPostOpGasLimit),
  );
  const values = [
    ["address", operation.sender],
    ["uint256", operation.nonce],
    ["bytes32", keccak256("0x")],
    ["bytes32", keccak256(operation.callData)],
    ["bytes32", pair(operation.verificationGasLimit, operation.callGasLimit)],
    ["uint256", BigInt(limits)],
    ["uint256", operation.preVerificationGas],
    ["bytes32", pair(operation.maxPriorityFeePerGas, operation.maxFeePerGas)],
    ["uint256", BigInt(CHAIN_ID)],
    ["address", PAYMASTER],
    ["uint48", Number(validUntil)],
    ["uint48", Number(validAfter)],
  ];
  const types = values.map(([type]) => ({ type }));
  const digest = keccak256(encodeAbiParameters(types, values.map(([, value]) => value)));
  return recoverMessageAddress({ message: { raw: digest }, signature });
}
