// SPDX-License-Identifier: Apache-2.0
// Child processes that cannot outlive their test: they are ended when it ends, and the kernel
// kills them when the test is killed itself. What they write goes to files, whose ends are shown
// when the test fails and which are removed when it passes.
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

export { freePort } from "./port.mjs";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");

const children = new Set();
const scratch = join(root, ".dev", "e2e");
const TAIL_LINES = 40;
/** How many times longer than usual things may take: an emulated machine is slow. */
export const SLOWNESS = Number(process.env.SR_TEST_SLOWNESS ?? 1);
const RUN_WITHIN_MS = 20_000 * SLOWNESS;

mkdirSync(scratch, { recursive: true });
/** A directory of this test file's own. */
export const workspace = mkdtempSync(join(scratch, `${basename(process.argv[1] ?? "test")}-`));

process.on("exit", (status) => {
  for (const child of children) child.process.kill("SIGKILL");
  if (status === 0) {
    rmSync(workspace, { recursive: true, force: true });
    return;
  }
  for (const { log, name } of logs) {
    const tail = read(log).trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
    process.stderr.write(`---- ${name} (${log})\n${tail}\n`);
  }
});
// What a test has left running is ended in good order, so that the runner can end too.
if (process.argv[1]?.endsWith(".test.mjs"))
  after(() => Promise.all([...children].map((child) => child.stop())));
// A signal's default action would skip the lines above.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

const logs = [];

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks again until the answer is truthy; what says what was waited for. */
export async function until(what, ask, { within = 10_000, every = 50 } = {}) {
  const deadline = Date.now() + within * SLOWNESS;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline)
      throw new Error(`waited ${within * SLOWNESS} ms in vain: ${what}`);
    await sleep(every);
  }
}

/** A running program. */
class Child {
  constructor(name, process, log, stdout) {
    Object.assign(this, { name, process, log, stdout });
    this.pid = process.pid;
    this.exit = new Promise((resolve, reject) => {
      process.once("error", reject);
      process.once("exit", (status, signal) => {
        children.delete(this);
        resolve({ status, signal });
      });
    });
    this.exit.catch(() => {});
    children.add(this);
  }

  /** What it has written so far. */
  output() {
    return read(this.log);
  }

  get running() {
    return children.has(this);
  }

  kill(signal = "SIGKILL") {
    this.process.kill(signal);
    return this.exit;
  }

  /** Asks it to end, and kills it when it does not. */
  async stop(signal = "SIGTERM", within = 10_000) {
    const timer = setTimeout(() => this.process.kill("SIGKILL"), within * SLOWNESS);
    this.process.stdin?.end();
    const exit = await this.kill(signal);
    clearTimeout(timer);
    return exit;
  }
}

// The kernel kills the program when we end. It starts only when we are still there after the
// kernel was told: else it would be missed.
const ONLY_WITH_PARENT = '[ "$PPID" = "$0" ] && exec "$@"';

function spawnGuarded(command, args, options) {
  const shell = ["sh", "-c", ONLY_WITH_PARENT, String(process.pid)];
  return spawn("setpriv", ["--pdeathsig", "KILL", ...shell, command, ...args], options);
}

/** Starts a program in the background. Its standard input is a pipe of ours. */
export function launch(name, command, args = [], { env = {}, output } = {}) {
  const log = join(workspace, `${name}-${logs.length}.log`);
  const file = openSync(log, "a");
  const stdio = ["pipe", output ?? file, file];
  const options = { stdio, env: { ...process.env, ...env }, cwd: root };
  const child = spawnGuarded(command, args, options);
  closeSync(file);
  child.stdin.on("error", () => {});
  logs.push({ name, log });
  return new Child(name, child, log, child.stdout);
}

/**
 * Runs a program to its end. killAfter: it is killed that many milliseconds after its start;
 * output: a file for its standard output.
 */
export function run(command, args, { env = {}, input = "", killAfter, output } = {}) {
  return new Promise((resolve, reject) => {
    const file = output ? openSync(output, "w") : "pipe";
    const options = { stdio: ["pipe", file, "pipe"], env: { ...process.env, ...env }, cwd: root };
    const child = spawnGuarded(command, args, options);
    const written = { stdout: "", stderr: "" };
    const timer = setTimeout(() => child.kill("SIGKILL"), killAfter ?? RUN_WITHIN_MS);
    if (output) closeSync(file);
    for (const stream of ["stdout", "stderr"])
      child[stream]?.setEncoding("utf8").on("data", (text) => (written[stream] += text));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.once("error", reject);
    child.once("close", (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, ...written });
    });
  });
}
