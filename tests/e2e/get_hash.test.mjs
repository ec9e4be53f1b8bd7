// SPDX-License-Identifier: Apache-2.0
// What the TA signs is what the paymasters check: its digests against the contracts' own getHash,
// its signatures through real EntryPoints.
//
// The contracts are their authors': eth-infinitism's and Pimlico's as their npm packages have
// compiled them, OpenZeppelin's compiled here behind contracts/test/OpenZeppelinPaymaster.sol.
// Pimlico's package calls V8 what hashes as V7; the published V8's own hash is asked of our
// rendering of it, contracts/test/SingletonV8Hash.sol, over the package's V7.
// For v0.9's parallel signature there is no contract to take: ParallelVerifyingPaymaster is ours,
// and its getHash asks the EntryPoint of the package's 0.9.0-rc.1.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { inspect } from "node:util";

import {
  concat,
  createPublicClient,
  encodeAbiParameters,
  encodeFunctionData,
  getAddress,
  hashMessage,
  http,
  isAddressEqual,
  keccak256,
  numberToHex,
  parseAbi,
  parseEventLogs,
  recoverAddress,
  size,
  slice,
} from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

import { artifact, compile, deploy, send } from "./support/contracts.mjs";
import { chainAt, startNetwork } from "./support/network.mjs";
import { BENEFICIARY, SENDER } from "./support/operations.mjs";
import { root } from "./support/processes.mjs";
import { random } from "./support/random.mjs";
import { CHAIN_ID } from "./support/relay.mjs";
import { SCHEME, startSigner, wireSponsorship } from "./support/signer.mjs";

const ROUNDS = 1000;
const RECOVERED = 25; // of the rounds: JavaScript takes its time for each
const TIMEOUT = { timeout: 120_000 };
const OK = "00000000";
const DUMMY_SIGNATURE = `0x${"ab".repeat(65)}`;
const PARALLEL_SUFFIX = "0x004122e325a297439656";
const DOMAIN = { name: "OpenZeppelinPaymaster", version: "1" };
const MARKER = `0x7702${"00".repeat(18)}`;
const DELEGATE = getAddress(`0x${"d1".repeat(20)}`);
const SENDERS = Array.from({ length: 8 }, () => random.address());
const PACKAGE = {
  "0.6": "@account-abstraction/contracts-v0.6",
  "0.7": "@account-abstraction/contracts",
  "0.8": "@account-abstraction/contracts-v0.8",
  "0.9": "@account-abstraction/contracts-v0.9",
};

let chain; // viem's client
let network;
let signer;
const entryPoints = {}; // by version: { address, abi }

const time = (value) => numberToHex(value, { size: 6 });
const word = (value) => numberToHex(value, { size: 32 });

// ---- the schemes -------------------------------------------------------------

/** Pimlico's contracts as its package has compiled them, behind another EntryPoint. */
async function deploySingleton(version) {
  const file = join(root, "node_modules/@pimlico/mock-paymaster/_esm");
  const codes = await import(join(file, "constants.js"));
  const abis = await import(join(file, "helpers/abi.js"));
  const short = version.replace(".", "");
  const canonical = codes[`getSingletonPaymaster${short}InitCode`](SENDER);
  const parameters = parseAbi(["constructor(address, address, address, address[])"])[0].inputs;
  const values = [entryPoints[version].address, SENDER, SENDER, [signer.address]];
  const args = encodeAbiParameters(parameters, values);
  const code = slice(canonical, 0, size(canonical) - size(args));
  const { address } = await deploy(chain, SENDER, { bytecode: concat([code, args]) });
  return { address, abi: abis[`singletonPaymaster${short}Abi`] };
}

const deployVerifying = (version) => () =>
  deploy(chain, SENDER, artifact("VerifyingPaymaster", PACKAGE[version]), [
    entryPoints[version].address,
    signer.address,
  ]);

const words = ({ validUntil, validAfter }) => concat([word(validUntil), word(validAfter)]);

/** Singleton's data in either of its modes, the ERC-20 mode with all its options by turns. */
function singletonData({ validUntil, validAfter }, erc20) {
  const times = concat([time(validUntil), time(validAfter)]);
  const mode = numberToHex((erc20 ? 2 : 0) | (random.byte() & 1), { size: 1 });
  const flags = random.byte() & 7;

  if (!erc20) return concat([mode, times]);
  return concat([
    mode,
    numberToHex(flags, { size: 1 }),
    times,
    random.address(), // token
    random.bytes(16), // postOp gas
    random.bytes(32), // exchange rate
    random.bytes(16), // validation gas limit
    random.address(), // treasury
    flags & 4 ? random.bytes(16) : "0x", // prefund
    flags & 1 ? random.bytes(16) : "0x", // constant fee
    flags & 2 ? random.address() : "0x", // recipient
  ]);
}

const singleton = (version, scheme) => ({
  name: `Pimlico SingletonPaymasterV${version.slice(2)}`,
  version,
  scheme,
  deploy: () => deploySingleton(version),
  data: (terms) => singletonData(terms, random.byte() < 128),
  // what no ERC-20 token is needed for
  spend: ({ validUntil, validAfter }) => concat(["0x01", time(validUntil), time(validAfter)]),
  getHash: ({ data }, op) => [Number(slice(data, 0, 1)) >> 1, op],
});

const SCHEMES = [
  {
    name: "VerifyingPaymaster v0.6",
    version: "0.6",
    scheme: SCHEME.verifyingPaymaster06,
    deploy: deployVerifying("0.6"),
    data: words,
    getHash: ({ validUntil, validAfter }, op) => [op, validUntil, validAfter],
  },
  {
    name: "VerifyingPaymaster v0.7",
    version: "0.7",
    scheme: SCHEME.verifyingPaymaster07,
    deploy: deployVerifying("0.7"),
    data: words,
    getHash: ({ validUntil, validAfter }, op) => [op, validUntil, validAfter],
  },
  singleton("0.6", SCHEME.singleton6),
  singleton("0.7", SCHEME.singleton7),
  {
    ...singleton("0.8", SCHEME.singleton7),
    name: "Pimlico SingletonPaymaster for v0.8 in mock-paymaster 0.0.7",
  },
  {
    ...singleton("0.8", SCHEME.singleton8),
    name: "SingletonPaymasterV8 (our own rendering over Pimlico's V7)",
    deploy: async () => {
      const { address } = await deploySingleton("0.7");
      return deploy(chain, SENDER, compile("test/SingletonV8Hash.sol"), [address]);
    },
    hashOnly: true,
  },
  ...["0.7", "0.8", "0.9"].map((version) => ({
    name: `OpenZeppelin PaymasterSigner on v${version}`,
    version,
    scheme: SCHEME.openZeppelin,
    deploy: () =>
      deploy(chain, SENDER, compile("test/OpenZeppelinPaymaster.sol"), [
        entryPoints[version].address,
        signer.address,
      ]),
    data: ({ validUntil, validAfter }) => concat([time(validAfter), time(validUntil)]),
    getHash: (terms, op) => [op],
    typed: true,
  })),
  {
    name: "ParallelVerifyingPaymaster (our own) on v0.9",
    version: "0.9",
    scheme: SCHEME.parallel09,
    deploy: () =>
      deploy(chain, SENDER, compile("ParallelVerifyingPaymaster.sol"), [
        entryPoints["0.9"].address,
        SENDER,
        signer.address,
      ]),
    data: ({ validUntil, validAfter }) => concat([time(validUntil), time(validAfter)]),
    getHash: (terms, op) => [op],
    suffix: PARALLEL_SUFFIX,
  },
];

/** The operation with its paymaster's signature where the contract looks for it. */
function withSignature(kind, terms, signature) {
  const { operation, paymaster, data, limits } = terms;
  const parts = [paymaster, limits ?? "0x", data, signature, kind.suffix ?? "0x"];
  return { ...operation, paymasterAndData: concat(parts) };
}

// ---- operations --------------------------------------------------------------

/** Half of them deploy an account; of those that can, some are EIP-7702's in its notations. */
function randomInitCode({ scheme }) {
  const choice = random.byte();
  const knows7702 = scheme === SCHEME.singleton8 || scheme === SCHEME.parallel09;

  if (choice < 90) return { initCode: "0x" };
  if (!knows7702 || choice < 160)
    return { initCode: concat([random.address(), random.bytes(random.byte())]) };
  if (choice < 180) return { initCode: slice(MARKER, 0, 2), delegateInitCode: DELEGATE };
  const more = random.bytes(random.byte());
  return {
    initCode: concat([MARKER, more]),
    delegateInitCode: concat([DELEGATE, more]),
  };
}

// What the EntryPoint may take must fit the 128 bits of an audit record.
const gas = () => random.number(7);

function randomOperation(kind, initCode) {
  const common = {
    sender: random.pick(SENDERS),
    nonce: random.number(32),
    initCode,
    callData: random.bytes(random.byte() < 32 ? 4 * random.byte() : random.byte()),
    preVerificationGas: random.number(8),
    signature: random.bytes(random.byte()),
  };
  const numbers = {
    callGasLimit: gas(),
    verificationGasLimit: gas(),
    maxFeePerGas: random.number(6),
    maxPriorityFeePerGas: random.number(16),
  };
  return kind.version === "0.6" ? { ...common, ...numbers } : { ...common, ...pack(numbers) };
}

const half = (value) => numberToHex(value, { size: 16 });
const pack = (op) => ({
  accountGasLimits: concat([half(op.verificationGasLimit), half(op.callGasLimit)]),
  gasFees: concat([half(op.maxPriorityFeePerGas), half(op.maxFeePerGas)]),
});

/** All that a sponsorship of a random operation says. */
function randomTerms(kind, paymaster, senderNonces) {
  const { initCode, delegateInitCode } = randomInitCode(kind);
  const operation = randomOperation(kind, initCode);
  const validUntil = 1n + random.number(5);
  const validAfter = random.number(6) % validUntil;
  const times = { validUntil: Number(validUntil), validAfter: Number(validAfter) };
  return {
    ...times,
    operation,
    delegateInitCode,
    scheme: kind.scheme,
    chainId: CHAIN_ID,
    entryPoint: entryPoints[kind.version].address,
    paymaster,
    limits: kind.version === "0.6" ? undefined : concat([half(gas()), half(gas())]),
    data: kind.data(times),
    senderNonce: senderNonces?.get(operation.sender) ?? 0n,
    domain: DOMAIN,
  };
}

const sign = (kind, terms) =>
  signer.sign(
    terms.map((one) => ({
      scheme: one.scheme,
      wire: wireSponsorship({ ...one, operation: withSignature(kind, one, DUMMY_SIGNATURE) }),
    })),
  );

/** Gives each sender a random senderNonce, which VerifyingPaymaster v0.6 keeps in slot 1. */
async function setSenderNonces({ address, abi }) {
  const nonces = new Map();
  for (const sender of SENDERS) {
    const slot = keccak256(concat([`0x${"00".repeat(12)}`, sender, word(1)]));
    const value = random.number(32);
    await chain.request({
      method: "anvil_setStorageAt",
      params: [address, slot, word(value)],
    });
    assert.equal(
      await chain.readContract({ address, abi, functionName: "senderNonce", args: [sender] }),
      value,
    );
    nonces.set(sender, value);
  }
  return nonces;
}

// ---- the tests -----------------------------------------------------------------

before(async () => {
  signer = await startSigner();
  network = await startNetwork(signer.address);
  chain = createPublicClient({
    chain: chainAt(network.node_url),
    transport: http(network.node_url, { batch: { batchSize: 100 }, timeout: 60_000 }),
    pollingInterval: 20,
  });
  for (const [version, name] of Object.entries(PACKAGE))
    entryPoints[version] = await deploy(chain, SENDER, artifact("EntryPoint", name));
  for (const sender of SENDERS)
    await chain.request({
      method: "anvil_setCode",
      params: [sender, concat(["0xef0100", DELEGATE])],
    });
}, TIMEOUT);
after(() => network?.stop());

for (const kind of SCHEMES) {
  describe(`${kind.name}: the TA`, TIMEOUT, () => {
    let paymaster;
    before(async () => {
      paymaster = await kind.deploy();
    });

    test(`computes the contract's hash for ${ROUNDS} random operations`, async () => {
      const nonces =
        kind.scheme === SCHEME.verifyingPaymaster06 && (await setSenderNonces(paymaster));
      const terms = Array.from({ length: ROUNDS }, () =>
        randomTerms(kind, paymaster.address, nonces || undefined),
      );
      const [answers, hashes] = await Promise.all([
        sign(kind, terms),
        Promise.all(
          terms.map((one) =>
            chain.readContract({
              ...paymaster,
              functionName: "getHash",
              args: kind.getHash(one, withSignature(kind, one, DUMMY_SIGNATURE)),
            }),
          ),
        ),
      ]);

      for (const [i, { result, digest, signature }] of answers.entries()) {
        const expected = kind.typed ? hashes[i] : hashMessage({ raw: hashes[i] });
        assert.equal(result, OK);
        assert.equal(digest, expected, inspect(terms[i]));
        if (i < RECOVERED)
          assert.equal(await recoverAddress({ hash: digest, signature }), signer.address);
      }
      assert.equal(new Set(hashes).size, ROUNDS);
    });

    if (kind.hashOnly) return;
    test("signs what handleOps of a real EntryPoint takes, and no other", async () => {
      const op = await makeSpendable(kind, paymaster.address);

      await assert.rejects(simulate(kind, await op.signed({ spoiled: true })), /AA34/);
      const { event } = await handleOps(kind, await op.signed({}));
      assert.equal(event.success, true);
      assert.ok(isAddressEqual(event.paymaster, paymaster.address));
    });
  });
}

// ---- operations that run ---------------------------------------------------------

const factories = {};
const factoryOf = async (version) =>
  (factories[version] ??= await deploy(
    chain,
    SENDER,
    artifact("SimpleAccountFactory", PACKAGE[version]),
    [entryPoints[version].address],
  ));

/** v0.8 and v0.9 make accounts sign EIP-712 hashes, which are signed as they are. */
const signAsOwner = (owner, version, hash) =>
  version < "0.8" ? owner.signMessage({ message: { raw: hash } }) : owner.sign({ hash });

const handleOpsOf = (kind, operation) => ({
  ...entryPoints[kind.version],
  functionName: "handleOps",
  args: [[operation], BENEFICIARY],
  account: SENDER,
  gas: 8_000_000n,
});

const simulate = (kind, operation) => chain.simulateContract(handleOpsOf(kind, operation));

async function handleOps(kind, operation) {
  const { address, abi } = entryPoints[kind.version];
  const data = encodeFunctionData(handleOpsOf(kind, operation));
  const receipt = await send(chain, { from: SENDER, to: address, data, gas: "0x7a1200" });
  const [event] = parseEventLogs({ abi, eventName: "UserOperationEvent", logs: receipt.logs });
  return { receipt, event: event.args };
}

/** A new SimpleAccount's first operation, and who signs it. */
async function makeSpendable(kind, paymaster) {
  const { version } = kind;
  const owner = privateKeyToAccount(generatePrivateKey());
  const factory = await factoryOf(version);
  const entryPoint = entryPoints[version];
  const sender = await chain.readContract({
    ...factory,
    functionName: "getAddress",
    args: [owner.address, 0n],
  });
  const numbers = {
    callGasLimit: 100_000n,
    verificationGasLimit: 700_000n,
    maxFeePerGas: 3_000_000_000n,
    maxPriorityFeePerGas: 1_000_000_000n,
  };
  const now = Number((await chain.getBlock()).timestamp);
  const times = { validUntil: now + 600, validAfter: now - 60 };
  const terms = {
    ...times,
    operation: {
      sender,
      nonce: 0n,
      initCode: concat([
        factory.address,
        encodeFunctionData({
          ...factory,
          functionName: "createAccount",
          args: [owner.address, 0n],
        }),
      ]),
      callData: encodeFunctionData({
        abi: parseAbi(["function execute(address dest, uint256 value, bytes func)"]),
        args: [BENEFICIARY, 0n, "0x"],
      }),
      preVerificationGas: 60_000n,
      signature: "0x",
      ...(version === "0.6" ? numbers : pack(numbers)),
    },
    scheme: kind.scheme,
    chainId: CHAIN_ID,
    entryPoint: entryPoint.address,
    paymaster,
    limits: version === "0.6" ? undefined : concat([half(200_000n), half(50_000n)]),
    data: (kind.spend ?? kind.data)(times),
    senderNonce: 0n,
    domain: DOMAIN,
  };
  await send(chain, {
    from: SENDER,
    to: entryPoint.address,
    value: numberToHex(10n ** 18n),
    data: encodeFunctionData({ ...entryPoint, functionName: "depositTo", args: [paymaster] }),
  });

  const ownerSigns = async (operation) =>
    signAsOwner(
      owner,
      version,
      await chain.readContract({
        ...entryPoint,
        functionName: "getUserOpHash",
        args: [operation],
      }),
    );
  return {
    /** spoiled: the paymaster's signature is another's. */
    async signed({ spoiled = false }) {
      const [{ signature }] = await sign(kind, [
        spoiled ? { ...terms, operation: { ...terms.operation, nonce: 1n } } : terms,
      ]);
      const sponsored = withSignature(kind, terms, signature);
      // the parallel scheme's account knows no signature yet when it signs
      const known = kind.suffix ? withSignature(kind, terms, DUMMY_SIGNATURE) : sponsored;
      return { ...sponsored, signature: await ownerSigns(known) };
    },
  };
}
