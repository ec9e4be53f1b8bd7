// SPDX-License-Identifier: Apache-2.0
// `super-relay op hash` against viem, the published vectors and the contracts' own answers.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { bytesToHex, concat, numberToHex, pad } from "viem";
import {
  entryPoint06Address,
  entryPoint07Address,
  entryPoint08Address,
  entryPoint09Address,
  getUserOperationHash,
} from "viem/account-abstraction";

import { root } from "./support/processes.mjs";
import { toRpc, without } from "./support/operations.mjs";
import { cli, cliJson } from "./support/relay.mjs";

const TIMEOUT = { timeout: 60_000 };
const CANONICAL = {
  "0.6": entryPoint06Address,
  "0.7": entryPoint07Address,
  "0.8": entryPoint08Address,
  "0.9": entryPoint09Address,
};
const ROUNDS = 12;

const hash = (version, operation, chainId = 31337, more = []) =>
  cli(["op", "hash", "--entry-point", version, "--chain-id", String(chainId), ...more], {
    input: typeof operation === "string" ? operation : JSON.stringify(operation),
  });

async function hashes(version, operation, expected, ...rest) {
  const { status, stdout, stderr } = await hash(version, operation, ...rest);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, `${expected}\n`);
}

/** Pseudo-random, and the same in every run. */
function generator(seed) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
  const bytes = (length) => bytesToHex(Uint8Array.from({ length }, next));
  const number = (length) => BigInt(bytes(1 + (next() % length)));
  return { next, bytes, number, address: () => bytes(20) };
}

/** An operation with every field of its version, or without the optional ones. */
function randomOperation(version, random) {
  const common = {
    sender: random.address(),
    nonce: random.number(32),
    callData: random.bytes(random.next()),
    callGasLimit: random.number(16),
    verificationGasLimit: random.number(16),
    preVerificationGas: random.number(32),
    maxFeePerGas: random.number(16),
    maxPriorityFeePerGas: random.number(16),
    signature: random.bytes(65),
  };
  const deploys = random.next() % 2 === 0;
  const sponsored = random.next() % 2 === 0;
  if (version === "0.6")
    return {
      ...common,
      initCode: deploys ? concat([random.address(), random.bytes(random.next())]) : "0x",
      paymasterAndData: sponsored ? concat([random.address(), random.bytes(65)]) : "0x",
    };
  return {
    ...common,
    ...(deploys && { factory: random.address(), factoryData: random.bytes(1 + random.next()) }),
    ...(sponsored && {
      paymaster: random.address(),
      paymasterVerificationGasLimit: random.number(16),
      paymasterPostOpGasLimit: random.number(16),
      paymasterData: random.bytes(1 + random.next()),
    }),
  };
}

describe("op hash", TIMEOUT, () => {
  for (const [version, entryPointAddress] of Object.entries(CANONICAL)) {
    test(`agrees with viem on v${version}`, async () => {
      const random = generator(Number(version.slice(2)));

      for (let round = 0; round < ROUNDS; round++) {
        const userOperation = randomOperation(version, random);
        const chainId = 1 + random.next() * 1000;
        const expected = getUserOperationHash({
          userOperation,
          chainId,
          entryPointAddress,
          entryPointVersion: version,
        });
        await hashes(version, toRpc(userOperation), expected, chainId);
      }
    });

    test(`agrees with viem on v${version} at another address`, async () => {
      const random = generator(99);
      const userOperation = randomOperation(version, random);
      const entryPointAddress = pad("0xe9", { size: 20 });
      const expected = getUserOperationHash({
        userOperation,
        chainId: 1,
        entryPointAddress,
        entryPointVersion: version,
      });
      const more = ["--address", entryPointAddress];

      await hashes(version, toRpc(userOperation), expected, 1, more);
    });
  }

  test("agrees with viem on a v0.9 paymaster signature beside the data", async () => {
    const random = generator(7);
    const userOperation = {
      ...randomOperation("0.9", random),
      paymaster: random.address(),
      paymasterVerificationGasLimit: 1n,
      paymasterPostOpGasLimit: 2n,
      paymasterData: "0xaabbcc",
      paymasterSignature: random.bytes(65),
    };
    const expected = getUserOperationHash({
      userOperation,
      chainId: 31337,
      entryPointAddress: entryPoint09Address,
      entryPointVersion: "0.9",
    });

    await hashes("0.9", toRpc(userOperation), expected);
  });

  test("agrees with the contracts' getUserOpHash on every stored vector", async () => {
    const text = readFileSync(join(root, "tests/vectors/user_op_hash.txt"), "utf8");
    const lines = text.split("\n").filter((line) => line && !line.startsWith("#"));

    assert.ok(lines.length >= 20);
    for (const line of lines) {
      const [, name, version, chainId, delegate, expected, operation] =
        /^(\S+) (\S+) (\S+) (\S+) (\S+) (.*)$/.exec(line);
      const more = delegate === "-" ? [] : ["--delegate", delegate];
      const { status, stdout, stderr } = await hash(version, operation, chainId, more);

      assert.equal(status, 0, `${name} ${version}: ${stderr}`);
      assert.equal(stdout.trim(), expected, `${name} ${version}`);
    }
  });

  const FACTS = {
    "0.6": "0x5db40295319cec6793e5dad59237d794d27d8c1f43cd4fc44f15dbd782784165",
    "0.7": "0xd86f3375a265be71dc6c67fa638d089fec02cde8d0cb32867ba430660f5e6d0f",
    "0.8": "0xcacae9de475f1e7f8ac77aba420e6f4e1d8d339fc40314817143717f60d01294",
  };

  for (const [version, expected] of Object.entries(FACTS)) {
    test(`of the published operation on v${version} is the published one`, async () => {
      const paymaster = "0xAbcdEf0123456789aBcDeF0123456789abcdef01";
      const common = {
        sender: "0x1234567890123456789012345678901234567890",
        nonce: "0x7",
        callData: "0xdeadbeef",
        callGasLimit: "0x11111",
        verificationGasLimit: "0x22222",
        preVerificationGas: "0x3333",
        maxFeePerGas: numberToHex(3_000_000_000),
        maxPriorityFeePerGas: numberToHex(1_000_000_000),
        signature: "0x",
      };
      const operation =
        version === "0.6"
          ? { ...common, paymasterAndData: `${paymaster}aabbcc` }
          : {
              ...common,
              paymaster: paymaster.toLowerCase(),
              paymasterVerificationGasLimit: numberToHex(100_000),
              paymasterPostOpGasLimit: numberToHex(50_000),
              paymasterData: "0xaabbcc",
            };

      await hashes(version, operation, expected);
      await hashes(`v${version}`, operation, expected, "0x7a69");
    });
  }

  test("says what it hashed for in JSON", async () => {
    const random = generator(1);
    const answer = await cliJson(["op", "hash", "--entry-point", "0.7", "--chain-id", "0x10"], {
      input: JSON.stringify(toRpc(randomOperation("0.7", random))),
    });

    assert.match(answer.userOpHash, /^0x[0-9a-f]{64}$/);
    assert.equal(answer.entryPoint, entryPoint07Address);
    assert.equal(answer.version, "0.7");
    assert.equal(answer.chainId, "0x10");
  });
});

describe("op hash refuses, with status 1 and the reason on standard error", TIMEOUT, () => {
  const good = toRpc(randomOperation("0.7", generator(3)));
  const cases = [
    ["nothing at all", "", /standard input is no valid JSON/],
    ["half a JSON", "{", /no valid JSON.*byte/],
    ["an array", [good], /object/],
    ["a number for a quantity", { ...good, nonce: 7 }, /nonce.*number 7/],
    ["an unknown field", { ...good, callgaslimit: "0x1" }, /callgaslimit/],
    ["a field of v0.6", { ...good, initCode: "0x" }, /initCode/],
    ["a missing field", { ...good, sender: undefined }, /sender: missing/],
    ["more than 128 bits", { ...good, maxFeePerGas: `0x1${"0".repeat(32)}` }, /128 bits/],
  ];

  for (const [what, operation, pattern] of cases) {
    test(what, async () => {
      const { status, stdout, stderr } = await hash("0.7", operation);

      assert.equal(status, 1);
      assert.equal(stdout, "");
      assert.match(stderr, pattern);
    });
  }

  test("wrong options", async () => {
    for (const [version, chainId, more, pattern] of [
      ["0.5", 1, [], /--entry-point/],
      ["0.7", "one", [], /--chain-id/],
      ["0.7", -1, [], /--chain-id/],
      ["0.7", 1, ["--address", "0x12"], /--address/],
      ["0.8", 1, ["--delegate", "x"], /--delegate/],
    ]) {
      const { status, stderr } = await hash(version, good, chainId, more);
      assert.equal(status, 1, stderr);
      assert.match(stderr, pattern);
    }
  });

  test("an EIP-7702 account whose delegate is not given", async () => {
    const rest = without(good, "factory", "factoryData");
    const { status, stderr } = await hash("0.8", { ...rest, factory: "0x7702" });

    assert.equal(status, 1);
    assert.match(stderr, /delegate/);
  });
});
