// SPDX-License-Identifier: Apache-2.0
// Keys in OP-TEE's secure storage: through shutdown, power cut and damage. Whatever happens to the
// files, no key is replaced by another, and none is made because one was not found.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { workspace } from "../e2e/support/processes.mjs";
import { Guest, packOverlay, STORAGE } from "./support/guest.mjs";
import { configFor, keysJson, relayCli, startInGuest } from "./support/guest_daemon.mjs";
import { machineFiles } from "./support/machine.mjs";
import { ask, signerOf } from "./support/sponsor.mjs";

const TIMEOUT = { timeout: 240_000 };
const FILES = `${STORAGE}/tee`;
const BACKUP = "/var/lib/backup";
const state = join(workspace, "machine");
const overlay = await packOverlay("tests.cpio", machineFiles());
let guest = await Guest.boot({ state, overlay });
const AUDIT_LOG = "/var/lib/super-relay/audit.jsonl";

/** Key id -> what `keys show` says of it, and the file that holds it. */
const made = {};
const fileOf = {};

after(() => guest.child.running && guest.shutdown());

const files = async () => {
  const listed = await guest.sh(`[ ! -e ${FILES} ] || ls ${FILES}`);
  return listed.trim().split("\n");
};

async function generate(id) {
  const before = new Set(await files());
  made[id] = await keysJson(guest, ["generate", id]);
  fileOf[id] = (await files()).find((name) => !before.has(name));
  assert.ok(fileOf[id], `a file for ${id}`);
}

async function reboot() {
  guest = await Guest.boot({ state, overlay });
}

/** A command on a key that must fail, with a reason and nothing else. */
async function fails(words, pattern) {
  const { status, stdout, stderr } = await relayCli(guest, ["keys", ...words]);

  assert.equal(status, 1, `${words.join(" ")}: ${stdout}${stderr}`);
  assert.equal(stdout, "");
  assert.match(stderr, pattern);
}

/** A relay with this key must refuse to start, and say why. */
async function refusesToStart(key, pattern) {
  const argv = ["node", "--paymaster-relay"];
  const { status, stderr } = await relayCli(guest, argv, { config: configFor({ key }) });

  assert.equal(status, 1, stderr);
  assert.match(stderr, pattern);
}

async function signsAsBefore(key) {
  const relay = await startInGuest(guest, { key });
  const { result } = await ask(relay.url);

  assert.equal(await signerOf(result), made[key].address);
  assert.deepEqual(await relay.stop(), { status: 0, signal: null });
}

describe("keys in OP-TEE's storage", TIMEOUT, () => {
  test("are the same after a clean reboot, and sign", async () => {
    for (const id of ["sponsor", "flipped", "cut", "emptied", "removed"]) await generate(id);
    const before = await keysJson(guest, ["list"]);
    assert.deepEqual(await guest.shutdown(), { status: 0, signal: null });
    await reboot();

    assert.deepEqual(await keysJson(guest, ["list"]), before);
    await signsAsBefore("sponsor");
  });

  test("are there after a power cut right after they were acknowledged", async () => {
    made.last = await keysJson(guest, ["generate", "last"]);
    await guest.kill9();
    await reboot();
    await guest.sh(`cp -a ${FILES} ${BACKUP}`);
    await damage();

    assert.deepEqual(await keysJson(guest, ["show", "last"]), made.last);
  });
});

/** Before the TA has met the keys, so that it has none of them in its memory. */
const damage = () =>
  guest.sh(`set -e; cd ${FILES}
    flip() { printf '\\377\\000\\125\\252' | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }
    flip ${fileOf.flipped} $(($(stat -c %s ${fileOf.flipped}) - 100))
    truncate -s 100 ${fileOf.cut}
    : >${fileOf.emptied}
    rm ${fileOf.removed}`);

describe("a key whose file is damaged", TIMEOUT, () => {
  for (const id of ["flipped", "cut", "emptied", "removed"]) {
    test(`(${id}) is told as damaged, starts no relay, and is not replaced`, async () => {
      await fails(["show", id], /damaged|corrupt/);
      await fails(["show", id], /damaged|corrupt/);
      await refusesToStart(id, new RegExp(`'${id}'.*(damaged|corrupt)`));
      await fails(["generate", id], /exists already|damaged|corrupt/);
    });
  }

  test("leaves the others as they were", async () => {
    for (const id of ["sponsor", "last"])
      assert.deepEqual(await keysJson(guest, ["show", id]), made[id]);
    const { keys } = await keysJson(guest, ["list"]);
    for (const id of ["sponsor", "last"])
      assert.deepEqual(
        keys.find((key) => key.id === id),
        made[id],
      );
    await signsAsBefore("sponsor");
  });
});

describe("a directory of objects (dirf.db)", TIMEOUT, () => {
  const spoil = {
    "with bytes overwritten": "dd if=/dev/zero of=dirf.db bs=4096 seek=1 count=64 conv=notrunc",
    "cut short": "truncate -s 1000 dirf.db",
    emptied: ": >dirf.db",
  };

  for (const [what, script] of Object.entries(spoil)) {
    test(`${what} is an error, and a key that the TA has met is not replaced`, async () => {
      await guest.sh(`cd ${FILES} && cp -a dirf.db /tmp/ && { ${script}; } 2>/dev/null`);
      const ended = await relayCli(guest, ["keys", "list"]);
      assert.equal(ended.status, 1, ended.stdout);
      assert.match(ended.stderr, /^super-relay: .*(damaged|storage|TEE)/);
      await fails(["generate", "sponsor"], /./);
      assert.deepEqual(await keysJson(guest, ["show", "sponsor"]), made.sponsor);
      // its owner, too: what the supplicant may not open looks like what is not there
      await guest.sh(`cp -a /tmp/dirf.db ${FILES}/`);
    });
  }

  test("deleted looks like a blank device: no relay starts, and none makes a key", async () => {
    await guest.sh(`rm ${FILES}/dirf.db && sync`);
    assert.deepEqual(await guest.shutdown(), { status: 0, signal: null });
    await reboot();

    assert.deepEqual(await keysJson(guest, ["list"]), { keys: [] });
    // the host's audit log knows better
    await refusesToStart("sponsor", /storage is older than the audit log/);
    assert.deepEqual(await keysJson(guest, ["list"]), { keys: [] });
  });

  test("put back from a copy, brings every key back, and the audit log shows that it is old", async () => {
    await guest.sh(`rm -r ${FILES} && cp -a ${BACKUP} ${FILES} && sync`);
    const { keys } = await keysJson(guest, ["list"]);

    assert.deepEqual(keys.map(({ id }) => id).sort(), Object.keys(made).sort());
    for (const key of keys) assert.deepEqual(key, made[key.id]);
    await refusesToStart("sponsor", /storage is older than the audit log/);
    // what an operator decides, where there is none whose signature the TA could want
    await guest.sh(`mv ${AUDIT_LOG} ${AUDIT_LOG}.before`);
    await signsAsBefore("sponsor");
  });
});
