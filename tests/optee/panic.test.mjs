// SPDX-License-Identifier: Apache-2.0
// The Trusted Application dies under a relay that serves: the relay goes on, by itself and soon.
// Needs the TA's test build, which stands beside the other under a UUID of its own.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { sleep, until } from "../e2e/support/processes.mjs";
import { currentGuest } from "./support/current.mjs";
import { Guest, PROGRAMS } from "./support/guest.mjs";
import { configFor, keysJson, relayCli, startInGuest } from "./support/guest_daemon.mjs";
import { TEST_TA } from "./support/machine.mjs";
import { ask, signerOf } from "./support/sponsor.mjs";

const KEY = "panic";
const TARGET_DEAD = "ffff3024";
const NOT_SUPPORTED = "ffff000a";
const RECOVERS_WITHIN_MS = 1000;
/** Some may be late because this machine is busy: the fastest tells what the relay needs. */
const ROUNDS = 3;

const guest = Guest.attach(currentGuest());
const options = { key: KEY, uuid: TEST_TA };
const config = configFor(options);
let address;
let relay;

before(async () => {
  ({ address } = await keysJson(guest, ["generate", KEY], { config }));
  relay = await startInGuest(guest, options);
});

after(async () => {
  if (relay?.running) await relay.stop();
  await relayCli(guest, ["keys", "delete", KEY], { config });
});

/** Has the TA end: the result that whoever asked for it got, and when. */
async function kill(how) {
  const { stdout, stderr } = await guest.exec([join(PROGRAMS, "ta-hook"), how]);
  assert.notEqual(stdout, "", stderr);
  return { result: stdout.trim().split(" ")[0], at: Date.now() };
}

/** Asks without a pause until told to stop: { at, answer } of each. */
function client() {
  const state = { answers: [], stopped: false };
  const loop = async () => {
    while (!state.stopped) {
      const answer = await ask(relay.url);
      state.answers.push({ at: Date.now(), answer });
    }
  };
  state.done = loop();
  return state;
}

const goodAfter = (clients, at) =>
  Math.min(
    ...clients
      .flatMap(({ answers }) => answers)
      .filter((entry) => entry.answer.result && entry.at > at)
      .map((entry) => entry.at),
  );

describe("when the Trusted Application dies", { timeout: 120_000 }, () => {
  for (const how of ["panic", "abort"]) {
    test(`by ${how}, the relay signs again within a second, without a restart`, async (t) => {
      await ask(relay.url);
      const clients = Array.from({ length: 4 }, client);
      const recoveries = [];
      for (let round = 0; round < ROUNDS; round++) {
        await sleep(500);
        const { result, at } = await kill(how);
        assert.equal(result, TARGET_DEAD);
        const signed = () => Number.isFinite(goodAfter(clients, at));
        await until("the relay signs again", signed, { every: 20 });
        recoveries.push(goodAfter(clients, at) - at);
      }
      for (const each of clients) each.stopped = true;
      await Promise.all(clients.map(({ done }) => done));
      t.diagnostic(`signed again after ${recoveries.join(", ")} ms`);

      const best = Math.min(...recoveries);
      assert.ok(best < RECOVERS_WITHIN_MS, `${best} ms`);
      assert.ok(relay.running, "the same process serves");
      await judge(clients.flatMap(({ answers }) => answers.map(({ answer }) => answer)));
    });
  }

  test("the other Trusted Application takes none of the commands that end this one", async () => {
    const answer = await guest.exec([join(PROGRAMS, "ta-hook"), "panic", "production"]);

    assert.equal(answer.stdout.trim(), NOT_SUPPORTED);
  });
});

/** Every answer is a good signature, or an error that says that the TEE was not there. */
async function judge(answers) {
  assert.ok(answers.length > 0);
  for (const { result, error } of answers) {
    if (result) assert.equal(await signerOf(result), address);
    else assert.equal(error.code, -32603, JSON.stringify(error));
  }
}
