// SPDX-License-Identifier: Apache-2.0
// Who may sign a Trusted Application: the offline procedure of scripts/sign_ta.sh, and that OP-TEE
// starts what the image's key has signed and nothing else.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";

import { root, run, workspace } from "../e2e/support/processes.mjs";
import { currentGuest } from "./support/current.mjs";
import { Guest, OPTEE } from "./support/guest.mjs";
import { configFor, relayCli } from "./support/guest_daemon.mjs";
import { TEST_TA } from "./support/machine.mjs";

const UUID = "12345678-5b69-11d4-9fee-00c04f4c3456";
const BUILD_WITHIN_MS = 120_000;

const guest = Guest.attach(currentGuest());
const file = (name) => join(workspace, name);

function signTa(...args) {
  return run(join(root, "scripts/sign_ta.sh"), args, { killAfter: BUILD_WITHIN_MS });
}

async function succeeds(...args) {
  const { status, stderr } = await signTa(...args);
  assert.equal(status, 0, stderr);
}

async function openssl(...args) {
  const { status, stderr } = await run("openssl", args);
  assert.equal(status, 0, stderr);
}

async function makeKey(name) {
  await openssl("genrsa", "-out", file(`${name}.pem`), "2048");
  await openssl("rsa", "-in", file(`${name}.pem`), "-pubout", "-out", file(`${name}.pub`));
}

const digestSignedBy = (key) => ["--key", file(`${key}.pem`), "--digest", file("ta.dig")];
const sign = (key, name) => succeeds("sign", ...digestSignedBy(key), "--out", file(name));

function stitch(version, signature) {
  const of = ["--public", file("release.pub"), "--version", version];
  return ["stitch", ...of, "--signature", file(signature)];
}

before(async () => {
  await makeKey("release");
  await makeKey("other");
  const digest = ["digest", "--public", file("release.pub"), "--version", "3"];
  await succeeds(...digest, "--out", file("ta.dig"));
});

test("a TA whose digest was signed elsewhere is joined with its signature", async () => {
  await sign("release", "ta.sig");
  await succeeds(...stitch("3", "ta.sig"), "--out", file("release"));
  const ta = readFileSync(join(file("release"), `${UUID}.ta`));
  const bare = readFileSync(join(OPTEE, "ta-production", `${UUID}.stripped.elf`));
  assert.ok(ta.subarray(-bare.length).equals(bare), "the signed file ends with the compiled TA");
});

test("a signature of another key is not joined", async () => {
  await sign("other", "other.sig");
  const { status, stderr } = await signTa(...stitch("3", "other.sig"), "--out", file("refused"));
  assert.notEqual(status, 0);
  assert.match(stderr, /the signature is not this key's/);
  assert.ok(!existsSync(join(file("refused"), `${UUID}.ta`)));
});

test("a signature for another version is not joined", async () => {
  const { status, stderr } = await signTa(...stitch("4", "ta.sig"), "--out", file("refused"));
  assert.notEqual(status, 0);
  assert.match(stderr, /or not of this TA and version/);
});

test("a private key is refused where the public one belongs", async () => {
  const digest = ["digest", "--public", file("release.pem"), "--version", "1"];
  const { status, stderr } = await signTa(...digest, "--out", file("x.dig"));
  assert.notEqual(status, 0);
  assert.match(stderr, /--public: '.*' is no RSA public key in PEM/);
});

test("bytes that are no digest are not signed", async () => {
  writeFileSync(file("short.dig"), Buffer.alloc(31).toString("base64"));
  const short = ["sign", "--key", file("release.pem"), "--digest", file("short.dig")];
  const { status, stderr } = await signTa(...short, "--out", file("x.sig"));
  assert.notEqual(status, 0);
  assert.match(stderr, /does not hold a SHA-256 digest/);
});

// ---- what OP-TEE starts -------------------------------------------------------------

const installed = `/usr/lib/optee_armtz/${TEST_TA}.ta`;
const config = configFor({ uuid: TEST_TA });
const open = () => relayCli(guest, ["keys", "list"], { config });

async function withTa(content, body) {
  const kept = await guest.sh(`cp ${installed} /tmp/kept.ta && echo kept`);
  assert.equal(kept, "kept\n");
  await guest.write(installed, content);
  try {
    await body();
  } finally {
    await guest.sh(`cp /tmp/kept.ta ${installed}`);
  }
}

const testTa = () => readFileSync(join(OPTEE, "ta-test", `${TEST_TA}.ta`));

async function signedBy(key) {
  const signer = join(OPTEE, "optee-os/export-ta_arm64/scripts/sign_encrypt.py");
  const bare = join(OPTEE, "ta-test", `${TEST_TA}.stripped.elf`);
  const made = ["sign-enc", "--uuid", TEST_TA, "--key", file(`${key}.pem`), "--in", bare];
  const command = [signer, ...made, "--out", file("signed.ta")];
  const { status, stderr } = await run("/usr/bin/python3", command);
  assert.equal(status, 0, stderr);
  return readFileSync(file("signed.ta"));
}

test("OP-TEE does not start a TA that another key has signed", async () => {
  await withTa(await signedBy("other"), async () => {
    const { status, stderr } = await open();
    assert.notEqual(status, 0);
    assert.match(stderr, /TEEC_ERROR_SECURITY|0xffff000f/i);
  });
});

test("OP-TEE does not start a TA of which one byte was changed", async () => {
  const changed = testTa();
  changed[changed.length - 100] ^= 1;
  await withTa(changed, async () => {
    const { status, stderr } = await open();
    assert.notEqual(status, 0);
    assert.match(stderr, /TEEC_ERROR_SECURITY|0xffff000f/i);
  });
});

test("OP-TEE starts the same TA as the image's key has signed it", async () => {
  await withTa(testTa(), async () => {
    const { status, stderr } = await open();
    assert.equal(status, 0, stderr);
  });
});
