// SPDX-License-Identifier: Apache-2.0
// The host's side of guest_agent.c: commands in the emulated machine, as if they were child
// processes. The protocol is described there.
import { connect } from "node:net";

const HELLO = Buffer.from("SRGA");
const INPUT = 0;
const SIGNAL = 1;
const OUTPUT = 1;
const ERROR = 2;
const END = 3;
const FRAME_HEAD = 5;
const INPUT_CHUNK = 65_536;
const SIGNALS = { 1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 6: "SIGABRT", 9: "SIGKILL" };
Object.assign(SIGNALS, { 11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM" });

const numberOf = (name) => Number(Object.keys(SIGNALS).find((n) => SIGNALS[n] === name));

function requestBytes(argv, env) {
  const texts = [...argv, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
  const body = Buffer.from(texts.map((text) => `${text}\0`).join(""));
  const head = Buffer.alloc(12);
  head.writeUInt32LE(8 + body.length, 0);
  head.writeUInt32LE(argv.length, 4);
  head.writeUInt32LE(texts.length - argv.length, 8);
  return Buffer.concat([head, body]);
}

function frame(type, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(FRAME_HEAD);
  head.writeUInt8(type, 0);
  head.writeUInt32LE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

/** A command in the guest. Hanging up kills it there. */
export class GuestCommand {
  #bytes = Buffer.alloc(0);
  #greeted = false;

  /** on: { output, error }, called with each piece of what the command writes. */
  constructor(port, argv, { env = {}, on = {} } = {}) {
    this.on = on;
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.exit = new Promise((resolve, reject) => {
      this.socket.on("data", (chunk) => {
        this.#bytes = Buffer.concat([this.#bytes, chunk]);
        this.#take(requestBytes(argv, env), resolve);
      });
      this.socket.on("error", reject);
      this.socket.on("close", () =>
        reject(new Error(`the guest hung up during: ${argv.join(" ")}`)),
      );
    });
    // whoever does not wait for the end is not told of it
    this.exit.catch(() => {});
    this.started = new Promise((resolve) => (this.greet = resolve));
  }

  #take(request, resolve) {
    if (!this.#greeted) {
      if (this.#bytes.length < HELLO.length) return;
      if (!this.#bytes.subarray(0, HELLO.length).equals(HELLO)) {
        this.socket.destroy(new Error("what answers on the agent's port is no agent"));
        return;
      }
      this.#bytes = this.#bytes.subarray(HELLO.length);
      this.#greeted = true;
      this.socket.write(request);
      this.greet();
    }
    while (this.#bytes.length >= FRAME_HEAD) {
      const end = FRAME_HEAD + this.#bytes.readUInt32LE(1);
      if (this.#bytes.length < end) return;
      const type = this.#bytes[0];
      const payload = this.#bytes.subarray(FRAME_HEAD, end);
      this.#bytes = this.#bytes.subarray(end);
      if (type === OUTPUT) this.on.output?.(payload);
      else if (type === ERROR) this.on.error?.(payload);
      else if (type === END) {
        const signal = payload[1] ? (SIGNALS[payload[1]] ?? `signal ${payload[1]}`) : null;
        resolve({ status: signal ? null : payload[0], signal });
        this.socket.end();
      }
    }
  }

  /** Bytes for its standard input. */
  async write(data) {
    const bytes = Buffer.from(data);
    await this.started;
    for (let at = 0; at < bytes.length; at += INPUT_CHUNK)
      this.socket.write(frame(INPUT, bytes.subarray(at, at + INPUT_CHUNK)));
  }

  async endInput() {
    await this.started;
    this.socket.write(frame(INPUT));
  }

  async kill(signal = "SIGKILL") {
    await this.started;
    this.socket.write(frame(SIGNAL, Buffer.from([numberOf(signal)])));
  }

  hangUp() {
    this.socket.destroy();
  }
}

/** Runs a command in the guest to its end: { status, signal, stdout, stderr }. */
export async function runInGuest(port, argv, { env, input = "", within = 60_000 } = {}) {
  const written = { stdout: [], stderr: [] };
  const command = new GuestCommand(port, argv, {
    env,
    on: { output: (b) => written.stdout.push(b), error: (b) => written.stderr.push(b) },
  });
  const timer = setTimeout(
    () => command.socket.destroy(new Error(`not done in ${within} ms: ${argv.join(" ")}`)),
    within,
  );
  try {
    if (input.length) command.write(input);
    command.endInput();
    const exit = await command.exit;
    const text = (parts) => Buffer.concat(parts).toString("utf8");
    return { ...exit, stdout: text(written.stdout), stderr: text(written.stderr) };
  } finally {
    clearTimeout(timer);
  }
}
