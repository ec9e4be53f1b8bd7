// SPDX-License-Identifier: Apache-2.0
// QEMU's monitor: one command over a connection of its own, since the socket takes one client at
// a time.
import { connect } from "node:net";

const WITHIN_MS = 20_000;

/** Executes one command of the monitor's protocol and returns its result. */
export function qmp(path, execute, args = {}) {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const tooLate = new Error(`QEMU: no answer to ${execute}`);
    const timer = setTimeout(() => socket.destroy(tooLate), WITHIN_MS);
    const finish = (end, value) => {
      clearTimeout(timer);
      socket.end();
      end(value);
    };
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      const lines = (text + chunk).split("\n");
      text = lines.pop();
      for (const line of lines.filter((l) => l.trim())) {
        const message = JSON.parse(line);
        if (message.QMP) {
          const ask = { execute: "qmp_capabilities", id: "hello" };
          socket.write(`${JSON.stringify(ask)}\n`);
        } else if (message.id === "hello") {
          socket.write(`${JSON.stringify({ execute, arguments: args, id: "ask" })}\n`);
        } else if (message.id === "ask") {
          if (message.error) finish(reject, new Error(`QEMU: ${message.error.desc}`));
          else finish(resolve, message.return);
        }
      }
    });
    socket.on("error", (error) => finish(reject, error));
    socket.on("close", () => finish(reject, new Error(`QEMU: hung up during ${execute}`)));
  });
}

/** A command of the human monitor; what it prints is its complaint. */
async function monitor(path, line) {
  const said = await qmp(path, "human-monitor-command", { "command-line": line });
  if (said.trim()) throw new Error(`QEMU: ${line}: ${said.trim()}`);
}

/** Forwards a port of the host's loopback to the same one of the guest. */
export const addForward = (path, port) =>
  monitor(path, `hostfwd_add n0 tcp:127.0.0.1:${port}-:${port}`);

export const removeForward = async (path, port) => {
  await qmp(path, "human-monitor-command", {
    "command-line": `hostfwd_remove n0 tcp:127.0.0.1:${port}`,
  });
};
