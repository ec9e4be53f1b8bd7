// SPDX-License-Identifier: Apache-2.0
// Keys that move: wrap, import, backup, restore, migrate, rotate. What is sealed is opened, and what
// is opened was sealed, by Node's own cryptography (support/envelope.mjs).
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";

import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

import * as envelope from "./support/envelope.mjs";
import { root, workspace } from "./support/processes.mjs";
import { cli, cliJson, writeConfig } from "./support/relay.mjs";

const TIMEOUT = { timeout: 60_000 };
const FAILED = 1;
const USAGE = 2;

let counter = 0;
const newFile = (name) => join(workspace, `${name}-${counter++}`);
const bytes = (hex) => Buffer.from(hex.replace(/^0x/, ""), "hex");
const hex = (buffer) => Buffer.from(buffer).toString("hex");

async function succeeds(words, options) {
  const answer = await cli(words, options);
  assert.equal(answer.status, 0, `${words.join(" ")}: ${answer.stderr}`);
  return answer;
}

async function fails(words, pattern, { status = FAILED, input } = {}) {
  const answer = await cli(words, { input });
  assert.equal(answer.status, status, `${words.join(" ")}: ${answer.stderr}`);
  assert.equal(answer.stdout, "");
  assert.match(answer.stderr, pattern);
}

/** The operator's key file, for all TEEs of this file. */
let operator;

/** A TEE with that operator: its configuration, its statement, and what that says. */
async function newTee() {
  const config = writeConfig({ simulator: { store: newFile("tee") } });
  await succeeds(["provision", "--config", config, "--operator-key", operator, "--development"]);
  const statement = newFile("statement.json");
  await succeeds(["attest", "--config", config, "--out", statement]);
  const pins = newFile("pins");
  const said = await cliJson(["attest", "verify", statement, "--pin", pins]);
  return {
    config,
    statement,
    pins,
    attestationKey: said.attestationKey.replace(/^0x/, ""),
    transportKey: bytes(said.transportKey),
  };
}

const keys = (tee, ...words) => ["keys", ...words, "--config", tee.config];
const show = (tee, id) => cliJson(keys(tee, "show", id));
const read = (file) => readFileSync(file);

async function newBackupKey() {
  const file = newFile("backup-key");
  await succeeds(["keys", "backup-key", "--out", file]);
  return { file, secret: bytes(readFileSync(file, "utf8").trim()) };
}

async function backup(tee, id, to) {
  const out = newFile("backup");
  await succeeds([
    ...keys(tee, "backup", id, "--to", `${to.file}.pub`),
    ...["--operator-key", operator, "--out", out],
  ]);
  return out;
}

before(async () => {
  operator = newFile("operator");
  await succeeds(["operator", "keygen", "--out", operator]);
});

describe("the envelope's vectors", () => {
  const lines = readFileSync(join(root, "tests/vectors/key_envelope.txt"), "utf8").split("\n");
  const vectors = lines
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => line.split(" "));

  for (const [name, ...values] of vectors) {
    test(`'${name}' is what Node's cryptography makes of it`, () => {
      const [recipientSecret, ephemeralSecret, nonce, secret, whole] = values.map(bytes);
      const key = envelope.open(whole, recipientSecret);
      assert.deepEqual(key.secret, secret);
      assert.deepEqual(key.publicKey, envelope.publicKeyOf(key.algorithm, secret));
      const again = envelope.seal(key, envelope.x25519Public(recipientSecret), {
        ephemeralSecret,
        nonce,
      });
      assert.equal(hex(again), hex(whole));
    });
  }

  test("cover each algorithm, usage and origin, and policies of the largest size", () => {
    const all = vectors.map((v) => envelope.open(bytes(v[5])));
    assert.deepEqual(new Set(all.map((k) => k.algorithm)), new Set([1, 2]));
    assert.deepEqual(new Set(all.map((k) => k.usage)), new Set([1, 2, 4]));
    assert.deepEqual(new Set(all.map((k) => k.origin)), new Set([1, 2, 3]));
    assert.equal(Math.max(...all.map((k) => k.policy.length)), 621);
    assert.equal(Math.max(...all.map((k) => k.id.length)), 64);
  });

  test("stand in docs/key-envelope.md as they are in the file", () => {
    const [, block] = /```\n(recipient secret[^`]*)```/.exec(
      readFileSync(join(root, "docs/key-envelope.md"), "utf8"),
    );
    const [inputs, fields] = block.split("\n\n");
    const words = (text) => text.match(/\b[0-9a-f]{2,}\b(?=\n|$)/g).join("");
    const [, recipientSecret, ephemeralSecret, , secret, whole] = vectors[0];
    assert.equal(words(fields), whole);
    assert.ok(words(inputs).startsWith(recipientSecret + ephemeralSecret + secret));
  });
});

describe("keys wrap", TIMEOUT, () => {
  test("seals what only the transport key opens, with the attributes that were asked for", async () => {
    const recipient = randomBytes(32);
    const secret = randomBytes(32);
    const cases = [
      [[], envelope.SECP256K1, envelope.SPONSOR],
      [["--usage", "digest"], envelope.SECP256K1, envelope.DIGEST],
      [["--usage", "transaction"], envelope.SECP256K1, envelope.TRANSACTION],
      [["--algorithm", "ed25519"], envelope.ED25519, envelope.DIGEST],
    ];
    for (const [words, algorithm, usage] of cases) {
      const out = newFile("envelope");
      const made = await cliJson(
        [
          ...["keys", "wrap", "my.key", ...words, "--out", out],
          ...["--transport-key", hex(envelope.x25519Public(recipient))],
        ],
        { input: `${hex(secret)}\n` },
      );
      const key = envelope.open(read(out), recipient);
      assert.deepEqual(key.secret, secret);
      assert.deepEqual(
        [key.id, key.algorithm, key.usage, key.origin, key.policyVersion],
        ["my.key", algorithm, usage, envelope.IMPORTED_WRAPPED, 0],
      );
      assert.deepEqual(key.publicKey, envelope.publicKeyOf(algorithm, secret));
      assert.equal(made.publicKey, `0x${hex(key.publicKey)}`);
      assert.deepEqual(key.uuid, envelope.TA_UUID);
    }
  });

  test("makes another envelope each time", async () => {
    const recipient = hex(envelope.x25519Public(randomBytes(32)));
    const files = [newFile("envelope"), newFile("envelope")];
    for (const out of files)
      await succeeds(["keys", "wrap", "k", "--transport-key", recipient, "--out", out], {
        input: hex(Buffer.alloc(32, 1)),
      });
    const [one, two] = files.map((file) => envelope.open(read(file)));
    assert.notDeepEqual(one.ephemeral, two.ephemeral);
    assert.notDeepEqual(one.nonce, two.nonce);
  });

  test("brings a key into the TEE whose statement is vouched for", async () => {
    const tee = await newTee();
    const secret = generatePrivateKey();
    const out = newFile("envelope");
    await succeeds(
      ["keys", "wrap", "k", "--for", tee.statement, "--pin", tee.pins, "--out", out, "--hex"],
      { input: secret },
    );
    assert.match(readFileSync(out, "utf8"), /^[0-9a-f]+\n$/);
    const made = await cliJson(keys(tee, "import", "k", "--wrapped", out));
    assert.equal(made.address, privateKeyToAccount(secret).address);
    assert.equal(made.origin, "imported-wrapped");
    assert.deepEqual(await show(tee, "k"), made);
    await fails(keys(tee, "import", "--wrapped", out), /exists already/);

    const second = newFile("envelope");
    await succeeds(
      [
        ...["keys", "wrap", "by-key", "--for", tee.statement, "--out", second],
        ...["--attestation-key", tee.attestationKey],
      ],
      { input: secret },
    );
    assert.deepEqual(envelope.open(read(second)).recipient, tee.transportKey);
  });

  test("seals to no TEE that it does not know, and then writes nothing", async () => {
    const tee = await newTee();
    const other = await newTee();
    const out = newFile("envelope");
    const wrap = (...words) => ["keys", "wrap", "k", "--out", out, ...words];
    const input = generatePrivateKey();
    const changed = newFile("statement.json");
    const statement = JSON.parse(readFileSync(tee.statement, "utf8"));
    // the transport key: behind magic, nonce, UUID, versions, levels and two public keys
    const at = 2 + 2 * (4 + 1 + 32 + 16 + 3 + 4 + 4 + 4 + 65 + 65);
    statement.statement = `${statement.statement.slice(0, at)}${hex(other.transportKey)}${statement.statement.slice(at + 64)}`;
    writeFileSync(changed, JSON.stringify(statement));

    await fails(wrap("--for", tee.statement), /--attestation-key HEX.*or --pin FILE/, { input });
    await fails(wrap(), /--for FILE.*or --transport-key HEX/, { input });
    await fails(
      wrap("--for", tee.statement, "--pin", newFile("none")),
      /not known there.*attest verify/,
      { input },
    );
    await fails(wrap("--for", tee.statement, "--pin", other.pins), /not what it was/, { input });
    await fails(
      wrap("--for", tee.statement, "--attestation-key", other.attestationKey),
      /another TEE made the statement/,
      { input },
    );
    await fails(wrap("--for", changed, "--pin", tee.pins), /signature/, { input });
    await fails(wrap("--transport-key", "0".repeat(64)), /small order/, { input });
    await fails(wrap("--transport-key", "12"), /expected 64 hex digits/, { input });
    assert.ok(!existsSync(out));
  });

  test("refuses what is no key, and leaves files that exist as they are", async () => {
    const out = newFile("envelope");
    const recipient = hex(envelope.x25519Public(randomBytes(32)));
    const wrap = (...words) => ["keys", "wrap", ...words, "--transport-key", recipient];
    const input = hex(Buffer.alloc(32, 7));
    await fails(wrap("k", "--out", out), /64 hex digits/, { input: "12" });
    await fails(wrap("k", "--out", out), /no private key/, { input: "0".repeat(64) });
    await fails(wrap("k", "--out", out, "--usage", "both"), /--usage/, { input });
    await fails(wrap("k", "--out", out, "--algorithm", "rsa"), /--algorithm/, { input });
    await fails(
      wrap("k", "--out", out, "--algorithm", "ed25519", "--usage", "sponsor"),
      /secp256k1/,
      { input },
    );
    await fails(wrap("a/b", "--out", out), /key id/, { input });
    await fails(wrap("k"), /--out/, { input });
    await fails(wrap("--out", out), /expected one key id/, { status: USAGE, input });
    assert.ok(!existsSync(out));
    writeFileSync(out, "mine");
    await fails(wrap("k", "--out", out), /exists already/, { input });
    assert.equal(readFileSync(out, "utf8"), "mine");
  });
});

describe("keys import --wrapped", TIMEOUT, () => {
  const key = (more) => ({
    id: "sealed",
    algorithm: envelope.SECP256K1,
    usage: envelope.SPONSOR,
    secret: randomBytes(32),
    ...more,
  });
  const write = (whole) => {
    const file = newFile("envelope");
    writeFileSync(file, whole);
    return file;
  };

  test("takes what Node's cryptography has sealed", async () => {
    const tee = await newTee();
    const sealed = key();
    const file = write(envelope.seal(sealed, tee.transportKey));
    const made = await cliJson(keys(tee, "import", "--wrapped", file));
    assert.equal(made.address, privateKeyToAccount(`0x${hex(sealed.secret)}`).address);
    const seed = key({ id: "ed", algorithm: envelope.ED25519, usage: envelope.DIGEST });
    const text = write(`0x${hex(envelope.seal(seed, tee.transportKey))}\n`);
    const ed = await cliJson(keys(tee, "import", "ed", "--wrapped", text));
    assert.equal(ed.publicKey, `0x${hex(envelope.ed25519Public(seed.secret))}`);
  });

  test("takes none that lies, and keeps none of it", async () => {
    const tee = await newTee();
    const other = await newTee();
    const good = envelope.seal(key(), tee.transportKey);
    const changed = Buffer.from(good);
    changed[changed.length - 1] ^= 1;
    const mismatched = key({
      publicKey: envelope.publicKeyOf(envelope.SECP256K1, Buffer.alloc(32, 9)),
    });
    const cases = [
      [changed, /does not open/],
      [envelope.seal(key(), other.transportKey), /not for this TEE/],
      [envelope.seal(mismatched, tee.transportKey), /does not open/],
      [envelope.seal(key({ secret: Buffer.alloc(32, 255), publicKey: mismatched.publicKey }),
        tee.transportKey), /no key/],
      [envelope.seal(key(), tee.transportKey, { uuid: randomBytes(16) }), /not for this TEE/],
      [envelope.seal(key({ policyVersion: 1, policy: randomBytes(125),
        operatorSignature: randomBytes(64) }), tee.transportKey), /not signed by its operator/],
      [good.subarray(0, 100), /cut short/],
      [Buffer.concat([good, Buffer.from([0])]), /followed by more/],
      [Buffer.from("hello"), /neither an envelope/],
      [Buffer.alloc(0), /neither an envelope/],
      [Buffer.alloc(5000, 83), /over \d+ bytes/],
    ];
    for (const [whole, pattern] of cases)
      await fails(keys(tee, "import", "--wrapped", write(whole)), pattern);
    await fails(keys(tee, "import", "else", "--wrapped", write(good)), /is 'sealed', not 'else'/);
    await fails(keys(tee, "import", "--wrapped", newFile("none")), /No such file/);
    assert.deepEqual(await cliJson(keys(tee, "list")), { keys: [] });
    await succeeds(keys(tee, "import", "--wrapped", write(good)));
  });
});

describe("keys backup and restore", TIMEOUT, () => {
  test("bring a lost key back, into this TEE or another", async () => {
    const tee = await newTee();
    const other = await newTee();
    const backupKey = await newBackupKey();
    assert.equal(statSync(backupKey.file).mode & 0o777, 0o600);
    const made = await cliJson(keys(tee, "generate", "pm"));
    const file = await backup(tee, "pm", backupKey);

    const opened = envelope.open(read(file), backupKey.secret);
    assert.equal(privateKeyToAccount(`0x${hex(opened.secret)}`).address, made.address);
    assert.deepEqual([opened.id, opened.origin], ["pm", envelope.GENERATED]);

    await succeeds(keys(tee, "delete", "pm"));
    const restore = ["restore", file, "--backup-key", backupKey.file];
    const back = await cliJson(keys(tee, ...restore));
    assert.deepEqual(
      [back.address, back.origin, back.usage],
      [made.address, "imported-wrapped", ["sponsor"]],
    );
    const out = newFile("envelope");
    await succeeds(["keys", ...restore, "--for", other.statement, "--pin", other.pins, "--out", out]);
    const there = await cliJson(keys(other, "import", "--wrapped", out));
    assert.equal(there.address, made.address);
  });

  test("need the right backup key, which nobody else may read", async () => {
    const tee = await newTee();
    const right = await newBackupKey();
    const wrong = await newBackupKey();
    await succeeds(keys(tee, "generate", "pm"));
    const file = await backup(tee, "pm", right);
    const restore = (...words) => keys(tee, "restore", file, ...words);
    await fails(restore("--backup-key", wrong.file), /sealed to another key/);
    await fails(restore(), /--backup-key/);
    await fails(restore("--backup-key", right.file, "--out", newFile("x")), /neither/);
    const open = newFile("open");
    writeFileSync(open, read(right.file), { mode: 0o644 });
    await fails(restore("--backup-key", open), /chmod 600/);
    await fails(["keys", "backup-key", "--out", right.file], /exists already/);
    assert.equal(hex(right.secret), readFileSync(right.file, "utf8").trim());
  });

  test("need the operator's word for this key and this backup key", async () => {
    const tee = await newTee();
    const backupKey = await newBackupKey();
    const other = await newBackupKey();
    const made = await cliJson(keys(tee, "generate", "pm"));
    const leave = newFile("leave.json");
    await succeeds([
      ...["operator", "sign", "export", "pm", "--key", operator, "--out", leave],
      ...["--public-key", made.publicKey],
      ...["--recipient", readFileSync(`${backupKey.file}.pub`, "utf8").trim()],
    ]);
    const out = newFile("backup");
    const words = (to, ...more) =>
      keys(tee, "backup", "pm", "--to", `${to.file}.pub`, "--out", out, ...more);
    await fails(words(other, "--signature", leave), /another statement/);
    await fails(words(backupKey), /expected --signature FILE/);
    const stranger = newFile("operator");
    await succeeds(["operator", "keygen", "--out", stranger]);
    await fails(words(backupKey, "--operator-key", stranger), /not the operator's/);
    assert.ok(!existsSync(out));
    await succeeds(words(backupKey, "--signature", leave));
    assert.equal(hex(envelope.open(read(out), backupKey.secret).publicKey), made.publicKey.slice(2));
  });

  test("carry no key out of a TEE that has no operator", async () => {
    const config = writeConfig({ simulator: { store: newFile("tee") } });
    const backupKey = await newBackupKey();
    await succeeds(["keys", "generate", "pm", "--config", config]);
    await fails(
      [
        ...["keys", "backup", "pm", "--config", config, "--to", `${backupKey.file}.pub`],
        ...["--operator-key", operator, "--out", newFile("backup")],
      ],
      /not provisioned/,
    );
  });
});

describe("keys migrate", TIMEOUT, () => {
  const migrate = (from, to, ...more) => [
    ...keys(from, "migrate", "pm", "--to", to.statement, "--pin", to.pins),
    ...["--operator-key", operator, ...more],
  ];

  test("moves a key to another TEE, and destroys it here only when told to", async () => {
    const from = await newTee();
    const to = await newTee();
    const made = await cliJson(keys(from, "generate", "pm"));
    const [first, second] = [newFile("envelope"), newFile("envelope")];
    const { stderr } = await succeeds(migrate(from, to, "--out", first));
    assert.match(stderr, /keys import pm --wrapped/);
    assert.match(stderr, /keys delete pm/);
    assert.equal((await show(from, "pm")).address, made.address);
    await succeeds(migrate(from, to, "--out", second, "--delete"));
    await fails(keys(from, "show", "pm"), /does not exist/);
    assert.equal((await cliJson(keys(to, "import", "--wrapped", second))).address, made.address);
    // for nobody else
    await fails(keys(from, "import", "--wrapped", second), /not for this TEE/);
  });

  test("destroys nothing when the envelope could not be written, or the TEE is a stranger", async () => {
    const from = await newTee();
    const to = await newTee();
    await succeeds(keys(from, "generate", "pm"));
    const taken = newFile("envelope");
    writeFileSync(taken, "mine");
    await fails(migrate(from, to, "--out", taken, "--delete"), /exists already/);
    await fails(migrate(from, to, "--out", join(workspace, "no/where"), "--delete"), /No such file/);
    await fails(
      migrate(from, { ...to, pins: from.pins }, "--out", newFile("x"), "--delete"),
      /not what it was/,
    );
    await succeeds(keys(from, "show", "pm"));
  });
});

describe("keys rotate", TIMEOUT, () => {
  test("makes a new key like the old one, which stays", async () => {
    const tee = await newTee();
    const old = await cliJson(keys(tee, "generate", "pm", "--usage", "transaction"));
    const made = await cliJson(keys(tee, "rotate", "pm", "pm-2"));
    assert.deepEqual([made.id, made.usage, made.origin], ["pm-2", ["transaction"], "generated"]);
    assert.notEqual(made.address, old.address);
    assert.deepEqual(await show(tee, "pm"), old);
    await fails(keys(tee, "rotate", "pm", "pm-2"), /exists already/);
    await fails(keys(tee, "rotate", "none", "pm-3"), /does not exist/);
    await fails(keys(tee, "rotate", "pm"), /two key ids/, { status: USAGE });
  });
});
