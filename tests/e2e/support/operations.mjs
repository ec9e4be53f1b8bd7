// SPDX-License-Identifier: Apache-2.0
// UserOperations as a wallet makes them, and the EntryPoint's side of them.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { toSimpleSmartAccount } from "permissionless/accounts";
import { BaseError, ContractFunctionRevertedError, parseEventLogs, slice } from "viem";
import {
  entryPoint07Abi,
  formatUserOperationRequest,
  toPackedUserOperation,
} from "viem/account-abstraction";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { writeContract } from "viem/actions";

import { root } from "./processes.mjs";
import { CHAIN_ID, ENTRY_POINT, result } from "./relay.mjs";

const artifact = (name) =>
  JSON.parse(
    readFileSync(join(root, `node_modules/@account-abstraction/contracts/artifacts/${name}.json`)),
  );

export const paymasterArtifact = artifact("VerifyingPaymaster");
export const paymasterAbi = paymasterArtifact.abi;

/** Accounts of anvil's own: it signs for them. The highest are the bundler's. */
export const BENEFICIARY = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
export const SENDER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

/** A SimpleAccount v0.7, not deployed yet, whose chain is read through client. */
export const simpleAccount = (client, factory, { owner, index = 0n, nonceKey } = {}) =>
  toSimpleSmartAccount({
    client,
    owner: owner ?? privateKeyToAccount(generatePrivateKey()),
    factoryAddress: factory,
    index,
    nonceKey,
    entryPoint: { address: ENTRY_POINT, version: "0.7" },
  });

/** A call of no value that cannot fail. */
export const NO_OP = { to: BENEFICIARY, value: 0n, data: "0x" };

/** An operation without paymaster and signature; ample gas, and the next nonce of key 0. */
export async function makeOperation(account, over = {}) {
  const { factory, factoryData } = await account.getFactoryArgs();
  return {
    sender: account.address,
    nonce: await account.getNonce({ key: 0n }),
    ...(factory && { factory, factoryData }),
    callData: await account.encodeCalls([NO_OP]),
    callGasLimit: 100_000n,
    verificationGasLimit: 600_000n,
    preVerificationGas: 60_000n,
    maxFeePerGas: 3_000_000_000n,
    maxPriorityFeePerGas: 1_000_000_000n,
    ...over,
  };
}

/** The three gas limits that a wallet may leave to the relay. */
export const GAS_LIMITS = ["callGasLimit", "verificationGasLimit", "preVerificationGas"];

/** An operation, or its RPC form, with some fields left out. */
export const without = (operation, ...fields) =>
  Object.fromEntries(Object.entries(operation).filter(([name]) => !fields.includes(name)));

/** The RPC form of an operation. */
export const toRpc = (operation) => formatUserOperationRequest(operation);

export const params7677 = (operation, context = {}) => [
  toRpc(operation),
  ENTRY_POINT,
  `0x${CHAIN_ID.toString(16)}`,
  context,
];

/** Puts the paymaster's fields of an answer into an operation. */
export const withPaymaster = (operation, answer) => ({
  ...operation,
  paymaster: answer.paymaster,
  paymasterData: answer.paymasterData,
  paymasterVerificationGasLimit: BigInt(answer.paymasterVerificationGasLimit),
  paymasterPostOpGasLimit: BigInt(answer.paymasterPostOpGasLimit),
});

/** Sponsored by the relay. */
export const sponsor = async (relay, operation) =>
  withPaymaster(operation, await result(relay, "pm_getPaymasterData", params7677(operation)));

/** Signed by the account's owner. */
export const sign = async (account, operation) => ({
  ...operation,
  signature: await account.signUserOperation(operation),
});

/** paymasterData in its parts. */
export const takeApart = (data) => ({
  validUntil: BigInt(slice(data, 0, 32)),
  validAfter: BigInt(slice(data, 32, 64)),
  signature: slice(data, 64),
});

export const packed = (operation) =>
  toPackedUserOperation({ ...operation, signature: operation.signature ?? "0x" });

const entryPoint = (functionName, args) => ({
  address: ENTRY_POINT,
  abi: entryPoint07Abi,
  functionName,
  args,
});

export const depositOf = (node, address) =>
  node.readContract(entryPoint("balanceOf", [address]));

/** A revert that is no FailedOp: of the EntryPoint's own call to what is no contract. */
export const WITHOUT_REASON = "reverted without a reason";

const bundle = (operation) => ({
  ...entryPoint("handleOps", [[packed(operation)], BENEFICIARY]),
  account: SENDER,
  gas: 5_000_000n,
});

/**
 * What the EntryPoint says to a bundle of this operation: "" when it goes through, otherwise the
 * reason of its FailedOp. Changes nothing on the chain. time: of the block, when not the latest's.
 */
export async function refusal(node, operation, time) {
  try {
    const blockOverrides = time === undefined ? undefined : { time };
    await node.simulateContract({ ...bundle(operation), blockOverrides });
    return "";
  } catch (error) {
    const revert =
      error instanceof BaseError &&
      error.walk((cause) => cause instanceof ContractFunctionRevertedError);
    if (!revert) throw error;
    return revert.data ? revert.data.args[1] : WITHOUT_REASON;
  }
}

/** Sends a bundle of one operation from an account of anvil's: receipt and operation's event. */
export async function handleOps(node, operation) {
  const hash = await writeContract(node, bundle(operation));
  const receipt = await node.waitForTransactionReceipt({ hash });
  const [event] = parseEventLogs({
    abi: entryPoint07Abi,
    eventName: "UserOperationEvent",
    logs: receipt.logs,
  });
  return { receipt, event: event?.args };
}
