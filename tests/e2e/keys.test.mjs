// SPDX-License-Identifier: Apache-2.0
// The command line: keys from making to destroying, what goes to which stream, exit statuses.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { checksumAddress, getAddress } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

import { workspace } from "./support/processes.mjs";
import { cli, cliJson, KEY_ID, startLoneRelay, writeConfig } from "./support/relay.mjs";

const TIMEOUT = { timeout: 60_000 };
const ONE = "0".repeat(63) + "1";
const ADDRESS_OF_ONE = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";
const FAILED = 1;
const USAGE = 2;

const newStore = () => {
  const config = writeConfig();
  const [, store] = /store = (".*")/.exec(readFileSync(config, "utf8"));
  return { config, store: JSON.parse(store) };
};

/** keys COMMAND… on a store: how it ended. */
const keys = ({ config }, words, options) => cli(["keys", ...words, "--config", config], options);
const keysJson = ({ config }, words, options) =>
  cliJson(["keys", ...words, "--config", config], options);

/** A command that must fail: nothing on standard output, the reason on standard error. */
async function fails(store, words, pattern, { status = FAILED, input } = {}) {
  const plain = await keys(store, words, { input });
  assert.equal(plain.status, status, `${words.join(" ")}: ${plain.stderr}`);
  assert.equal(plain.stdout, "");
  assert.match(plain.stderr, pattern);

  const json = await keys(store, [...words, "--json"], { input });
  assert.equal(json.status, status);
  assert.equal(json.stdout, "");
  assert.match(JSON.parse(json.stderr).error.message, pattern);
  return JSON.parse(json.stderr).error;
}

describe("keys", TIMEOUT, () => {
  test("live from generate through list and show to delete", async () => {
    const store = newStore();
    assert.deepEqual(await keysJson(store, ["list"]), { keys: [] });

    const made = await keysJson(store, ["generate", KEY_ID]);
    assert.equal(made.id, KEY_ID);
    assert.equal(made.algorithm, "secp256k1");
    assert.deepEqual(made.usage, ["sponsor"]);
    assert.equal(made.origin, "generated");
    assert.match(made.publicKey, /^0x04[0-9a-f]{128}$/);
    assert.equal(made.address, checksumAddress(made.address.toLowerCase()));
    assert.ok(Math.abs(Date.parse(made.created) - Date.now()) < 60_000);

    assert.deepEqual(await keysJson(store, ["show", KEY_ID]), made);
    assert.deepEqual(await keysJson(store, ["list"]), { keys: [made] });
    assert.deepEqual(await keysJson(store, ["delete", KEY_ID]), { deleted: KEY_ID });
    assert.deepEqual(await keysJson(store, ["list"]), { keys: [] });
    await fails(store, ["show", KEY_ID], /does not exist/);
  });

  test("are shown to people, too, with the address on a line of its own", async () => {
    const store = newStore();
    const { stdout, stderr } = await keys(store, ["generate", "for-people"]);
    const shown = await keys(store, ["show", "for-people"]);
    const listed = await keys(store, ["list"]);

    assert.equal(stderr, "");
    assert.equal(shown.stdout, stdout);
    const [, address] = /^address +(0x\w{40})$/m.exec(stdout);
    assert.equal(getAddress(address), address);
    assert.match(listed.stdout, new RegExp(`^for-people +secp256k1 +sponsor +generated +0 +${address}$`, "m"));
  });

  test("of the same id are never made twice, and the first stays as it is", async () => {
    const store = newStore();
    const made = await keysJson(store, ["generate", KEY_ID]);

    assert.equal((await fails(store, ["generate", KEY_ID], /exists already/)).code, "exists");
    await fails(store, ["import", KEY_ID], /exists already/, { input: ONE });
    assert.deepEqual(await keysJson(store, ["show", KEY_ID]), made);
  });

  test("are all different, and as many as there are are listed in order", async () => {
    const store = newStore();
    const ids = ["b", "a", "Z", "0", "_", "x.y-z", "k".repeat(64)];
    for (const id of ids) await keysJson(store, ["generate", id]);
    const { keys: listed } = await keysJson(store, ["list"]);

    assert.deepEqual(listed.map(({ id }) => id), [...ids].sort());
    assert.equal(new Set(listed.map(({ publicKey }) => publicKey)).size, ids.length);
  });

  test("of Ed25519 have no address, and may not sponsor", async () => {
    const store = newStore();
    const made = await keysJson(store, ["generate", "ed", "--algorithm", "ed25519"]);

    assert.match(made.publicKey, /^0x[0-9a-f]{64}$/);
    assert.deepEqual(made.usage, ["digest"]);
    assert.equal(made.address, undefined);
    await fails(
      store,
      ["generate", "no", "--algorithm", "ed25519", "--usage", "sponsor"],
      /sponsor needs a secp256k1 key/,
    );
  });

  test("have the usage that was asked for", async () => {
    const store = newStore();
    const made = await keysJson(store, ["generate", "any", "--usage", "digest"]);

    assert.deepEqual(made.usage, ["digest"]);
    // both would make the key sign any sponsorship as a digest
    for (const usage of ["sponsor,digest", "sing", ""])
      await fails(store, ["generate", "x", "--usage", usage], /--usage: expected/);
    await fails(store, ["generate", "x", "--algorithm", "rsa"], /--algorithm: expected/);
  });

  for (const id of ["", "a b", "a/b", "../a", "ä", "a\nb", "k".repeat(65), "a;b", "*"]) {
    test(`may not be called ${JSON.stringify(id)}`, async () => {
      const store = newStore();

      for (const command of ["generate", "show", "delete"])
        await fails(store, [command, id], /key id/);
      assert.deepEqual(await keysJson(store, ["list"]), { keys: [] });
    });
  }

  test("that do not exist are neither shown nor deleted", async () => {
    const store = newStore();

    for (const command of ["show", "delete"]) {
      const error = await fails(store, [command, "nobody"], /'nobody' does not exist/);
      assert.equal(error.code, "not_found");
    }
  });

  test("lie in files that only their owner may read", async () => {
    const store = newStore();
    await keysJson(store, ["generate", KEY_ID]);
    const files = readdirSync(store.store, { recursive: true }).map((name) =>
      join(store.store, name),
    );

    assert.ok(files.length > 0);
    for (const path of [store.store, ...files])
      assert.equal(statSync(path).mode & 0o077, 0, path);
  });
});

describe("an import", TIMEOUT, () => {
  const forms = {
    "digits alone": ONE,
    "with 0x": `0x${ONE}`,
    "with a line end": `${ONE}\n`,
    "with a line end of Windows": `0x${ONE}\r\n`,
  };

  for (const [what, input] of Object.entries(forms)) {
    test(`takes the key from standard input: ${what}`, async () => {
      const made = await keysJson(newStore(), ["import", "one"], { input });

      assert.equal(made.address, ADDRESS_OF_ONE);
      assert.equal(made.origin, "imported-plain");
    });
  }

  test("of a random key, from a file, has the address that viem computes", async () => {
    const store = newStore();
    const secret = generatePrivateKey();
    const file = join(workspace, "secret");
    writeFileSync(file, secret, { mode: 0o600 });
    const made = await keysJson(store, ["import", "some", "--file", file]);

    assert.equal(made.address, privateKeyToAccount(secret).address);
    assert.equal(made.publicKey, privateKeyToAccount(secret).publicKey);
  });

  const wrong = {
    nothing: "",
    "a digit too few": ONE.slice(1),
    "a digit too many": `${ONE}0`,
    "no hex": "g".repeat(64),
    zero: "0".repeat(64),
    "the curve's order": "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
    "far too much": "ab".repeat(5000),
  };

  for (const [what, input] of Object.entries(wrong)) {
    test(`refuses ${what}, and repeats none of it`, async () => {
      const store = newStore();
      const { status, stdout, stderr } = await keys(store, ["import", "no"], { input });

      assert.equal(status, FAILED);
      assert.equal(stdout, "");
      assert.notEqual(stderr, "");
      if (input.length > 8) assert.ok(!stderr.includes(input.slice(0, 16)), stderr);
      assert.deepEqual(await keysJson(store, ["list"]), { keys: [] });
    });
  }

  test("never shows the secret, and leaves it in no file as it is", async () => {
    const store = newStore();
    const secret = generatePrivateKey().slice(2);
    const outputs = [];
    for (const words of [["import", "some"], ["show", "some"], ["list"]])
      for (const json of [[], ["--json"]])
        outputs.push(await keys(store, [...words, ...json], { input: secret }));

    for (const { stdout, stderr } of outputs)
      assert.ok(!(stdout + stderr).toLowerCase().includes(secret));
    const raw = Buffer.from(secret, "hex");
    for (const name of readdirSync(store.store, { recursive: true })) {
      const path = join(store.store, name);
      if (!statSync(path).isFile()) continue;
      assert.ok(!readFileSync(path).includes(raw), name);
      assert.ok(!readFileSync(path, "latin1").includes(secret), name);
    }
  });
});

describe("a stored key", TIMEOUT, () => {
  test("whose file is damaged is reported, not replaced, and the others work on", async () => {
    const store = newStore();
    const whole = await keysJson(store, ["generate", "whole"]);
    const before = new Set(readdirSync(store.store, { recursive: true }));
    await keysJson(store, ["generate", "hurt"]);
    const added = readdirSync(store.store, { recursive: true }).filter((f) => !before.has(f));
    assert.equal(added.length, 1, `${added}`);
    const path = join(store.store, added[0]);
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(path, bytes);

    await fails(store, ["show", "hurt"], /damaged/);
    await fails(store, ["generate", "hurt"], /exists already|damaged/);
    assert.deepEqual(await keysJson(store, ["show", "whole"]), whole);
    const { keys: listed } = await keysJson(store, ["list"]);
    assert.equal(listed.length, 2);
  });
});

describe("what keys are made of", TIMEOUT, () => {
  test("is told when the relay starts, without a warning where it is sound", async () => {
    const relay = await startLoneRelay();
    const [line] = /entropy for keys: .*/.exec(relay.output()) ?? [];

    assert.match(line, /the TEE's generator \(.*\), .*CPU.*, 64 bytes of this host's kernel/);
    assert.doesNotMatch(relay.output(), /nothing in the TEE is known to be random/);
    await relay.stop();
  });
});

describe("the command line", TIMEOUT, () => {
  const wrong = [
    [[], /expected a command/],
    [["nodes"], /did you mean 'node'/],
    [["keys"], /expected generate/],
    [["keys", "generat", "x"], /did you mean 'generate'/],
    [["keys", "generate"], /one key id/],
    [["keys", "generate", "a", "b"], /one key id/],
    [["keys", "list", "a"], /no key id/],
    [["keys", "list", "--colour"], /unknown option '--colour'/],
    [["keys", "list", "--config"], /needs an argument/],
    [["node", "extra"], /unexpected word/],
    [["config"], /check/],
    [["config", "check"], /one file/],
    [["op"], /hash/],
    [["op", "hash"], /--entry-point/],
    [["op", "hash", "--entry-point", "0.7"], /--chain-id/],
  ];

  for (const [words, pattern] of wrong) {
    test(`that is wrong has status 2 and says how it is right: ${words.join(" ")}`, async () => {
      const plain = await cli(words);
      assert.equal(plain.status, USAGE, plain.stderr);
      assert.equal(plain.stdout, "");
      assert.match(plain.stderr, pattern);
      assert.match(plain.stderr, /--help/);

      const json = await cli(["--json", ...words]);
      assert.equal(json.status, USAGE);
      assert.match(JSON.parse(json.stderr).error.message, pattern);
    });
  }

  test("has help and a version on standard output", async () => {
    for (const words of [[], ["node"], ["keys"], ["config"], ["op"]]) {
      const { status, stdout, stderr } = await cli([...words, "--help"]);
      assert.equal(status, 0, words.join(" "));
      assert.match(stdout, /Usage: super-relay/);
      assert.equal(stderr, "");
    }
    assert.match((await cli(["--version"])).stdout, /^super-relay \d+\.\d+\.\d+\n$/);
    assert.match((await cliJson(["--version"])).version, /^\d+\.\d+\.\d+$/);
  });

  test("takes its configuration from the environment, too", async () => {
    const store = newStore();
    const env = { SUPER_RELAY_CONFIG: store.config };
    const made = await cliJson(["keys", "generate", "env"], { env });

    assert.deepEqual(await keysJson(store, ["show", "env"]), made);
  });

  test("says so when its output cannot be written", async () => {
    const store = newStore();
    const { status, stderr } = await cli(["keys", "list", "--config", store.config], {
      output: "/dev/full",
    });

    assert.equal(status, FAILED);
    assert.match(stderr, /output/);
  });
});
