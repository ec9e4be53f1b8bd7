// SPDX-License-Identifier: Apache-2.0
// All tests on the real OP-TEE: boots the emulated machine once and leads the parts through it.
// Standard output is TAP, part by part, with one count of all at the end; what is left out, and
// how long each part took, are comments in it.
//
//   node tests/optee/run.mjs [NAME]    only parts, programs and files whose name holds NAME
import { spawn } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { run, root, workspace } from "../e2e/support/processes.mjs";
import { Guest, packOverlay, PROGRAMS } from "./support/guest.mjs";
import { LEFT_OUT, LEFT_OUT_PROGRAMS } from "./support/left_out.mjs";
import { machineFiles } from "./support/machine.mjs";

const filter = process.argv[2] ?? "";
const SLOWNESS = "6";
const PROGRAM_WITHIN_MS = 240_000;
/**
 * Files of this directory: on the machine that all share, and with machines of their own. In this
 * order: signing needs a test build of the TA that was not started yet.
 */
const SHARING = ["signing", "panic", "supplicant"];
const BOOTING = ["storage", "entropy", "power"];
const COUNT = /^# (pass|fail|cancelled|skipped|todo) /gm;
const totals = { pass: 0, fail: 0 };

const say = (line) => process.stdout.write(`${line}\n`);
const wanted = (name) => name.includes(filter);

async function part(name, body) {
  const began = Date.now();
  const before = { ...totals };
  await body();
  const counts = `${totals.pass - before.pass} passed, ${totals.fail - before.fail} failed`;
  say(`# part ${name}: ${counts}, ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

function count(ok, name, detail = "") {
  totals[ok ? "pass" : "fail"]++;
  say(`${ok ? "ok" : "not ok"} - ${name}`);
  if (!ok && detail) say(detail.replace(/^/gm, "#   "));
}

// ---- the Trusted Application's own tests ------------------------------------------

const taPrograms = () =>
  readdirSync(join(root, "tests/ta"))
    .map((file) => /^test_(\w+)\.c$/.exec(file)?.[1].replaceAll("_", "-"))
    .filter(Boolean);

/** The points of a program's TAP, each with the comments that follow it. */
function points(tap) {
  const found = [];
  for (const line of tap.split("\n")) {
    const [, not, name] = /^(not )?ok \d+ - (.*)$/.exec(line) ?? [];
    if (name) found.push({ ok: !not, name, detail: "" });
    else if (found.length) found.at(-1).detail += `${line}\n`;
  }
  return found;
}

async function runTaProgram(guest, name) {
  const began = Date.now();
  const { status, signal, stdout, stderr } = await guest.exec([join(PROGRAMS, `test-ta-${name}`)], {
    env: { SR_TA_TEST_BACKEND: "optee", CMOCKA_MESSAGE_OUTPUT: "TAP" },
    within: PROGRAM_WITHIN_MS,
  });
  const found = points(stdout);
  const planned = Number(/^1\.\.(\d+)$/m.exec(stdout)?.[1] ?? 0);
  for (const { ok, name: test, detail } of found) count(ok, `ta-${name}: ${test}`, detail);
  for (const [left] of stdout.matchAll(/^# left out .*$/gm)) say(left);
  // a program that stops half-way has not passed what it printed so far
  if (planned === 0 || found.length !== planned || (status !== 0 && found.every(({ ok }) => ok)))
    count(false, `ta-${name}: comes to its end`, `${signal ?? status}\n${stdout}${stderr}`);
  say(`# ta-${name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

async function taTests(guest) {
  for (const name of taPrograms()) {
    const reason = LEFT_OUT_PROGRAMS[name];
    if (reason) say(`# left out under OP-TEE: ta-${name}: ${reason}`);
    else if (wanted(`ta-${name}`))
      await runTaProgram(guest, name).catch((error) =>
        count(false, `ta-${name}: runs`, error.message),
      );
  }
}

// ---- node's test files --------------------------------------------------------------

/** Runs test files by node's runner; its report goes to our output, its counts into ours. */
function nodeTests(files, { env, concurrency, preload }) {
  return new Promise((resolve) => {
    const args = ["--test", "--test-reporter=tap", `--test-concurrency=${concurrency}`, ...files];
    if (preload) args.unshift("--import", preload);
    const child = spawn("setpriv", ["--pdeathsig", "TERM", process.execPath, ...args], {
      cwd: root,
      env: { ...process.env, SR_TEST_SLOWNESS: SLOWNESS, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let report = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      report += text;
      // the counts of a part would be taken for those of all
      process.stdout.write(text.replaceAll(COUNT, "# part's $1 "));
    });
    child.once("close", (status) => {
      const of = (what) => Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(report)?.[1] ?? 0);
      const failed = of("fail") + of("cancelled") + of("skipped") + of("todo");
      totals.pass += of("pass");
      totals.fail += failed || status === 0 ? failed : 1;
      resolve();
    });
  });
}

async function endToEnd(env) {
  const whole = LEFT_OUT.filter(({ test }) => !test);
  const files = readdirSync(join(root, "tests/e2e"))
    .filter((file) => file.endsWith(".test.mjs") && wanted(file))
    .filter((file) => !whole.some((entry) => entry.file === file))
    .map((file) => join("tests/e2e", file));
  for (const { file, test, reason } of LEFT_OUT)
    say(`# left out under OP-TEE: ${file}: ${test ? `${test}: ` : ""}${reason}`);
  if (files.length === 0) return;
  await nodeTests(files, {
    concurrency: 2,
    preload: join(root, "tests/optee/support/preload.mjs"),
    env: {
      ...env,
      SR_TEST_BACKEND: "optee",
      SUPER_RELAY_BIN: join(root, "tests/optee/guest_relay.mjs"),
    },
  });
}

// ---- all of it --------------------------------------------------------------------------

async function boot() {
  const overlay = await packOverlay("tests.cpio", machineFiles(taPrograms()));
  const guest = await Guest.boot({ state: join(workspace, "machine"), overlay });
  const file = join(workspace, "guest.json");
  writeFileSync(file, JSON.stringify({ ...guest.descriptor(), overlay }));
  say(`# the machine answered ${(guest.bootedIn / 1000).toFixed(1)} s after QEMU's start`);
  return { guest, env: { SR_GUEST: file } };
}

async function main() {
  say("TAP version 13");
  const { guest, env } = await boot();
  await part("Trusted Application", () => taTests(guest));
  await part("end to end", () => endToEnd(env));
  const own = (name) =>
    part(name, () => nodeTests([`tests/optee/${name}.test.mjs`], { env, concurrency: 1 }));
  for (const name of SHARING.filter(wanted)) await own(name);
  await guest.shutdown();
  for (const name of BOOTING.filter(wanted)) await own(name);
}

try {
  await main();
} catch (error) {
  count(false, "the run", error.stack);
}
say(`# pass ${totals.pass}`);
say(`# fail ${totals.fail}`);
process.exit(totals.fail ? 1 : 0);
