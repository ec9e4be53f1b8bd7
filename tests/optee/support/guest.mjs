// SPDX-License-Identifier: Apache-2.0
// An emulated machine with OP-TEE, started as an operator starts it, with what tests add: the
// agent, the TA's test programs, and the TA's test build.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { freePort, launch, root, run, until, workspace } from "../../e2e/support/processes.mjs";
import { runInGuest } from "./agent.mjs";

export const OPTEE = join(root, "build/optee");
const IMAGE = join(OPTEE, "image");
const START = join(root, "docker/optee-startup.sh");
const AGENT_PORT = 7777;
/** Where test programs lie in the machine. */
export const PROGRAMS = "/usr/libexec/super-relay-tests";
/** OP-TEE's secure storage, as files of the normal world. */
export const STORAGE = "/var/lib/optee-client/data";
const BOOT_WITHIN_MS = 90_000;

const RC_AGENT = `#!/bin/sh
exec ${PROGRAMS}/guest-agent ${AGENT_PORT}
`;

/**
 * Packs an archive to be laid over the root file system. files: path in the machine -> path here,
 * or { text, mode }.
 */
export async function packOverlay(name, files) {
  const tree = mkdtempSync(join(workspace, "overlay-"));
  for (const [path, source] of Object.entries(files)) {
    const target = join(tree, path);
    mkdirSync(join(target, ".."), { recursive: true });
    if (typeof source === "string") cpSync(source, target, { dereference: true });
    else writeFileSync(target, source.text, { mode: source.mode ?? 0o755 });
  }
  const archive = join(workspace, name);
  const pack = `cd "$1" && find . -mindepth 1 | sort | cpio --quiet -o -H newc -R 0:0 >"$2"`;
  const { status, stderr } = await run("sh", ["-c", pack, "sh", tree, archive]);
  if (status !== 0) throw new Error(`the tests' archive: ${stderr}`);
  rmSync(tree, { recursive: true });
  return archive;
}

/** What every machine of the tests has. programs: files to lie in PROGRAMS. */
export const testFiles = (programs = []) => ({
  "etc/super-relay/rc.d/guest-agent": { text: RC_AGENT },
  ...Object.fromEntries(programs.map((path) => [join(PROGRAMS, basename(path)), path])),
});

export class Guest {
  constructor(fields) {
    Object.assign(this, fields);
  }

  /** Boots: state is the directory with the machine's disk, made when it is not there. */
  static async boot({ state, overlay, env = {} }) {
    mkdirSync(state, { recursive: true });
    const [agentPort, rpcPort, apiPort] = [await freePort(), await freePort(), await freePort()];
    const child = launch("optee", "bash", [START], {
      env: {
        SR_OPTEE_IMAGE: IMAGE,
        SR_OPTEE_STATE: state,
        SR_OPTEE_EXTRA_INITRD: overlay,
        // the tests start relays of their own
        SR_OPTEE_RELAY: "no",
        SR_OPTEE_FORWARD: `${agentPort}:${AGENT_PORT}`,
        SR_RPC_PORT: String(rpcPort),
        SR_API_PORT: String(apiPort),
        ...env,
      },
    });
    const socket = join(state, "run/qmp.sock");
    const guest = new Guest({ child, state, agentPort, rpcPort, apiPort, qmp: socket });
    const began = Date.now();
    await until("the emulated machine answers", () => guest.#answers(), { within: BOOT_WITHIN_MS });
    guest.bootedIn = Date.now() - began;
    return guest;
  }

  async #answers() {
    if (!this.child.running) throw new Error(`the machine has ended: ${this.child.output()}`);
    const asked = this.exec(["sh", "-c", "test -e /dev/tee0 && pidof tee-supplicant"], {
      // a connection that came before the machine's network is not answered for long
      within: 800,
    });
    return (await asked.catch(() => ({ status: 1 }))).status === 0;
  }

  /** A machine that another process has started. */
  static attach(descriptor) {
    return new Guest(descriptor);
  }

  descriptor() {
    const { agentPort, rpcPort, apiPort, state } = this;
    return { agentPort, rpcPort, apiPort, state, qmp: this.qmp };
  }

  exec(argv, options) {
    return runInGuest(this.agentPort, argv, options);
  }

  /** Runs a shell script that must succeed: its standard output. */
  async sh(script, options) {
    const { status, signal, stdout, stderr } = await this.exec(["sh", "-c", script], options);
    if (status !== 0) throw new Error(`in the machine: ${script}: ${signal ?? status} ${stderr}`);
    return stdout;
  }

  async write(path, content) {
    const { status, stderr } = await this.exec(["sh", "-c", 'cat >"$1"', "sh", path], {
      input: content,
    });
    if (status !== 0) throw new Error(`in the machine: ${path}: ${stderr}`);
  }

  /** A clean shutdown, as the operator's SIGTERM asks for it. */
  shutdown() {
    return this.child.stop("SIGTERM", 30_000);
  }

  /** Power off, without a word to the machine. */
  async kill9() {
    const { pid } = await this.qemu();
    process.kill(pid, "SIGKILL");
    return this.child.exit;
  }

  async qemu() {
    const find = 'pgrep -P "$1" -f qemu-system';
    const found = await run("sh", ["-c", find, "sh", String(this.child.pid)]);
    return { pid: Number(found.stdout.trim()) };
  }

}
