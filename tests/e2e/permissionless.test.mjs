// SPDX-License-Identifier: Apache-2.0
// permissionless.js, unmodified: pm_sponsorUserOperation and the gas price through the relay.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { createSmartAccountClient } from "permissionless";
import { createPimlicoClient } from "permissionless/clients/pimlico";
import { http, isAddressEqual, size } from "viem";

import { chainAt, publicClient, startEnvironment } from "./support/network.mjs";
import {
  depositOf,
  GAS_LIMITS,
  handleOps,
  makeOperation,
  NO_OP,
  refusal,
  sign,
  simpleAccount,
  withPaymaster,
  without,
} from "./support/operations.mjs";
import { ENTRY_POINT, failure } from "./support/relay.mjs";

const environment = await startEnvironment({ bundler: true });
const { relay, network, node } = environment;
const entryPoint = { address: ENTRY_POINT, version: "0.7" };
const client = publicClient(relay.url);
const pimlico = createPimlicoClient({
  chain: chainAt(relay.url),
  transport: http(relay.url),
  entryPoint,
});

const newAccount = () => simpleAccount(client, network.factory);

/** An operation as far as a wallet has it before it asks for a sponsor. */
async function unpriced() {
  const account = await newAccount();
  const { standard } = await pimlico.getUserOperationGasPrice();
  const operation = await makeOperation(account, {
    ...standard,
    signature: await account.getStubSignature(),
  });
  return { account, operation };
}

describe("permissionless against the relay alone", { timeout: 60_000 }, () => {
  let account;

  before(async () => {
    account = await newAccount();
  });

  function smartAccountClient(userOperation = {}) {
    return createSmartAccountClient({
      account,
      client,
      chain: chainAt(relay.url),
      bundlerTransport: http(relay.url),
      paymaster: pimlico,
      pollingInterval: 100,
      userOperation: {
        estimateFeesPerGas: async () => (await pimlico.getUserOperationGasPrice()).fast,
        ...userOperation,
      },
    });
  }

  test("the bundler's gas prices come through", async () => {
    const { slow, standard, fast } = await pimlico.getUserOperationGasPrice();

    assert.ok(slow.maxFeePerGas > 0n);
    assert.ok(slow.maxFeePerGas <= standard.maxFeePerGas);
    assert.ok(standard.maxFeePerGas <= fast.maxFeePerGas);
  });

  test("a smart account client's transaction is mined and costs the account nothing", async () => {
    const hash = await smartAccountClient().sendTransaction({ calls: [NO_OP] });
    const receipt = await node.getTransactionReceipt({ hash });

    assert.equal(receipt.status, "success");
    assert.equal(await node.getBalance({ address: account.address }), 0n);
    assert.notEqual(await node.getCode({ address: account.address }), undefined);
  });

  test("what pm_sponsorUserOperation answers is all that a mined operation needs", async () => {
    const wallet = smartAccountClient();
    const operation = await makeOperation(account, {
      ...(await pimlico.getUserOperationGasPrice()).fast,
      signature: await account.getStubSignature(),
    });
    const bare = without(operation, ...GAS_LIMITS);
    const answer = await pimlico.sponsorUserOperation({ userOperation: bare });
    const hash = await wallet.sendUserOperation({ ...bare, ...answer, signature: undefined });
    const receipt = await wallet.waitForUserOperationReceipt({ hash, timeout: 20_000 });

    assert.equal(receipt.success, true);
    assert.ok(isAddressEqual(receipt.paymaster, network.paymaster));
  });

  test("gas limits that an operation lacks are estimated, and the estimate suffices", async () => {
    const { account: fresh, operation: whole } = await unpriced();
    const operation = without(whole, ...GAS_LIMITS);
    const answer = await pimlico.sponsorUserOperation({ userOperation: operation });

    for (const field of GAS_LIMITS) assert.ok(answer[field] > 0n, field);
    assert.ok(answer.paymasterVerificationGasLimit > 0n);
    assert.ok(answer.paymasterPostOpGasLimit > 0n);
    assert.equal(size(answer.paymasterData), 129);

    const signed = await sign(fresh, withPaymaster({ ...operation, ...answer }, answer));
    assert.equal(await refusal(node, signed), "");
    const { event } = await handleOps(node, signed);
    assert.equal(event.success, true);
  });

  test("gas limits that an operation has are kept as they are", async () => {
    const { account: fresh, operation } = await unpriced();
    const deposit = await depositOf(node, network.paymaster);
    const answer = await pimlico.sponsorUserOperation({ userOperation: operation });

    for (const field of GAS_LIMITS) assert.equal(answer[field], operation[field], field);
    const { event } = await handleOps(node, await sign(fresh, withPaymaster(operation, answer)));
    assert.equal(event.success, true);
    assert.equal(deposit - (await depositOf(node, network.paymaster)), event.actualGasCost);
  });

  test("one missing gas limit is estimated and the others are kept", async () => {
    const { account: fresh, operation } = await unpriced();
    const rest = without(operation, "callGasLimit");
    const answer = await pimlico.sponsorUserOperation({ userOperation: rest });

    assert.ok(answer.callGasLimit > 0n && answer.callGasLimit !== operation.callGasLimit);
    assert.equal(answer.verificationGasLimit, operation.verificationGasLimit);
    const signed = await sign(fresh, withPaymaster({ ...rest, ...answer }, answer));
    assert.equal(await refusal(node, signed), "");
  });

  test("a policy id and a context are accepted", async () => {
    const { operation } = await unpriced();
    const answer = await pimlico.sponsorUserOperation({
      userOperation: operation,
      sponsorshipPolicyId: "sp_any",
      paymasterContext: { mode: "any" },
    });

    assert.ok(isAddressEqual(answer.paymaster, network.paymaster));
  });

  test("an operation whose estimation reverts is answered with the bundler's error", async () => {
    const { operation: whole } = await unpriced();
    // not the account that this factory makes
    const sender = "0x00000000000000000000000000000000000000e1";
    const operation = { ...without(whole, ...GAS_LIMITS), sender };
    const error = await pimlico
      .sponsorUserOperation({ userOperation: operation })
      .then(() => assert.fail("sponsored"), (caught) => caught);

    assert.match(error.message, /AA1[0-9]|AA2[0-9]|sender|initCode/);
  });

  test("status of an operation that nobody has sent is not_found", async () => {
    const { status } = await pimlico.getUserOperationStatus({ hash: `0x${"5e".repeat(32)}` });

    assert.equal(status, "not_found");
  });

  test("validate and quote methods that the relay has not are said not to exist", async () => {
    assert.equal((await failure(relay, "pimlico_getTokenQuotes", [])).code, -32601);
  });
});
