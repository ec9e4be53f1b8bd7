// SPDX-License-Identifier: Apache-2.0
// Preload for third-party servers of the local network (`node --import`): whatever address a
// program asks to listen on, it gets loopback. The bundler has 0.0.0.0 fixed in its code and no
// option for it; wrapping the one call every Node.js server ends in leaves its package untouched.
import { Server } from "node:net";

const listen = Server.prototype.listen;

Server.prototype.listen = function (...args) {
  const [first, second] = args;
  if (typeof first === "object" && first !== null && "port" in first) {
    args[0] = { ...first, host: "127.0.0.1" };
  } else if (typeof first === "number" || /^\d+$/.test(first)) {
    args.splice(1, typeof second === "string" ? 1 : 0, "127.0.0.1");
  }
  return listen.apply(this, args);
};
