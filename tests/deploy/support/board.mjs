// SPDX-License-Identifier: Apache-2.0
// What the tests of the board's scripts share: a directory of their own, fake tools first on PATH,
// and a run that answers what the script asks.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const scratch = join(root, ".dev", "deploy");

mkdirSync(scratch, { recursive: true });
/** Removed when the tests have passed. */
export const workspace = mkdtempSync(join(scratch, `${basename(process.argv[1] ?? "test")}-`));
process.on("exit", (status) => {
  if (status === 0) rmSync(workspace, { recursive: true, force: true });
});

let counter = 0;
export const path = (name) => join(workspace, `${name}-${counter++}`);

export function directory(name, mode = 0o755) {
  const made = path(name);
  mkdirSync(made, { mode });
  return made;
}

export function file(name, content, mode = 0o644) {
  const made = path(name);
  writeFileSync(made, content, { mode });
  return made;
}

/** A directory of tools: name on PATH to script beside this file. */
export function tools(names) {
  const made = directory("bin");
  for (const [name, source] of Object.entries(names)) {
    copyFileSync(join(root, "tests/deploy/support", source), join(made, name));
    chmodSync(join(made, name), 0o755);
  }
  return made;
}

const shellWord = (word) => `'${word.replaceAll("'", "'\\''")}'`;

/** The same command on a terminal of its own, where errors go to a file. */
function onTerminal(command, errors) {
  if (!errors) return command;
  const line = `${command.map(shellWord).join(" ")} 2>${shellWord(errors)}`;
  return ["script", "--quiet", "--return", "--command", line, "/dev/null"];
}

function limited(command, fileSize) {
  if (fileSize === undefined) return command;
  const limit = ["prlimit", `--fsize=${fileSize}`, "--", ...command];
  return ["bash", "-c", 'trap "" XFSZ && exec "$@"', "bash", ...limit];
}

/**
 * Runs a script to its end: { status, stdout, stderr }. The kernel ends it when we end. With typed,
 * that text comes from a terminal, which standard output is, too. onOutput is
 * told what it has said so far, with a function that kills it and all that it started (or sends
 * them the signal that it is given); killAfter kills so many milliseconds after the start. No file
 * gets longer than fileSize bytes, as on a disk that is full.
 */
export function script(name, words, options = {}) {
  const { typed, input = typed ?? "", env = {}, cwd = workspace, onOutput } = options;
  const { killAfter, fileSize } = options;
  return new Promise((resolve, reject) => {
    // git's ceiling: this workspace is inside a checkout, the keys of the tests are in none
    const whole = { ...process.env, GIT_CEILING_DIRECTORIES: workspace, ...env };
    const errors = typed === undefined ? undefined : path("errors");
    const command = onTerminal(["bash", join(root, "scripts", name), ...words], errors);
    const guard = ["--pdeathsig", "KILL", ...limited(command, fileSize)];
    const child = spawn("setpriv", guard, { cwd, env: whole, detached: true });
    const said = { stdout: "", stderr: "" };
    const kill = (signal = "SIGKILL") => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, signal);
    };
    const timer = killAfter && setTimeout(() => kill(), killAfter);
    for (const stream of ["stdout", "stderr"])
      child[stream].setEncoding("utf8").on("data", (text) => {
        said[stream] += text;
        onOutput?.(said.stdout, kill);
      });
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.once("error", reject);
    child.once("close", (status, signal) => {
      clearTimeout(timer);
      if (errors) said.stderr += readFileSync(errors, "utf8");
      resolve({ status, signal, ...said });
    });
  });
}

export const REFUSED = 3;

/** It ended with a refusal of this name, and said why. */
export function isRefused(result, name, why = /./) {
  const text = `${result.stdout}\n${result.stderr}`;
  assert.equal(result.status, REFUSED, text);
  assert.ok(result.stderr.includes(`refused [${name}]`), `${name}: ${text}`);
  assert.match(result.stderr, why);
}

export function succeeded(result) {
  assert.equal(result.status, 0, `${result.stdout}\n${result.stderr}`);
  return result.stdout;
}

export const lines = (name) =>
  existsSync(name) ? readFileSync(name, "utf8").trimEnd().split("\n").filter(Boolean) : [];
