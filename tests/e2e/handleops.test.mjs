// SPDX-License-Identifier: Apache-2.0
// The contract's judgement without any bundler: what the relay sponsored goes through, and the
// same operation with any field changed afterwards does not.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import {
  concat,
  encodeFunctionData,
  isAddressEqual,
  numberToHex,
  recoverMessageAddress,
  slice,
} from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { deployContract, writeContract } from "viem/actions";

import { startEnvironment } from "./support/network.mjs";
import {
  BENEFICIARY,
  depositOf,
  handleOps,
  makeOperation,
  NO_OP,
  packed,
  paymasterAbi,
  paymasterArtifact,
  refusal,
  SENDER,
  sign,
  simpleAccount,
  sponsor,
  takeApart,
  without,
  WITHOUT_REASON,
} from "./support/operations.mjs";
import { cliJson, ENTRY_POINT, KEY_ID } from "./support/relay.mjs";

// An emulated machine has a clock of its own, set at its boot to the second.
const CLOCKS_APART = process.env.SR_GUEST ? 3n : 0n;
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const environment = await startEnvironment();
const { relay, network, node } = environment;

const word = (value) => numberToHex(value, { size: 32 });

async function deploy(account) {
  const operation = await sign(account, await sponsor(relay, await makeOperation(account)));
  const { event } = await handleOps(node, operation);
  assert.equal(event.success, true);
}

const getHash = (operation, { validUntil, validAfter }) =>
  node.readContract({
    address: network.paymaster,
    abi: paymasterAbi,
    functionName: "getHash",
    args: [packed(operation), Number(validUntil), Number(validAfter)],
  });

/** A second paymaster with the same signer and a deposit. */
async function anotherPaymaster() {
  const hash = await deployContract(node, {
    account: SENDER,
    abi: paymasterAbi,
    bytecode: paymasterArtifact.bytecode,
    args: [ENTRY_POINT, environment.signer],
  });
  const { contractAddress } = await node.waitForTransactionReceipt({ hash });
  await node.waitForTransactionReceipt({
    hash: await writeContract(node, {
      account: SENDER,
      address: contractAddress,
      abi: paymasterAbi,
      functionName: "deposit",
      value: 10n ** 18n,
    }),
  });
  return contractAddress;
}

describe("a sponsored operation in handleOps", { timeout: 60_000 }, () => {
  test("runs, and only the paymaster pays", async () => {
    const account = await simpleAccount(node, network.factory);
    const deposit = await depositOf(node, network.paymaster);
    const operation = await sign(account, await sponsor(relay, await makeOperation(account)));
    const { receipt, event } = await handleOps(node, operation);

    assert.equal(receipt.status, "success");
    assert.equal(event.success, true);
    assert.ok(isAddressEqual(event.paymaster, network.paymaster));
    assert.equal(deposit - (await depositOf(node, network.paymaster)), event.actualGasCost);
    assert.equal(await node.getBalance({ address: account.address }), 0n);
  });

  test("carries the signature of the key in `keys show` over the contract's hash", async () => {
    const account = await simpleAccount(node, network.factory);
    const operation = await sponsor(relay, await makeOperation(account));
    const parts = takeApart(operation.paymasterData);
    const { address } = await cliJson(["keys", "show", KEY_ID, "--config", relay.config]);
    const recovered = await recoverMessageAddress({
      message: { raw: await getHash(operation, parts) },
      signature: parts.signature,
    });

    assert.equal(recovered, address);
    assert.equal(address, environment.signer);
  });

  test("has a window around now, and a low s", async () => {
    const account = await simpleAccount(node, network.factory);
    const before = BigInt(Math.floor(Date.now() / 1000));
    const operation = await sponsor(relay, await makeOperation(account));
    const { validUntil, validAfter, signature } = takeApart(operation.paymasterData);

    // ten minutes ahead and half a minute back, as configured by default
    const off = (time, expected) => time - before - expected;
    for (const seconds of [off(validUntil, 600n), off(validAfter, -30n)])
      assert.ok(seconds >= -CLOCKS_APART && seconds <= 5n + CLOCKS_APART, `off by ${seconds} s`);
    assert.ok(BigInt(slice(signature, 32, 64)) <= CURVE_ORDER / 2n);
    assert.match(slice(signature, 64), /^0x1[bc]$/);
  });

  test("keeps gas limits of the paymaster that the operation named", async () => {
    const account = await simpleAccount(node, network.factory);
    const named = await makeOperation(account, {
      paymasterVerificationGasLimit: 77_777n,
      paymasterPostOpGasLimit: 3n,
    });
    const operation = await sponsor(relay, named);

    assert.equal(operation.paymasterVerificationGasLimit, 77_777n);
    assert.equal(operation.paymasterPostOpGasLimit, 3n);
    assert.equal(await refusal(node, await sign(account, operation)), "");
  });
});

const SIGNATURE_ERROR = /^AA34 signature error$/;
const PAYMASTER_REVERTED = /^AA33 reverted/;

/** An operation with another signature (or none) behind its window. */
const withSignature = (operation, signature) => ({
  ...operation,
  paymasterData: concat([slice(operation.paymasterData, 0, 64), signature]),
});

function withWindow(operation, change) {
  const parts = { ...takeApart(operation.paymasterData) };
  change(parts);
  return {
    ...operation,
    paymasterData: concat([word(parts.validUntil), word(parts.validAfter), parts.signature]),
  };
}

const more = (field, by = 1n) => ({
  what: field,
  change: (operation) => ({ ...operation, [field]: operation[field] + by }),
});

/** What is changed, how, and what the contract says to it (by default: AA34). */
const TAMPERINGS = [
  {
    what: "sender, to another account of the same owner",
    change: (operation, { other }) => ({ ...operation, sender: other.address }),
  },
  {
    what: "nonce, to another key's first",
    change: (operation) => ({ ...operation, nonce: 1n << 64n }),
  },
  {
    what: "nonce, to one that has been used",
    change: (operation) => ({ ...operation, nonce: operation.nonce - 1n }),
    reason: /^AA25 invalid account nonce$/,
  },
  {
    what: "callData",
    change: async (operation, { account }) => ({
      ...operation,
      callData: await account.encodeCalls([{ ...NO_OP, to: SENDER }]),
    }),
  },
  more("callGasLimit"),
  more("verificationGasLimit"),
  more("preVerificationGas"),
  more("maxFeePerGas"),
  more("maxPriorityFeePerGas"),
  more("paymasterVerificationGasLimit"),
  more("paymasterPostOpGasLimit"),
  {
    what: "validUntil, later",
    change: (operation) => withWindow(operation, (parts) => (parts.validUntil += 1n)),
  },
  {
    what: "validUntil, to for ever",
    change: (operation) => withWindow(operation, (parts) => (parts.validUntil = 0n)),
  },
  {
    what: "validAfter, earlier",
    change: (operation) => withWindow(operation, (parts) => (parts.validAfter -= 1n)),
  },
  {
    what: "the signature, to another key's",
    change: async (operation) => {
      const hash = await getHash(operation, takeApart(operation.paymasterData));
      const thief = privateKeyToAccount(generatePrivateKey());
      return withSignature(operation, await thief.signMessage({ message: { raw: hash } }));
    },
  },
  {
    what: "the signature's recovery byte, to one that there is not",
    change: (operation) =>
      withSignature(operation, concat([slice(operation.paymasterData, 64, 128), "0x00"])),
    reason: PAYMASTER_REVERTED,
  },
  {
    what: "the signature's recovery byte, to the other one",
    change: (operation) => {
      const flipped = operation.paymasterData.endsWith("1b") ? "0x1c" : "0x1b";
      return withSignature(operation, concat([slice(operation.paymasterData, 64, 128), flipped]));
    },
  },
  {
    what: "the signature's s, to its negative",
    change: (operation) => {
      const { signature } = takeApart(operation.paymasterData);
      const s = CURVE_ORDER - BigInt(slice(signature, 32, 64));
      const v = signature.endsWith("1b") ? "0x1c" : "0x1b";
      return withSignature(operation, concat([slice(signature, 0, 32), word(s), v]));
    },
    reason: PAYMASTER_REVERTED,
  },
  {
    what: "the signature, to nothing",
    change: (operation) => ({ ...operation, paymasterData: slice(operation.paymasterData, 0, 64) }),
    reason: PAYMASTER_REVERTED,
  },
  {
    what: "the paymaster, to another of the same signer",
    change: (operation, { otherPaymaster }) => ({ ...operation, paymaster: otherPaymaster }),
  },
  {
    what: "the paymaster, to an address without a contract",
    change: (operation) => ({ ...operation, paymaster: BENEFICIARY }),
    reason: /^AA31 paymaster deposit too low$/,
  },
  {
    what: "the paymaster, to none",
    change: (operation) => without(operation, "paymaster"),
    reason: /^AA21 didn't pay prefund$/,
  },
];

/** The same for what only an operation that deploys its account has. */
const FACTORY_TAMPERINGS = [
  {
    what: "factoryData, by bytes that the factory does not look at",
    change: (operation) => ({ ...operation, factoryData: concat([operation.factoryData, "0x00"]) }),
  },
  {
    what: "factoryData, to another account's",
    change: (operation, { owner }) => ({
      ...operation,
      factoryData: encodeFunctionData({
        abi: [
          {
            type: "function",
            name: "createAccount",
            stateMutability: "nonpayable",
            inputs: [{ type: "address" }, { type: "uint256" }],
            outputs: [{ type: "address" }],
          },
        ],
        args: [owner.address, 999n],
      }),
    }),
    reason: /^AA14 initCode must return sender$/,
  },
  {
    what: "the factory, to an address without a contract",
    change: (operation) => ({ ...operation, factory: BENEFICIARY }),
    reason: /^AA13 initCode failed or OOG$/,
  },
  {
    what: "the factory, to none",
    change: (operation) => without(operation, "factory", "factoryData"),
    reason: new RegExp(WITHOUT_REASON),
  },
];

describe("an operation changed after it was sponsored", { timeout: 60_000 }, () => {
  const owner = privateKeyToAccount(generatePrivateKey());
  const context = { owner };
  let sponsored;
  let undeployed;

  before(async () => {
    context.account = await simpleAccount(node, network.factory, { owner });
    context.other = await simpleAccount(node, network.factory, { owner, index: 1n });
    await deploy(context.account);
    await deploy(context.other);
    context.otherPaymaster = await anotherPaymaster();
    sponsored = await sponsor(relay, await makeOperation(context.account));

    context.fresh = await simpleAccount(node, network.factory, { owner, index: 2n });
    undeployed = await sponsor(relay, await makeOperation(context.fresh));
  });

  test("goes through when nothing has been changed", async () => {
    assert.equal(await refusal(node, await sign(context.account, sponsored)), "");
    assert.equal(await refusal(node, await sign(context.fresh, undeployed)), "");
  });

  for (const { what, change, reason = SIGNATURE_ERROR } of TAMPERINGS) {
    test(`is refused by the contract: ${what}`, async () => {
      const changed = await change(sponsored, context);
      const signer = changed.sender === context.other.address ? context.other : context.account;

      assert.match(await refusal(node, await sign(signer, changed)), reason);
    });
  }

  for (const { what, change, reason = SIGNATURE_ERROR } of FACTORY_TAMPERINGS) {
    test(`is refused by the contract: ${what}`, async () => {
      const changed = await change(undeployed, context);

      assert.match(await refusal(node, await sign(context.fresh, changed)), reason);
    });
  }

  test("is refused for the account's sake when the owner did not sign the change", async () => {
    const signed = await sign(context.account, sponsored);
    const changed = { ...signed, callGasLimit: signed.callGasLimit + 1n };

    assert.equal(await refusal(node, changed), "AA24 signature error");
  });

  test("reverts the bundle if it is sent all the same, at no cost for the paymaster", async () => {
    const deposit = await depositOf(node, network.paymaster);
    const changed = { ...sponsored, callGasLimit: sponsored.callGasLimit + 1n };
    const { receipt, event } = await handleOps(node, await sign(context.account, changed));

    assert.equal(receipt.status, "reverted");
    assert.equal(event, undefined);
    assert.equal(await depositOf(node, network.paymaster), deposit);
  });

  test("cannot be sent a second time", async () => {
    const signed = await sign(context.account, sponsored);
    const { event } = await handleOps(node, signed);

    assert.equal(event.success, true);
    assert.equal(await refusal(node, signed), "AA25 invalid account nonce");
  });
});

// last in this file: they move the chain's clock, which does not go back by itself
describe("a sponsorship outside its window", { timeout: 60_000 }, () => {
  let signed;
  let snapshot;

  const at = async (seconds) => {
    await node.request({ method: "evm_setNextBlockTimestamp", params: [numberToHex(seconds)] });
    await node.request({ method: "evm_mine", params: [] });
  };

  before(async () => {
    const account = await simpleAccount(node, network.factory);
    signed = await sign(account, await sponsor(relay, await makeOperation(account)));
    snapshot = await node.request({ method: "evm_snapshot", params: [] });
  });

  test("is accepted in its last seconds", async () => {
    await at(takeApart(signed.paymasterData).validUntil - 30n);
    assert.equal(await refusal(node, signed), "");
  });

  test("is refused by the contract as expired after its end", async () => {
    await at(takeApart(signed.paymasterData).validUntil + 1n);
    assert.equal(await refusal(node, signed), "AA32 paymaster expired or not due");
  });

  test("is refused by the contract as not due before its beginning", async () => {
    await node.request({ method: "evm_revert", params: [snapshot] });
    // on a chain whose clock is behind: the block's time is stated for the call alone
    const { validAfter } = takeApart(signed.paymasterData);
    const early = await refusal(node, signed, validAfter - 1n);
    assert.equal(early, "AA32 paymaster expired or not due");
    assert.equal(await refusal(node, signed, validAfter), "");
  });
});
