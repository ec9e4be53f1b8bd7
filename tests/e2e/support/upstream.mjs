// SPDX-License-Identifier: Apache-2.0
// A bundler or node that fails as a test wants it to: answers by method, late, never, or wrong.
import { createServer } from "node:http";
import { after } from "node:test";

import { sleep } from "./processes.mjs";

/**
 * answers: method -> the response's members beside id and version, or a function (params, response)
 * -> those; undefined from it: the function sees to the response itself.
 */
export class Upstream {
  calls = [];

  constructor(answers = {}) {
    this.answers = answers;
    after(() => this.close());
  }

  async open(port = 0) {
    this.server = createServer((request, response) => this.#serve(request, response));
    await new Promise((resolve) => this.server.listen(port, "127.0.0.1", resolve));
    this.port = this.server.address().port;
    this.url = `http://127.0.0.1:${this.port}`;
    return this;
  }

  async #serve(request, response) {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { id, method, params } = JSON.parse(body);
    const answer = this.answers[method];
    this.calls.push(method);
    const members = typeof answer === "function" ? await answer(params, response) : answer;
    if (members !== undefined) response.end(JSON.stringify({ jsonrpc: "2.0", id, ...members }));
  }

  close() {
    if (!this.server?.listening) return undefined;
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

/** An answer that takes its time. */
export const late = (ms, members) => async () => {
  await sleep(ms);
  return members;
};
