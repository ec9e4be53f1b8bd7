// SPDX-License-Identifier: Apache-2.0
// One sponsored UserOperation, sent with viem through the relay's JSON-RPC port alone: a fresh
// owner, an account that does not exist yet and holds nothing, and no other endpoint.
import { toSimpleSmartAccount } from "permissionless/accounts";
import { createPublicClient, defineChain, formatEther, http, parseAbi } from "viem";
import {
  createBundlerClient,
  createPaymasterClient,
  entryPoint07Address,
} from "viem/account-abstraction";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

const RELAY = process.env.SUPER_RELAY_URL ?? "http://127.0.0.1:3000";
// Where the local network's factory comes to stand on every fresh chain.
const FACTORY = process.env.SUPER_RELAY_FACTORY ?? "0x4591adfa822f8d1353589825d18dd273422bf64d";

const depositAbi = parseAbi(["function balanceOf(address) view returns (uint256)"]);
const ether = (wei) => `${formatEther(wei)} ETH`;
const row = (name, value) => console.log(`  ${name.padEnd(22)}${value}`);

async function relayAnswers() {
  try {
    return (await fetch(`${RELAY}/health`)).ok;
  } catch {
    return false;
  }
}

async function main() {
  if (!(await relayAnswers())) {
    console.error(`demo: nothing answers on ${RELAY}: start ./dev run in another terminal first`);
    return 1;
  }
  const transport = http(RELAY);
  const chainId = await createPublicClient({ transport }).getChainId();
  const chain = defineChain({
    id: chainId,
    name: "local",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [RELAY] } },
  });
  const client = createPublicClient({ chain, transport, pollingInterval: 200 });
  const account = await toSimpleSmartAccount({
    client,
    owner: privateKeyToAccount(generatePrivateKey()),
    entryPoint: { address: entryPoint07Address, version: "0.7" },
    factoryAddress: FACTORY,
  });
  const bundler = createBundlerClient({
    account,
    client,
    chain,
    transport,
    pollingInterval: 200,
    paymaster: createPaymasterClient({ transport }),
  });
  const depositOf = (address, blockNumber) =>
    client.readContract({
      address: entryPoint07Address,
      abi: depositAbi,
      functionName: "balanceOf",
      args: [address],
      blockNumber,
    });

  const before = await client.getBalance({ address: account.address });
  const userOpHash = await bundler.sendUserOperation({
    calls: [{ to: "0x000000000000000000000000000000000000dEaD", value: 0n, data: "0x" }],
  });
  console.log("\nA sponsored UserOperation is on its way.\n");
  row("userOpHash", userOpHash);
  const { success, reason, paymaster, actualGasCost, actualGasUsed, receipt } =
    await bundler.waitForUserOperationReceipt({ hash: userOpHash, timeout: 60_000 });
  const { transactionHash, blockNumber, from, gasUsed, effectiveGasPrice } = receipt;
  const after = await client.getBalance({ address: account.address });
  // The bundle is alone in its block.
  const had = await depositOf(paymaster, blockNumber - 1n);
  const has = await depositOf(paymaster, blockNumber);

  row("transaction", `${transactionHash} (block ${blockNumber})`);
  row("status", success ? "success" : `reverted${reason ? `: ${reason}` : ""}`);
  row("account", `${account.address}, new with this operation`);
  console.log("\nWhat it cost whom:\n");
  row("the account", `${ether(before - after)} (it had ${ether(before)}, it has ${ether(after)})`);
  row("the paymaster", `${ether(had - has)} for ${actualGasUsed} gas`);
  row("", `(its deposit had ${ether(had)}, it has ${ether(has)})`);
  row("the bundler", `${ether(BigInt(gasUsed) * BigInt(effectiveGasPrice))} advanced by ${from},`);
  row("", `${ether(BigInt(actualGasCost))} returned by the EntryPoint`);
  console.log("");
  return success && before === after ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`demo: ${error.shortMessage ?? error.message}`);
  if (error.details) console.error(error.details);
  process.exitCode = 1;
}
