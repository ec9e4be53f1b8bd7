// SPDX-License-Identifier: Apache-2.0
// The images and what runs in them, through podman with the store of `./dev container`.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after } from "node:test";

import { root, run, workspace } from "../../e2e/support/processes.mjs";

export const PODMAN = join(root, "build/container/podman");
const MINUTE = 60_000;

/** What docker-compose.yml asks for, as options of one container. */
export const HARDENED = [
  "--pull=never",
  "--read-only",
  "--read-only-tmpfs=false",
  "--tmpfs=/tmp:size=16m",
  "--cap-drop=ALL",
  "--security-opt=no-new-privileges",
  "--memory=512m",
  "--pids-limit=100",
  "--network=host",
];

let counter = 0;
const volumes = [];
const containers = new Set();

/** A name that no other container, volume or test file has. */
export const uniqueName = (what) =>
  `${what}-${workspace.split("-").at(-1)}-${counter++}`.toLowerCase();

// Without systemd podman says at each start that it will not run health checks by itself.
const withoutNoise = ({ stderr, ...rest }) => ({
  ...rest,
  stderr: stderr.replace(/^.*systemd connection to (add|start) healthchecks.*\n/gm, ""),
});

/** podman, run to its end: { status, stdout, stderr }. */
export const podman = async (args, options) =>
  withoutNoise(await run(PODMAN, args, { killAfter: MINUTE, ...options }));

/** The standard output of a podman that must succeed. */
export async function podmanOutput(args, options) {
  const { status, stdout, stderr } = await podman(args, options);
  assert.equal(status, 0, `podman ${args.join(" ")}: ${stderr}`);
  return stdout.trim();
}

/** What an image or a container is made of. */
export const inspect = async (name, type = "container") =>
  JSON.parse(await podmanOutput(["inspect", "--type", type, name]))[0];

/** A shell's standard output in a container that is thrown away. */
export function inImage(image, script, { input, options = [] } = {}) {
  const shell = ["--interactive", "--entrypoint=/bin/sh", image, "-c", script];
  return podmanOutput(["run", "--rm", ...HARDENED, ...options, ...shell], { input });
}

/** The same in a running container. */
export const inContainer = (name, script) => podmanOutput(["exec", name, "/bin/sh", "-c", script]);

export async function makeVolume() {
  const name = uniqueName("volume");
  await podmanOutput(["volume", "create", name]);
  volumes.push(name);
  return name;
}

/** Starts a container in the background. */
export async function startContainer(image, options, command = []) {
  const name = uniqueName("container");
  containers.add(name);
  const start = ["run", "--detach", "--name", name, ...HARDENED, ...options];
  await podmanOutput([...start, image, ...command]);
  return name;
}

export async function removeContainer(name) {
  await podmanOutput(["rm", "--force", "--time=5", name]);
  containers.delete(name);
}

/** Its standard output and standard error so far. */
export async function logsOf(name) {
  const { stdout, stderr } = await podman(["logs", name]);
  return stdout + stderr;
}

/** Asks for the health once, as an engine does by itself: whether it is good. */
export const isHealthy = async (name) =>
  (await podman(["healthcheck", "run", name])).status === 0;

/** Ends a container with SIGTERM: its exit status and how many milliseconds that took. */
export async function stopContainer(name, seconds = 20) {
  const began = Date.now();
  await podmanOutput(["stop", `--time=${seconds}`, name]);
  const { State } = await inspect(name);
  return { status: State.ExitCode, took: Date.now() - began };
}

after(async () => {
  for (const name of containers) await podman(["rm", "--force", "--time=0", name]);
  for (const name of volumes) await podman(["volume", "rm", "--force", name]);
});
