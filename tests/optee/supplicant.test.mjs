// SPDX-License-Identifier: Apache-2.0
// tee-supplicant, OP-TEE's helper in the normal world, is killed and started again while
// sponsorships are asked for: each of them is signed.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { sleep, until } from "../e2e/support/processes.mjs";
import { currentGuest } from "./support/current.mjs";
import { Guest } from "./support/guest.mjs";
import { keysJson, relayCli, startInGuest } from "./support/guest_daemon.mjs";
import { ask, signerOf } from "./support/sponsor.mjs";

const KEY = "supplicant";
const CLIENTS = 6;
const KILLS = 2;

const guest = Guest.attach(currentGuest());
let address;
let relay;

before(async () => {
  ({ address } = await keysJson(guest, ["generate", KEY]));
  relay = await startInGuest(guest, { key: KEY });
});

after(async () => {
  if (relay?.running) await relay.stop();
  await relayCli(guest, ["keys", "delete", KEY]);
});

/** The storage answers only when there is a supplicant that has opened its device. */
async function killSupplicant() {
  await guest.sh("killall -KILL tee-supplicant");
  await until("init has started another", async () => {
    const { status } = await guest.exec(["pidof", "tee-supplicant"]);
    return status === 0 && (await relayCli(guest, ["keys", "list"])).status === 0;
  });
}

/** A request that was not answered; allowed only where the relay was ended. */
const lost = (error) => ({ lost: error });

/** Has clients ask without a pause while body runs: the answers. */
async function underLoad(body) {
  let stopped = false;
  const answers = [];
  const client = async () => {
    while (!stopped && relay.running) answers.push(await ask(relay.url).catch(lost));
  };
  const all = Promise.all(Array.from({ length: CLIENTS }, client));
  await body();
  stopped = true;
  await all;
  return answers;
}

describe("tee-supplicant killed under load", { timeout: 240_000 }, () => {
  test("costs no sponsorship that was asked for", async (t) => {
    const answers = await underLoad(async () => {
      for (let i = 0; i < KILLS; i++) {
        await sleep(1000);
        await killSupplicant();
      }
      await sleep(1000);
    });
    t.diagnostic(`${answers.length} sponsorships`);

    assert.ok(answers.length > CLIENTS);
    for (const { result, error, lost } of answers) {
      assert.equal(lost, undefined);
      assert.equal(error, undefined);
      assert.equal(await signerOf(result), address);
    }
  });

  // The relay is ended where its own call keeps the killed supplicant's device open, as it loads
  // its key just then (scripts/optee/guest/supplicant): init would start it again.
  test("in the midst of storing costs no key, and the relay goes on or anew", async (t) => {
    const made = {};
    const answers = await underLoad(async () => {
      for (let i = 0; i < KILLS; i++) {
        const id = `made-${i}`;
        const making = relayCli(guest, ["keys", "generate", id, "--json"]);
        await sleep(800 + 400 * i);
        await killSupplicant();
        // it may have been ended: a call can wait for a supplicant that cannot start because of it
        const { status, stdout } = await making;
        if (status === 0) made[id] = JSON.parse(stdout);
      }
    });
    t.diagnostic(`${Object.keys(made).length} of ${KILLS} keys were made`);

    for (const [id, key] of Object.entries(made)) {
      assert.deepEqual(await keysJson(guest, ["show", id]), key);
      await keysJson(guest, ["delete", id]);
    }
    if (!relay.running) {
      t.diagnostic("the relay was ended, and is started again");
      relay = await startInGuest(guest, { key: KEY });
    } else {
      assert.deepEqual(answers.filter(({ lost }) => lost), []);
    }
    for (const { result, error } of answers.filter(({ lost }) => !lost)) {
      if (result) assert.equal(await signerOf(result), address);
      else assert.equal(error.code, -32603, JSON.stringify(error));
    }
    assert.equal(await signerOf((await ask(relay.url)).result), address);
  });

  test("leaves the storage in order", async () => {
    const { keys } = await keysJson(guest, ["list"]);

    assert.equal(keys.find(({ id }) => id === KEY).address, address);
    const made = await keysJson(guest, ["generate", "after"]);
    assert.deepEqual(await keysJson(guest, ["show", "after"]), made);
    assert.deepEqual(await keysJson(guest, ["delete", "after"]), { deleted: "after" });
  });
});
