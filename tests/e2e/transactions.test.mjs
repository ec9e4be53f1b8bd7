// SPDX-License-Identifier: Apache-2.0
// What the TA reads of unsigned transactions and of calls of an EntryPoint, against viem, which
// wrote them.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { concat, encodeFunctionData, getAddress, numberToHex, serializeTransaction } from "viem";
import { entryPoint06Abi, entryPoint07Abi } from "viem/account-abstraction";

import { random } from "./support/random.mjs";
import { startSigner } from "./support/signer.mjs";

const ROUNDS = 1000;
const CALLS = 200;
const TIMEOUT = { timeout: 60_000 };

let signer;
before(async () => {
  signer = await startSigner();
}, TIMEOUT);

const word = (value) => numberToHex(value, { size: 32 });
const times = (count, make) => Array.from({ length: count }, make);
const ask = (kind, inputs) => signer.ask(inputs.map((hex) => `${kind} ${hex.slice(2)}`));

const accessList = () =>
  times(random.byte() % 3, () => ({
    address: random.address(),
    storageKeys: times(random.byte() % 3, () => random.bytes(32)),
  }));

const authorizationList = () =>
  times(1 + (random.byte() % 3), () => ({
    chainId: Number(random.number(4)),
    address: random.address(),
    nonce: Number(random.number(6)),
    yParity: random.byte() & 1,
    r: word(1n + random.number(31)),
    s: word(1n + random.number(31)),
  }));

function randomTransaction(type) {
  const priority = random.number(8);
  return {
    type,
    chainId: 1 + Number(random.number(6)),
    nonce: Number(random.number(6)),
    maxPriorityFeePerGas: priority,
    maxFeePerGas: priority + random.number(8),
    gas: random.number(8),
    to: type === "eip1559" && random.byte() < 32 ? undefined : random.address(),
    value: random.number(32),
    data: random.bytes(random.byte()),
    accessList: accessList(),
    ...(type === "eip7702" && { authorizationList: authorizationList() }),
  };
}

const asRead = (tx) =>
  [
    tx.type === "eip7702" ? 4 : 2,
    tx.chainId,
    tx.nonce,
    tx.maxPriorityFeePerGas,
    tx.maxFeePerGas,
    tx.gas,
    tx.to ? getAddress(tx.to) : "-",
    tx.value,
    tx.accessList.length,
    tx.authorizationList?.length ?? 0,
    tx.data,
  ].join(" ");

describe("of an unsigned transaction the TA", TIMEOUT, () => {
  for (const type of ["eip1559", "eip7702"]) {
    test(`reads what viem wrote: ${ROUNDS} of ${type}`, async () => {
      const transactions = times(ROUNDS, () => randomTransaction(type));
      const encoded = transactions.map((tx) => serializeTransaction(tx));

      assert.deepEqual(await ask("t", encoded), transactions.map(asRead));
    });
  }

  test("tells other types from broken ones", async () => {
    const { maxFeePerGas, ...rest } = randomTransaction("eip1559");
    const plain = { to: rest.to, nonce: 1, gas: 21_000n, gasPrice: maxFeePerGas };
    const legacy = serializeTransaction({ ...plain, type: "legacy", chainId: 1 });
    const eip2930 = serializeTransaction({ ...plain, type: "eip2930", chainId: 1 });
    const signature = { r: word(1n), s: word(1n), yParity: 0 };
    const signed = serializeTransaction(randomTransaction("eip1559"), signature);

    assert.deepEqual(await ask("t", [legacy, eip2930, signed]), ["unknown", "unknown", "bad"]);
  });
});

const randomOperation = (packed) => ({
  sender: random.address(),
  nonce: random.number(32),
  initCode: random.bytes(random.byte()),
  callData: random.bytes(random.byte()),
  callGasLimit: random.number(16),
  verificationGasLimit: random.number(16),
  preVerificationGas: random.number(32),
  maxFeePerGas: random.number(16),
  maxPriorityFeePerGas: random.number(16),
  ...(packed && { accountGasLimits: random.bytes(32), gasFees: random.bytes(32) }),
  paymasterAndData: concat([random.address(), random.bytes(random.byte())]),
  signature: random.bytes(65),
});

function randomCall(packed, aggregated) {
  const aggregates = () => ({
    userOps: times(random.byte() % 3, () => randomOperation(packed)),
    aggregator: random.address(),
    signature: random.bytes(random.byte()),
  });
  const entries = times(1 + (random.byte() % 4), () =>
    aggregated ? aggregates() : randomOperation(packed),
  );
  const beneficiary = getAddress(random.address());
  const data = encodeFunctionData({
    abi: packed ? entryPoint07Abi : entryPoint06Abi,
    functionName: aggregated ? "handleAggregatedOps" : "handleOps",
    args: [entries, beneficiary],
  });
  const expected = [Number(packed), Number(aggregated), entries.length, beneficiary];
  return { data, expected: expected.join(" ") };
}

describe("of a call of the EntryPoint the TA finds the beneficiary", TIMEOUT, () => {
  for (const [name, packed] of [
    ["v0.6", false],
    ["v0.7 and later", true],
  ]) {
    for (const aggregated of [false, true]) {
      const what = aggregated ? "handleAggregatedOps" : "handleOps";
      test(`in ${what} of ${name}`, async () => {
        const calls = times(CALLS, () => randomCall(packed, aggregated));

        assert.deepEqual(
          await ask("h", calls.map(({ data }) => data)),
          calls.map(({ expected }) => expected),
        );
      });
    }
  }
});
