// SPDX-License-Identifier: Apache-2.0
// HTTP below any client library: bytes out, responses in, and when the other side closed.
import { connect } from "node:net";

import { SLOWNESS } from "./processes.mjs";

/** A JSON-RPC request as HTTP text. headers and body replace the usual ones. */
export function post(body, { path = "/", headers = {}, version = "1.1" } = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const all = {
    Host: "localhost",
    "Content-Type": "application/json",
    "Content-Length": String(Buffer.byteLength(text)),
    ...headers,
  };
  const lines = Object.entries(all)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/${version}\r\n${lines.join("")}\r\n${text}`;
}

/** Cuts one response off the front of the bytes; null when it is not complete yet. */
function takeResponse(bytes, bodiless) {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const [first, ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const length = bodiless ? 0 : Number(headers["content-length"] ?? 0);
  const start = end + 4;
  if (bytes.length < start + length) return null;
  return {
    status: Number(first.split(" ")[1]),
    headers,
    body: bytes.subarray(start, start + length).toString("utf8"),
    rest: bytes.subarray(start + length),
  };
}

/** One connection, whose responses are taken one after the other. */
export class Connection {
  #bytes = Buffer.alloc(0);
  #waiting = [];
  ended = false;

  constructor(port) {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    this.socket.on("data", (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    const end = () => {
      this.ended = true;
      this.#wake();
    };
    this.socket.on("end", end).on("close", end).on("error", end);
  }

  #wake() {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #change(deadline) {
    const left = deadline - Date.now();
    if (left <= 0) throw new Error("no answer on the connection in time");
    let timer;
    await Promise.race([
      new Promise((resolve) => this.#waiting.push(resolve)),
      new Promise((resolve) => (timer = setTimeout(resolve, left))),
    ]);
    clearTimeout(timer);
  }

  write(text) {
    this.socket.write(text);
    return this;
  }

  /** Says that nothing more will come, and goes on reading. */
  half() {
    this.socket.end();
    return this;
  }

  /** The next response (bodiless: to a HEAD), or null when the other side closed without one. */
  async response({ within = 5_000, bodiless = false } = {}) {
    const deadline = Date.now() + within * SLOWNESS;
    for (;;) {
      const taken = takeResponse(this.#bytes, bodiless);
      if (taken) {
        this.#bytes = taken.rest;
        return taken;
      }
      if (this.ended) return null;
      await this.#change(deadline);
    }
  }

  /** Whether the other side closes without a further response. */
  async closes(within = 5_000) {
    return (await this.response({ within }).catch(() => false)) === null;
  }

  destroy() {
    this.socket.destroy();
  }
}

/** Sends text on a connection of its own: the first response. */
export async function exchange(port, text, options) {
  const connection = new Connection(port).write(text);
  try {
    return await connection.response(options);
  } finally {
    connection.destroy();
  }
}
