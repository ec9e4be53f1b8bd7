// SPDX-License-Identifier: Apache-2.0
import { createServer } from "node:net";

/** A TCP port that nothing listens on, below the range the kernel gives to clients. */
export async function freePort() {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    const free = await new Promise((resolve) => {
      const probe = createServer();
      probe.once("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
