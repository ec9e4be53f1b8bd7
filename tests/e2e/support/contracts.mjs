// SPDX-License-Identifier: Apache-2.0
// Contracts that tests put on their chain: compiled ones from npm packages, and Solidity sources
// of this tree.
import { createRequire } from "node:module";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { encodeDeployData } from "viem";

import { root } from "./processes.mjs";

const modules = join(root, "node_modules");

/** A contract that its package has compiled: { abi, bytecode }. */
export const artifact = (name, packageName = "@account-abstraction/contracts") =>
  JSON.parse(readFileSync(join(modules, packageName, "artifacts", `${name}.json`)));

// An import names a file of this tree or of a package.
function findImport(path) {
  const file = [root, modules].map((base) => join(base, path)).find(existsSync);
  return file ? { contents: readFileSync(file, "utf8") } : { error: `${path} is not there` };
}

/** Compiles contracts/PATH, which declares a contract of the file's name. */
export function compile(path) {
  const solc = createRequire(import.meta.url)("solc");
  const file = `contracts/${path}`;
  const name = path.replace(/^.*\//, "").replace(/\.sol$/, "");
  const input = {
    language: "Solidity",
    sources: { [file]: { content: readFileSync(join(root, file), "utf8") } },
    settings: {
      evmVersion: "cancun",
      optimizer: { enabled: true, runs: 200 },
      outputSelection: { [file]: { [name]: ["abi", "evm.bytecode.object"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: findImport }));
  const told = (output.errors ?? []).map(({ formattedMessage }) => formattedMessage);
  if (told.length) throw new Error(told.join("\n"));
  const { abi, evm } = output.contracts[file][name];
  return { abi, bytecode: `0x${evm.bytecode.object}` };
}

/** Mines a transaction of one of the node's own accounts; its receipt, of a success. */
export async function send(client, transaction) {
  const hash = await client.request({
    method: "eth_sendTransaction",
    params: [{ gas: "0x1c9c380", ...transaction }],
  });
  const receipt = await client.waitForTransactionReceipt({ hash });
  if (receipt.status !== "success") throw new Error(`transaction ${hash} did not succeed`);
  return receipt;
}

/** Puts a contract on the chain: { address, abi }. */
export async function deploy(client, from, { abi, bytecode }, args = []) {
  const data = abi ? encodeDeployData({ abi, bytecode, args }) : bytecode;
  const { contractAddress } = await send(client, { from, data });
  return { address: contractAddress, abi };
}
