// SPDX-License-Identifier: Apache-2.0
// How many connections there are places for, and who goes without when they are few.
import assert from "node:assert/strict";
import { test } from "node:test";

import { scrape } from "./support/metrics.mjs";
import { sleep, until } from "./support/processes.mjs";
import { startLoneRelay } from "./support/relay.mjs";
import { Connection, exchange, post } from "./support/socket.mjs";

const REQUEST = post({ jsonrpc: "2.0", id: 1, method: "eth_chainId" });
const get = (path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const status = async (connection) => (await connection.response())?.status;

test("a place that is given back is the next one's, whoever lingers after a refusal", async () => {
  const relay = await startLoneRelay({ rpc: { max_connections: 1, threads: 1 } });
  const first = new Connection(relay.port).write(REQUEST);
  assert.equal(await status(first), 200);
  const refused = new Connection(relay.port);
  assert.equal(await status(refused), 503);

  first.destroy();
  // one turn of the loop, far below the two seconds that the other may stay
  await sleep(200);
  assert.equal((await exchange(relay.port, REQUEST)).status, 200);
  refused.destroy();
  await relay.stop();
});

test("of clients that come at once, as many are served as there are places", async () => {
  const relay = await startLoneRelay({ rpc: { max_connections: 1, threads: 2 } });
  for (let round = 0; round < 100; round++) {
    const all = Array.from({ length: 4 }, () => new Connection(relay.port).write(REQUEST));
    const answers = await Promise.all(all.map(status));
    for (const connection of all) connection.destroy();

    assert.deepEqual(answers.sort(), [200, 503, 503, 503], `round ${round}`);
    const open = { listener: "json_rpc" };
    await until("they are gone", async () =>
      (await scrape(relay)).value("superrelay_http_connections", open) === 0);
  }
  await relay.stop();
});

test("a scraper that keeps its connection keeps no probe out", async () => {
  const relay = await startLoneRelay({ rpc: { max_connections: 1, threads: 1 } });
  const scraper = new Connection(relay.apiPort).write(get("/metrics"));
  assert.equal(await status(scraper), 200);

  assert.equal((await exchange(relay.apiPort, get("/live"))).status, 200);
  scraper.destroy();
  await relay.stop();
});

test("clients that take all files there are keep no probe out", async () => {
  const relay = await startLoneRelay({ rpc: { threads: 1 } }, { files: 128 });
  const clients = Array.from({ length: 300 }, () => new Connection(relay.port));
  await until("most were turned away", () => clients.filter((c) => c.ended).length > 200);

  assert.equal((await exchange(relay.apiPort, get("/live")))?.status, 200);
  const places = (await scrape(relay)).value("superrelay_http_max_connections", {
    listener: "json_rpc",
  });
  assert.equal(places, 32);
  assert.match(relay.output(), /warn +http: the limit of open files, 128, leaves room for 32 /);
  for (const client of clients) client.destroy();
  await relay.stop();
});

test("a limit of open files that has room for all is not spoken of", async () => {
  const relay = await startLoneRelay({ rpc: { max_connections: 20, threads: 1 } });
  const limit = (listener) => ["superrelay_http_max_connections", { listener }];
  const page = await scrape(relay);

  assert.equal(page.value(...limit("json_rpc")), 20);
  assert.equal(page.value(...limit("http_api")), 256);
  assert.doesNotMatch(relay.output(), /limit of open files/);
  await relay.stop();
});
