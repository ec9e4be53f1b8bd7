// SPDX-License-Identifier: Apache-2.0
// ERC-7677 with viem's own clients, unmodified, and one endpoint for everything: the relay's.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { http, isAddressEqual, parseEventLogs } from "viem";
import {
  createBundlerClient,
  createPaymasterClient,
  entryPoint07Abi,
} from "viem/account-abstraction";

import { chainAt, publicClient, startEnvironment } from "./support/network.mjs";
import { depositOf, NO_OP, simpleAccount, toRpc } from "./support/operations.mjs";
import { ENTRY_POINT, failure } from "./support/relay.mjs";

const environment = await startEnvironment({ bundler: true });
const { relay, network, node } = environment;

function walletClient(account) {
  const client = publicClient(relay.url);
  return createBundlerClient({
    account,
    client,
    chain: chainAt(relay.url),
    transport: http(relay.url),
    paymaster: createPaymasterClient({ transport: http(relay.url) }),
    paymasterContext: { policyId: "any" },
    pollingInterval: 100,
  });
}

const newAccount = () => simpleAccount(publicClient(relay.url), network.factory);

async function send(account) {
  const wallet = walletClient(account);
  const hash = await wallet.sendUserOperation({ calls: [NO_OP] });
  const receipt = await wallet.waitForUserOperationReceipt({ hash, timeout: 20_000 });
  return { wallet, hash, receipt };
}

/** The operation's event, as the chain has it and not as the bundler tells it. */
async function eventOf(hash, transactionHash) {
  const { logs } = await node.getTransactionReceipt({ hash: transactionHash });
  const events = parseEventLogs({ abi: entryPoint07Abi, eventName: "UserOperationEvent", logs });
  return events.map((event) => event.args).find((event) => event.userOpHash === hash);
}

describe("viem's clients against the relay alone", { timeout: 60_000 }, () => {
  const account = { first: undefined };

  before(async () => {
    account.first = await newAccount();
  });

  test("an account that holds nothing gets itself deployed and its call run", async () => {
    const deposit = await depositOf(node, network.paymaster);
    const { wallet, hash, receipt } = await send(account.first);
    const event = await eventOf(hash, receipt.receipt.transactionHash);

    assert.equal(receipt.success, true);
    assert.equal(receipt.userOpHash, hash);
    assert.ok(isAddressEqual(receipt.sender, account.first.address));
    assert.equal(event.success, true);
    assert.ok(isAddressEqual(event.paymaster, network.paymaster));
    assert.ok(event.actualGasCost > 0n);
    assert.equal(receipt.actualGasCost, event.actualGasCost);
    assert.equal(deposit - (await depositOf(node, network.paymaster)), event.actualGasCost);
    assert.equal(await node.getBalance({ address: account.first.address }), 0n);
    assert.equal(await depositOf(node, account.first.address), 0n);
    assert.notEqual(await node.getCode({ address: account.first.address }), undefined);

    const found = await wallet.getUserOperation({ hash });
    assert.equal(found.transactionHash, receipt.receipt.transactionHash);
    assert.ok(isAddressEqual(found.entryPoint, ENTRY_POINT));
    assert.ok(isAddressEqual(found.userOperation.sender, account.first.address));
  });

  test("the same account, deployed now, is sponsored again", async () => {
    const { wallet, hash, receipt } = await send(account.first);
    const event = await eventOf(hash, receipt.receipt.transactionHash);
    const { userOperation } = await wallet.getUserOperation({ hash });

    assert.equal(userOperation.factory ?? null, null);
    assert.equal(event.success, true);
    assert.ok(isAddressEqual(event.paymaster, network.paymaster));
    assert.equal(await node.getBalance({ address: account.first.address }), 0n);
  });

  test("several accounts at the same time are all mined and charged to the paymaster", async () => {
    const deposit = await depositOf(node, network.paymaster);
    const accounts = await Promise.all(Array.from({ length: 5 }, newAccount));
    const sent = await Promise.all(accounts.map(send));
    const events = await Promise.all(
      sent.map(({ hash, receipt }) => eventOf(hash, receipt.receipt.transactionHash)),
    );
    const cost = events.reduce((sum, event) => sum + event.actualGasCost, 0n);

    assert.deepEqual(events.map((event) => event.success), Array(5).fill(true));
    assert.equal(new Set(events.map((event) => event.userOpHash)).size, 5);
    assert.equal(deposit - (await depositOf(node, network.paymaster)), cost);
    for (const { address } of accounts) assert.equal(await node.getBalance({ address }), 0n);
  });

  test("a call that reverts is charged, and reported as a failure of the call alone", async () => {
    const deployed = account.first;
    const wallet = walletClient(deployed);
    // no account of ours holds ether, so sending a wei fails
    const hash = await wallet.sendUserOperation({
      calls: [{ ...NO_OP, value: 1n }],
      callGasLimit: 100_000n,
      verificationGasLimit: 200_000n,
      preVerificationGas: 60_000n,
    });
    const receipt = await wallet.waitForUserOperationReceipt({ hash, timeout: 20_000 });

    assert.equal(receipt.success, false);
    assert.ok(isAddressEqual(receipt.paymaster, network.paymaster));
  });

  test("an operation that nobody has sent is neither found nor has it a receipt", async () => {
    const wallet = walletClient(account.first);
    const hash = `0x${"5e".repeat(32)}`;

    await assert.rejects(wallet.getUserOperation({ hash }), /could not be found/);
    await assert.rejects(wallet.getUserOperationReceipt({ hash }), /could not be found/);
  });

  test("the bundler's own refusal reaches the client with its code and AA code", async () => {
    const wallet = walletClient(account.first);
    const operation = await wallet.prepareUserOperation({ calls: [NO_OP] });
    const signature = await account.first.signUserOperation(operation);
    const error = await wallet
      .request({
        method: "eth_sendUserOperation",
        params: [
          toRpc({ ...operation, signature, callData: "0x" }),
          ENTRY_POINT,
        ],
      })
      .then(() => assert.fail("sent"), (caught) => caught);

    assert.equal(error.walk((cause) => typeof cause.code === "number").code, -32507);
    assert.match(error.details, /AA24|signature/i);
  });

  test("methods beyond the configured ones are not passed on", async () => {
    for (const method of ["eth_sendRawTransaction", "anvil_setBalance", "debug_bundler_clearState"])
      assert.equal((await failure(relay, method, [])).code, -32601, method);
  });
});

