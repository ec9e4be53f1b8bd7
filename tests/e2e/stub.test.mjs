// SPDX-License-Identifier: Apache-2.0
// ERC-7677's stub: what a bundler estimates with must behave as the real data will, and what the
// policy refuses is refused here already.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { hexToBytes, isAddressEqual, recoverMessageAddress, size } from "viem";

import { startEnvironment } from "./support/network.mjs";
import {
  BENEFICIARY,
  GAS_LIMITS,
  makeOperation,
  packed,
  params7677,
  paymasterAbi,
  refusal,
  sign,
  simpleAccount,
  takeApart,
  withPaymaster,
  without,
} from "./support/operations.mjs";
import { ENTRY_POINT, failure, result } from "./support/relay.mjs";

const environment = await startEnvironment({
  sections: {
    paymaster_relay: {
      sponsor_name: "Tests & \"Co\"",
      sponsor_icon: "https://example.org/icon.png",
      max_operation_cost_wei: "20000000000000000",
      max_verification_gas_limit: 300000,
      max_post_op_gas_limit: 40000,
      max_pre_verification_gas: 200000,
      verification_gas_limit: 90000,
      post_op_gas_limit: 7,
    },
  },
});
const { relay, network, node } = environment;
const DATA_SIZE = 64 + 65;
const REFUSED = -32501;

const stubOf = (operation, context) =>
  result(relay, "pm_getPaymasterStubData", params7677(operation, context));
const dataOf = (operation) => result(relay, "pm_getPaymasterData", params7677(operation));
const zeros = (data) => hexToBytes(data).filter((byte) => byte === 0).length;

describe("the stub of pm_getPaymasterStubData", { timeout: 60_000 }, () => {
  let account;
  let operation;

  before(async () => {
    account = await simpleAccount(node, network.factory);
    operation = await makeOperation(account);
  });

  test("names the sponsor and the paymaster, and says that it is not final", async () => {
    const stub = await stubOf(operation);

    assert.deepEqual(stub.sponsor, { name: 'Tests & "Co"', icon: "https://example.org/icon.png" });
    assert.ok(isAddressEqual(stub.paymaster, network.paymaster));
    assert.equal(stub.isFinal, false);
    assert.equal(stub.paymasterVerificationGasLimit, "0x15f90");
    assert.equal(stub.paymasterPostOpGasLimit, "0x7");
  });

  test("is as long as the final data and has no more zero bytes", async () => {
    const [stub, final] = [await stubOf(operation), await dataOf(operation)];

    assert.equal(size(stub.paymasterData), DATA_SIZE);
    assert.equal(size(final.paymasterData), DATA_SIZE);
    // the widest final data: its signature may have no zero byte at all
    assert.equal(zeros(takeApart(stub.paymasterData).signature), 0);
    assert.ok(zeros(stub.paymasterData) <= zeros(final.paymasterData));
    assert.equal(final.paymasterVerificationGasLimit, stub.paymasterVerificationGasLimit);
    assert.equal(final.paymasterPostOpGasLimit, stub.paymasterPostOpGasLimit);
  });

  test("differs from the final data, and does not recover to the key", async () => {
    const stubbed = withPaymaster(operation, await stubOf(operation));
    const parts = takeApart(stubbed.paymasterData);
    const hash = await node.readContract({
      address: network.paymaster,
      abi: paymasterAbi,
      functionName: "getHash",
      args: [packed(stubbed), Number(parts.validUntil), Number(parts.validAfter)],
    });
    const recovered = await recoverMessageAddress({
      message: { raw: hash },
      signature: parts.signature,
    });

    assert.notEqual(stubbed.paymasterData, (await dataOf(operation)).paymasterData);
    assert.notEqual(recovered, environment.signer);
  });

  test("takes the contract's usual path: no revert, but another's signature", async () => {
    const stubbed = withPaymaster(operation, await stubOf(operation));
    const { result: answer } = await node.simulateContract({
      account: ENTRY_POINT,
      address: network.paymaster,
      abi: paymasterAbi,
      functionName: "validatePaymasterUserOp",
      args: [packed(stubbed), `0x${"00".repeat(32)}`, 10n ** 16n],
    });

    assert.equal(answer[0], "0x");
    assert.equal(answer[1] & 1n, 1n, "SIG_VALIDATION_FAILED");
    assert.equal(await refusal(node, await sign(account, stubbed)), "AA34 signature error");
  });

  test("is given to operations without gas, fees and signature", async () => {
    const bare = without(operation, ...GAS_LIMITS, "maxFeePerGas", "maxPriorityFeePerGas");

    assert.equal(size((await stubOf(bare)).paymasterData), DATA_SIZE);
  });

  test("needs no context, and takes null for one", async () => {
    const without = params7677(operation).slice(0, 3);

    for (const params of [without, [...without, null], [...without, { policyId: 1 }]]) {
      const stub = await result(relay, "pm_getPaymasterStubData", params);
      assert.equal(size(stub.paymasterData), DATA_SIZE);
    }
  });

  test("keeps the paymaster's gas limits that the operation names", async () => {
    const stub = await stubOf({
      ...operation,
      paymasterVerificationGasLimit: 123_456n,
      paymasterPostOpGasLimit: 1_234n,
    });

    assert.equal(BigInt(stub.paymasterVerificationGasLimit), 123_456n);
    assert.equal(BigInt(stub.paymasterPostOpGasLimit), 1_234n);
  });

  test("replaces the paymaster that an operation brings along", async () => {
    const stub = await stubOf({ ...operation, paymaster: BENEFICIARY, paymasterData: "0x1234" });

    assert.ok(isAddressEqual(stub.paymaster, network.paymaster));
  });
});

/** What the policy refuses: the change to the operation and the field that the message names. */
const REFUSALS = [
  { what: "maxFeePerGas", change: { maxFeePerGas: 10n ** 12n }, message: /may cost \d+ wei/ },
  { what: "callGasLimit", change: { callGasLimit: 10n ** 9n }, message: /may cost \d+ wei/ },
  { what: "callGasLimit", change: { callGasLimit: 2n ** 128n - 1n }, message: /may cost/ },
  {
    what: "preVerificationGas",
    change: { preVerificationGas: 200_001n },
    message: /preVerificationGas: 200001 .*200000/,
  },
  {
    what: "preVerificationGas",
    change: { preVerificationGas: 2n ** 256n - 1n },
    message: /preVerificationGas/,
  },
  {
    what: "paymasterVerificationGasLimit",
    change: { paymasterVerificationGasLimit: 300_001n },
    message: /paymasterVerificationGasLimit: 300001 .*300000/,
  },
  {
    what: "paymasterPostOpGasLimit",
    change: { paymasterPostOpGasLimit: 40_001n },
    message: /paymasterPostOpGasLimit: 40001 .*40000/,
  },
];

describe("the policy", { timeout: 60_000 }, () => {
  let operation;

  before(async () => {
    operation = await makeOperation(await simpleAccount(node, network.factory));
  });

  for (const method of ["pm_getPaymasterStubData", "pm_getPaymasterData"]) {
    for (const { what, change, message } of REFUSALS) {
      const [[field, value]] = Object.entries(change);

      test(`${method} refuses ${field} ${value} with -32501 and the paymaster`, async () => {
        const error = await failure(relay, method, params7677({ ...operation, ...change }));

        assert.equal(error.code, REFUSED, what);
        assert.match(error.message, message);
        assert.ok(isAddressEqual(error.data.paymaster, network.paymaster));
      });
    }

    test(`${method} sponsors what costs the most, and refuses a fee one wei higher`, async () => {
      // with the paymaster's own 90,007 it is 800,000 gas, and the most is a multiple of that
      const gas = {
        callGasLimit: 100_000n,
        verificationGasLimit: 600_000n,
        preVerificationGas: 9_993n,
      };
      const most = 20_000_000_000_000_000n / 800_000n;
      const at = (maxFeePerGas) => params7677({ ...operation, ...gas, maxFeePerGas });

      await result(relay, method, at(most));
      assert.equal((await failure(relay, method, at(most + 1n))).code, REFUSED);
    });
  }

  test("pm_sponsorUserOperation refuses the same", async () => {
    const [sent, entryPoint] = params7677({ ...operation, maxFeePerGas: 10n ** 12n });
    const error = await failure(relay, "pm_sponsorUserOperation", [sent, entryPoint]);

    assert.equal(error.code, REFUSED);
    assert.ok(isAddressEqual(error.data.paymaster, network.paymaster));
  });
});
