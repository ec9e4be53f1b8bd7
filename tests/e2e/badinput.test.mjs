// SPDX-License-Identifier: Apache-2.0
// Every field of an operation in every wrong shape, for every method that takes one: the answer
// is -32602 with the field's name, over HTTP 200, and the relay goes on.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { without } from "./support/operations.mjs";
import { ENTRY_POINT, failure, result, startLoneRelay } from "./support/relay.mjs";
import { Upstream } from "./support/upstream.mjs";

// An upstream bundler that takes everything: what reaches it was let through.
const METHODS_PASSED = [
  "eth_sendUserOperation",
  "eth_estimateUserOperationGas",
  "eth_getUserOperationByHash",
  "eth_getUserOperationReceipt",
  "pimlico_getUserOperationStatus",
];
const bundler = await new Upstream(
  Object.fromEntries(METHODS_PASSED.map((method) => [method, { result: { method } }])),
).open();
const relay = await startLoneRelay({ node: { bundler_url: bundler.url } });

const CHAIN = "0x7a69";
const ADDRESS = "0x1234567890123456789012345678901234567890";
const GOOD = {
  sender: ADDRESS,
  nonce: "0x7",
  factory: "0x9fbb5fa1d5a1c26d5b0e5a3b1c3f5e4d2c1b0a99",
  factoryData: "0x010203",
  callData: "0xdeadbeef",
  callGasLimit: "0x11111",
  verificationGasLimit: "0x22222",
  preVerificationGas: "0x3333",
  maxFeePerGas: "0xb2d05e00",
  maxPriorityFeePerGas: "0x3b9aca00",
  signature: "0x1234",
};

/** How each method is called with an operation, and which fields it may lack. */
const METHODS = {
  pm_getPaymasterStubData: {
    params: (op, { entryPoint = ENTRY_POINT, chainId = CHAIN, context = {} } = {}) => [
      op,
      entryPoint,
      chainId,
      context,
    ],
    lacks: ["gas", "fees", "signature"],
  },
  pm_getPaymasterData: {
    params: (op, { entryPoint = ENTRY_POINT, chainId = CHAIN, context = {} } = {}) => [
      op,
      entryPoint,
      chainId,
      context,
    ],
    lacks: ["signature"],
  },
  pm_sponsorUserOperation: {
    params: (op, { entryPoint = ENTRY_POINT, context = {} } = {}) => [op, entryPoint, context],
    lacks: ["gas", "signature"],
  },
  eth_estimateUserOperationGas: {
    params: (op, { entryPoint = ENTRY_POINT } = {}) => [op, entryPoint],
    lacks: ["gas", "fees", "signature"],
  },
  eth_sendUserOperation: {
    params: (op, { entryPoint = ENTRY_POINT } = {}) => [op, entryPoint],
    lacks: [],
  },
};

const ADDRESSES = ["sender", "factory", "paymaster"];
const WIDE = ["nonce", "preVerificationGas"];
const NARROW = [
  "callGasLimit",
  "verificationGasLimit",
  "maxFeePerGas",
  "maxPriorityFeePerGas",
  "paymasterVerificationGasLimit",
  "paymasterPostOpGasLimit",
];
const BYTES = ["factoryData", "callData", "paymasterData", "signature"];
const REQUIRED = ["sender", "nonce", "callData"];
const EXCUSABLE = {
  gas: ["callGasLimit", "verificationGasLimit", "preVerificationGas"],
  fees: ["maxFeePerGas", "maxPriorityFeePerGas"],
  signature: ["signature"],
};

const NOT_A_STRING = [1, 1.5, -1, true, false, {}, [], ["0x1"]];
const BAD_QUANTITIES = [
  ...NOT_A_STRING,
  "",
  "0x",
  "1",
  "0xg",
  "0X1",
  "-0x1",
  "0x-1",
  " 0x1",
  "0x1 ",
  "0x1\u0000",
  "1e3",
  "0x1.8",
];
const BAD_ADDRESSES = [
  ...NOT_A_STRING,
  "",
  "0x1",
  ADDRESS.slice(0, -1),
  `${ADDRESS}0`,
  ADDRESS.slice(2),
  `${ADDRESS.slice(0, -1)}g`,
  // one letter's case is wrong: the checksum of EIP-55 does not fit
  "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
];
const BAD_BYTES = [
  ...NOT_A_STRING,
  "",
  "0",
  "0x1",
  "0xabc",
  "0xzz",
  "abcd",
  "0Xabcd",
  "0xab cd",
  "0xabcd\u0000",
];

const wide = (bits) => `0x1${"0".repeat(bits / 4)}`;

function* malformations() {
  for (const field of ADDRESSES)
    for (const value of BAD_ADDRESSES) yield [field, value];
  for (const field of [...WIDE, ...NARROW])
    for (const value of BAD_QUANTITIES) yield [field, value];
  for (const field of WIDE) yield [field, wide(256)];
  for (const field of NARROW) yield [field, wide(128)];
  for (const field of BYTES) for (const value of BAD_BYTES) yield [field, value];
  for (const field of BYTES) yield [field, `0x${"00".repeat(128 * 1024 + 1)}`];
}

async function refused(method, params, field) {
  const error = await failure(relay, method, params);

  assert.equal(error.code, -32602, `${method}: ${JSON.stringify(error)}`);
  assert.ok(error.message.includes(field), `${method}, ${field}: ${error.message}`);
  assert.equal(error.data, undefined);
  return error;
}

const sponsored = () =>
  result(relay, "pm_getPaymasterData", METHODS.pm_getPaymasterData.params(GOOD));

for (const [method, { params, lacks }] of Object.entries(METHODS)) {
  describe(method, { timeout: 60_000 }, () => {
    for (const field of [...ADDRESSES, ...WIDE, ...NARROW, ...BYTES]) {
      const cases = [...malformations()].filter(([name]) => name === field);

      test(`refuses each of ${cases.length} malformed forms of ${field}`, async () => {
        for (const [, value] of cases) {
          const operation = { ...GOOD, [field]: value };
          if (field.startsWith("paymaster")) operation.paymaster ??= ADDRESS;
          const error = await refused(method, params(operation), field);
          assert.ok(error.message.length < 400, "the value is not repeated at length");
        }
      });
    }

    const excused = lacks.flatMap((kind) => EXCUSABLE[kind]);
    const needed = [...REQUIRED, ...Object.values(EXCUSABLE).flat()].filter(
      (field) => !excused.includes(field),
    );

    for (const field of needed) {
      test(`refuses an operation without ${field}, left out or null`, async () => {
        await refused(method, params(without(GOOD, field)), field);
        await refused(method, params({ ...GOOD, [field]: null }), field);
      });
    }

    test("refuses what is no operation at all", async () => {
      for (const value of [null, 1, "0x", [], [GOOD], true])
        await refused(method, params(value), "userOp");
    });

    test("refuses an unknown field and names the nearest known one", async () => {
      const misspelt = { ...without(GOOD, "callGasLimit"), callGaslimit: "0x1" };
      const error = await refused(method, params(misspelt), "callGaslimit");
      assert.match(error.message, /did you mean callGasLimit/);
      await refused(method, params({ ...GOOD, qqqqqqqqqq: 1 }), "qqqqqqqqqq");
    });

    test("refuses the fields of v0.6 and says what v0.7 has instead", async () => {
      const rest = without(GOOD, "factory", "factoryData");
      const init = await refused(method, params({ ...rest, initCode: "0x" }), "initCode");
      assert.match(init.message, /v0\.7.*factory/);
      const data = await refused(
        method,
        params({ ...GOOD, paymasterAndData: "0x" }),
        "paymasterAndData",
      );
      assert.match(data.message, /v0\.7.*paymaster/);
    });

    test("refuses the fields of v0.9", async () => {
      await refused(
        method,
        params({ ...GOOD, paymaster: ADDRESS, paymasterSignature: "0x12" }),
        "paymasterSignature",
      );
    });

    test("refuses parts without what they belong to", async () => {
      await refused(method, params(without(GOOD, "factory")), "factory");
      await refused(method, params({ ...GOOD, paymasterData: "0x12" }), "paymaster");
    });

    test("refuses the EIP-7702 marker, which v0.7 has not", async () => {
      const error = await refused(method, params({ ...GOOD, factory: "0x7702" }), "factory");
      assert.match(error.message, /v0\.8/);
    });

    test("refuses another EntryPoint and names the one that is served", async () => {
      const others = [
        "0x5FF137D4b0FDCD49DcA30c7CF57E578a026d2789",
        "0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108",
        `0x${"0".repeat(40)}`,
      ];
      for (const entryPoint of others) {
        const error = await refused(method, params(GOOD, { entryPoint }), "entryPoint");
        assert.ok(error.message.includes(ENTRY_POINT), error.message);
      }
      for (const entryPoint of ["", "0x", "0.7", 7, null, {}, [ENTRY_POINT], `${ENTRY_POINT}00`])
        await refused(method, params(GOOD, { entryPoint }), "entryPoint");
    });

    test("takes the EntryPoint in any case of its letters", async () => {
      for (const entryPoint of [ENTRY_POINT.toLowerCase(), ENTRY_POINT])
        await result(relay, method, params(GOOD, { entryPoint }));
    });
  });
}

describe("the parameters beside the operation", () => {
  const with7677 = ["pm_getPaymasterStubData", "pm_getPaymasterData"];

  for (const method of with7677) {
    test(`${method} refuses another chain id and names its own`, async () => {
      const { params } = METHODS[method];
      const error = await refused(method, params(GOOD, { chainId: "0x1" }), "chainId");
      assert.match(error.message, /0x7a69 \(31337\), got 1/);
      for (const chainId of [31337, "31337", "", "0x", null, {}, [], "0x7a69 ", wide(256)])
        await refused(method, params(GOOD, { chainId }), "chainId");
    });
  }

  for (const method of [...with7677, "pm_sponsorUserOperation"]) {
    test(`${method} refuses a context that is no object`, async () => {
      for (const context of [1, "policy", true, [], [{}]])
        await refused(method, METHODS[method].params(GOOD, { context }), "context");
    });
  }

  for (const method of [
    "eth_getUserOperationByHash",
    "eth_getUserOperationReceipt",
    "pimlico_getUserOperationStatus",
  ]) {
    test(`${method} refuses what is no hash`, async () => {
      const good = `0x${"ab".repeat(32)}`;
      for (const hash of [null, 1, "", "0x", good.slice(0, -1), `${good}00`, good.slice(2), {}])
        await refused(method, [hash], "userOpHash");
      assert.deepEqual(await result(relay, method, [good]), { method });
    });
  }
});

describe("after all of it", () => {
  test("the bundler has seen the good ones alone", () => {
    const passed = bundler.calls.filter((method) => METHODS_PASSED.includes(method));

    // the EntryPoint in two spellings for two methods, and three hashes
    assert.equal(passed.length, 2 + 2 + 3);
  });

  test("a good operation is sponsored as before, by the same process", async () => {
    const answer = await sponsored();

    assert.match(answer.paymasterData, /^0x[0-9a-f]{258}$/);
    assert.ok(relay.running);
  });
});
