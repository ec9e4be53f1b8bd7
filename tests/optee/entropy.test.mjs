// SPDX-License-Identifier: Apache-2.0
// Two machines boot from the same state, with the same frozen clock and nothing random in their
// device tree: OP-TEE's own generator then gives both the same bytes. Their keys differ all the
// same, because the TA takes the normal world's random bytes in, and asks the processor.
import assert from "node:assert/strict";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { root, run, workspace } from "../e2e/support/processes.mjs";
import { Guest, packOverlay, PROGRAMS } from "./support/guest.mjs";
import { configFor, relayCli } from "./support/guest_daemon.mjs";
import { machineFiles, TEST_TA } from "./support/machine.mjs";

const HOOK = join(PROGRAMS, "ta-hook");
const FIRST_WORDS = "/run/first-words";
/** Asked before anything else could have stirred the TEE's generator. */
const RC_FIRST = `#!/bin/sh
until ${HOOK} random >${FIRST_WORDS}.new && grep -q '^00000000' ${FIRST_WORDS}.new; do sleep 1; done
mv ${FIRST_WORDS}.new ${FIRST_WORDS}
`;
/** Instructions are the clock: it stands while nothing runs, and starts at the same time. */
const FROZEN = [
  "-icount shift=1,sleep=off",
  "-rtc base=2026-01-01,clock=vm",
  "-machine dtb-randomness=off",
].join(" ");

async function overlayFor(directory) {
  const files = machineFiles([], join(root, "build/optee", directory));
  files["etc/super-relay/rc.d/first-words"] = { text: RC_FIRST };
  return packOverlay(`${directory}.cpio`, files);
}

async function blankDisk() {
  const disk = join(workspace, "disk.img");
  const make = 'truncate -s 64M "$1" && /sbin/mke2fs -q -F -t ext4 "$1"';
  const { status, stderr } = await run("sh", ["-c", make, "sh", disk]);
  assert.equal(status, 0, stderr);
  return disk;
}

const disk = await blankDisk();

/** Boots once: what OP-TEE's generator said first, and the keys that were made. */
async function boot(name, { overlay, cpu }) {
  const state = join(workspace, name);
  mkdirSync(state);
  cpSync(disk, join(state, "disk.img"));
  const env = { SR_OPTEE_CPU: cpu, SR_OPTEE_CPUS: "1", SR_OPTEE_QEMU_ARGS: FROZEN };
  const guest = await Guest.boot({ state, overlay, env });
  const words = await guest.sh(`until [ -e ${FIRST_WORDS} ]; do sleep 1; done; cat ${FIRST_WORDS}`);
  const hook = (await guest.exec([HOOK, "generate"])).stdout.trim();
  const config = configFor({ uuid: TEST_TA });
  const demanding = `${config}[optee_kms.hardware]\nuse_hardware_rng = true\n`;
  const demanded = await relayCli(guest, ["keys", "generate", "sound"], { config: demanding });
  const made = await relayCli(guest, ["keys", "generate", "key", "--json"], { config });
  await guest.shutdown();

  assert.match(words, /^00000000 [0-9a-f]{130}$/m);
  assert.match(hook, /^00000000 /);
  assert.equal(made.status, 0, made.stderr);
  return { words, hook, demanded, key: JSON.parse(made.stdout).publicKey };
}

const bootTwice = (name, options) =>
  Promise.all([boot(`${name}-1`, options), boot(`${name}-2`, options)]);

describe("two boots from the same state with a frozen clock", { timeout: 240_000 }, () => {
  test("give different keys, though OP-TEE's generator says the same in both", async (t) => {
    const [one, two] = await bootTwice("plain", {
      overlay: await overlayFor("ta-test-plain"),
      cpu: "cortex-a57",
    });

    t.diagnostic(`without the normal world's bytes, keys are the same: ${one.hook === two.hook}`);

    assert.equal(one.words, two.words);
    assert.notEqual(one.key, two.key);
    for (const { demanded } of [one, two]) {
      assert.equal(demanded.status, 1, "a key is made of what is not known to be random");
      assert.match(demanded.stderr, /no key is made here: .* use_hardware_rng = true/);
    }
  });

  // Linux uses the processor's instruction, too, and then takes another time for what it does:
  // that reaches OP-TEE's generator, so that its numbers are not the same here.
  test("give different keys by the processor's instruction, without Linux's bytes", async () => {
    const overlay = await overlayFor("ta-test");
    const [one, two] = await bootTwice("rndr", { overlay, cpu: "max" });

    assert.notEqual(one.hook, two.hook, "with zeros for the normal world's bytes");
    assert.notEqual(one.key, two.key);
    for (const { demanded } of [one, two]) assert.equal(demanded.status, 0, demanded.stderr);
  });
});
