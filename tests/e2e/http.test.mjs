// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 as the relay speaks it: routes, methods, media types, CORS, connections, time limits.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { sleep, until } from "./support/processes.mjs";
import { makeOperation, params7677 } from "./support/operations.mjs";
import { startLoneRelay } from "./support/relay.mjs";
import { Connection, exchange, post } from "./support/socket.mjs";
import { late, Upstream } from "./support/upstream.mjs";

const bundler = await new Upstream({
  eth_getUserOperationByHash: late(400, { result: "late" }),
}).open();
const relay = await startLoneRelay({ node: { bundler_url: bundler.url } });
// a second one whose limits are small enough to be met
const strict = await startLoneRelay({
  rpc: {
    request_timeout_ms: 400,
    idle_timeout_s: 1,
    max_connections: 4,
    max_body_bytes: 2000,
    threads: 1,
    cors_origins: ["https://dapp.example"],
  },
});

const CHAIN_ID = { jsonrpc: "2.0", id: 1, method: "eth_chainId" };
const CHAIN = "0x7a69";
/** A call whose answer takes its time. */
const SLOW = {
  ...CHAIN_ID,
  method: "eth_getUserOperationByHash",
  params: [`0x${"ab".repeat(32)}`],
};
const get = (path, method = "GET", headers = "") =>
  `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
const resultOf = (response) => JSON.parse(response.body).result;

describe("routes", () => {
  for (const path of ["/", "/rpc", "/rpc?key=1", "/?", "http://localhost/rpc"]) {
    test(`JSON-RPC is served at ${path}`, async () => {
      const response = await exchange(relay.port, post(CHAIN_ID, { path }));

      assert.equal(response.status, 200);
      assert.equal(response.headers["content-type"], "application/json");
      assert.equal(resultOf(response), CHAIN);
    });
  }

  for (const path of ["/nope", "/rpc/", "//", "/rpcx", "/RPC", "/metrics"]) {
    test(`there is nothing at ${path}`, async () => {
      assert.equal((await exchange(relay.port, post(CHAIN_ID, { path }))).status, 404);
      assert.equal((await exchange(relay.port, get(path))).status, 404);
    });
  }

  test("JSON-RPC is not served on the port of the HTTP API", async () => {
    assert.equal((await exchange(relay.apiPort, post(CHAIN_ID))).status, 404);
  });

  test("health is served on both ports, metrics on the HTTP API's", async () => {
    for (const port of [relay.port, relay.apiPort]) {
      const live = await exchange(port, get("/live"));
      assert.equal(live.status, 200);
      assert.deepEqual(JSON.parse(live.body), { status: "live" });
      assert.equal((await exchange(port, get("/health"))).status, 200);
      // there is no node behind this relay
      assert.equal((await exchange(port, get("/ready"))).status, 503);
    }
    const metrics = await exchange(relay.apiPort, get("/metrics"));
    assert.equal(metrics.status, 200);
    assert.match(metrics.headers["content-type"], /^text\/plain; version=0\.0\.4/);
  });
});

describe("methods", () => {
  for (const method of ["GET", "HEAD", "PUT", "DELETE", "PATCH", "PROPFIND"]) {
    test(`${method} of JSON-RPC is refused with what is allowed`, async () => {
      const bodiless = method === "HEAD";
      const response = await exchange(relay.port, get("/", method), { bodiless });

      assert.equal(response.status, 405);
      assert.match(response.headers.allow, /POST/);
    });
  }

  test("POST of what is read only is refused with what is allowed", async () => {
    const response = await exchange(relay.port, post(CHAIN_ID, { path: "/health" }));

    assert.equal(response.status, 405);
    assert.match(response.headers.allow, /GET/);
  });

  test("HEAD has the length of the body and no body", async () => {
    const connection = new Connection(relay.port);
    connection.write(get("/live", "HEAD") + get("/live"));
    const head = await connection.response({ bodiless: true });
    const whole = await connection.response();
    connection.destroy();

    assert.equal(head.status, 200);
    assert.equal(head.headers["content-length"], String(whole.body.length));
    assert.equal(whole.body, '{"status":"live"}');
  });
});

describe("media types", () => {
  const accepted = [
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "Application/JSON",
    "application/json ; charset=utf-8",
    "application/json-rpc",
    undefined,
  ];

  for (const type of accepted) {
    test(`are accepted: ${type ?? "none given"}`, async () => {
      const request = post(CHAIN_ID, { headers: { "Content-Type": type } });
      const response = await exchange(relay.port, request);

      assert.equal(response.status, 200);
      assert.equal(resultOf(response), CHAIN);
    });
  }

  const refused = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonx",
    "multipart/form-data; boundary=application/json",
  ];

  for (const type of refused) {
    // what a page may send from a browser without asking first must not reach a method
    test(`are refused: ${type}`, async () => {
      const request = post(CHAIN_ID, { headers: { "Content-Type": type } });
      const response = await exchange(relay.port, request);

      assert.equal(response.status, 415);
      assert.match(JSON.parse(response.body).error.message, /application\/json/);
    });
  }
});

describe("CORS", () => {
  const origin = "https://dapp.example";
  const preflight = (from) =>
    get(
      "/",
      "OPTIONS",
      `Origin: ${from}\r\nAccess-Control-Request-Method: POST\r\n` +
        "Access-Control-Request-Headers: content-type\r\n",
    );

  test("a preflight is answered with what a browser may do", async () => {
    const response = await exchange(relay.port, preflight(origin));

    assert.equal(response.status, 204);
    assert.equal(response.headers["access-control-allow-origin"], "*");
    assert.match(response.headers["access-control-allow-methods"], /POST/);
    assert.match(response.headers["access-control-allow-headers"], /content-type/i);
  });

  test("answers and refusals carry the permission too", async () => {
    const request = (over) => post(CHAIN_ID, { headers: { Origin: origin, ...over } });

    for (const [text, status] of [
      [request({}), 200],
      [request({ "Content-Type": "text/plain" }), 415],
    ]) {
      const response = await exchange(relay.port, text);
      assert.equal(response.status, status);
      assert.equal(response.headers["access-control-allow-origin"], "*");
    }
  });

  test("only a listed origin is let in where origins are listed", async () => {
    const let_in = await exchange(strict.port, preflight(origin));
    const kept_out = await exchange(strict.port, preflight("https://other.example"));

    assert.equal(let_in.headers["access-control-allow-origin"], origin);
    assert.match(let_in.headers.vary, /origin/i);
    assert.equal(kept_out.headers["access-control-allow-origin"], undefined);
  });

  test("a page of another origin gets nothing done, not even without asking first", async () => {
    const from = (origin) => post(CHAIN_ID, { headers: { Origin: origin, Connection: "close" } });

    assert.equal((await exchange(strict.port, from("https://other.example"))).status, 403);
    assert.equal((await exchange(strict.port, from("null"))).status, 403);
    assert.equal(resultOf(await exchange(strict.port, from(origin))), CHAIN);
  });
});

describe("connections", () => {
  test("serve one request after the other", async () => {
    const connection = new Connection(relay.port);
    for (let id = 1; id <= 3; id++) {
      const response = await connection.write(post({ ...CHAIN_ID, id })).response();
      assert.equal(JSON.parse(response.body).id, id);
      assert.notEqual(response.headers.connection, "close");
    }
    connection.destroy();
  });

  test("answer pipelined requests in their order, slow ones before quick ones", async () => {
    // signing takes a thread's round; what stands behind it must wait
    const operation = await makeOperation(
      {
        getFactoryArgs: async () => ({}),
        getNonce: async () => 0n,
        encodeCalls: async () => "0x12",
        address: relay.signer,
      },
      { signature: "0x" },
    );
    const sponsored = {
      jsonrpc: "2.0",
      id: 1,
      method: "pm_getPaymasterData",
      params: params7677(operation),
    };
    const connection = new Connection(relay.port);
    connection.write(
      post(sponsored) +
        post({ ...CHAIN_ID, id: 2 }) +
        post({ ...sponsored, id: 3 }) +
        get("/live") +
        post({ ...CHAIN_ID, id: 4 }),
    );
    const bodies = [];
    for (let i = 0; i < 5; i++) bodies.push(JSON.parse((await connection.response()).body));
    connection.destroy();

    assert.deepEqual(bodies.map(({ id }) => id), [1, 2, 3, undefined, 4]);
    assert.match(bodies[0].result.paymasterData, /^0x[0-9a-f]{258}$/);
    assert.equal(bodies[1].result, CHAIN);
    assert.match(bodies[2].result.paymasterData, /^0x[0-9a-f]{258}$/);
  });

  test("understand requests that arrive byte by byte", async () => {
    const connection = new Connection(relay.port);
    connection.socket.setNoDelay(true);
    for (const byte of post(CHAIN_ID)) {
      connection.write(byte);
      await new Promise(setImmediate);
    }
    assert.equal(resultOf(await connection.response()), CHAIN);
    connection.destroy();
  });

  test("close when the client asks for it, or speaks HTTP/1.0", async () => {
    for (const text of [
      post(CHAIN_ID, { headers: { Connection: "close" } }),
      post(CHAIN_ID, { version: "1.0" }),
    ]) {
      const connection = new Connection(relay.port).write(text);
      const response = await connection.response();
      assert.equal(resultOf(response), CHAIN);
      assert.equal(response.headers.connection, "close");
      assert.ok(await connection.closes());
      connection.destroy();
    }
  });

  test("give the answer to a client that has closed its half", async () => {
    for (const [request, answer] of [
      [CHAIN_ID, CHAIN],
      [SLOW, "late"],
    ]) {
      const connection = new Connection(relay.port).write(post(request)).half();
      assert.equal(resultOf(await connection.response()), answer);
      assert.ok(await connection.closes());
    }
  });

  test("survive clients that leave before the answer", async () => {
    for (let i = 0; i < 50; i++) {
      const connection = new Connection(relay.port).write(post(i % 2 ? SLOW : CHAIN_ID));
      await new Promise(setImmediate);
      connection.socket.resetAndDestroy();
    }
    // until the answers have come that nobody waits for
    await sleep(600);
    assert.equal(resultOf(await exchange(relay.port, post(CHAIN_ID))), CHAIN);
  });

  test("go on as HTTP/1.1 when a client offers another protocol", async () => {
    const headers = {
      Connection: "Upgrade, HTTP2-Settings",
      Upgrade: "h2c",
      "HTTP2-Settings": "AAMAAABkAAQCAAAAAAIAAAAA",
    };
    const connection = new Connection(relay.port);

    for (const text of [post(CHAIN_ID, { headers }), post(CHAIN_ID)]) {
      const response = await connection.write(text).response();
      assert.equal(response.status, 200);
      assert.equal(resultOf(response), CHAIN);
    }
    connection.destroy();
  });
});

describe("bodies", () => {
  const chunked = (parts, trailer = "") =>
    post("", { headers: { "Content-Length": undefined, "Transfer-Encoding": "chunked" } }) +
    parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("") +
    `0\r\n${trailer}\r\n`;
  const text = JSON.stringify(CHAIN_ID);

  test("may come in chunks, with extensions and trailers", async () => {
    for (const request of [
      chunked([text]),
      chunked([...text]),
      chunked([text], "X-Trailer: 1\r\n"),
      chunked([text]).replace("\r\n{", ";a=b\r\n{"),
    ])
      assert.equal(resultOf(await exchange(relay.port, request)), CHAIN);
  });

  test("in chunks are bounded like others", async () => {
    const response = await exchange(strict.port, chunked(Array(30).fill("x".repeat(100))));

    assert.equal(response.status, 413);
  });

  test("are asked for when the client expects to be", async () => {
    const [head, body] = post(CHAIN_ID, { headers: { Expect: "100-continue" } }).split("\r\n\r\n");
    const connection = new Connection(relay.port).write(`${head}\r\n\r\n`);

    assert.equal((await connection.response()).status, 100);
    connection.write(body);
    assert.equal(resultOf(await connection.response()), CHAIN);
    connection.destroy();
  });

  test("that will be too large are refused before they are sent", async () => {
    const headers = { Expect: "100-continue" };
    const [head] = post("x".repeat(2001), { headers }).split("\r\n\r\n");
    const response = await exchange(strict.port, `${head}\r\n\r\n`);

    assert.equal(response.status, 413);
  });

  test("of two lengths are refused: what one proxy takes for a body, another may not", async () => {
    const bad = [
      post(text, { headers: { "Transfer-Encoding": "chunked" } }),
      post(text).replace("\r\n\r\n", `\r\nContent-Length: ${text.length + 1}\r\n\r\n`),
      post(text, { headers: { "Content-Length": "-1" } }),
      post(text, { headers: { "Content-Length": "1e2" } }),
      post(text, { headers: { "Content-Length": "99999999999999999999999" } }),
    ];
    for (const request of bad) {
      const response = await exchange(relay.port, request);
      assert.equal(response.status, 400, request);
      assert.equal(response.headers.connection, "close");
    }
  });
});

describe("what is no HTTP", () => {
  const bad = {
    "a line of something": "hello\r\n\r\n",
    TLS: Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
    "no target": "GET HTTP/1.1\r\n\r\n",
    "a method that there is not": get("/", "BREW"),
    "a header without a colon": get("/live", "GET", "Nonsense\r\n"),
    "a blank before a colon": get("/live", "GET", "Transfer-Encoding : chunked\r\n"),
    "a header folded over lines": get("/live", "GET", "A: b\r\n c\r\n"),
    "no Host": "GET /live HTTP/1.1\r\n\r\n",
    "a NUL in a header": get("/live", "GET", "A: b\0c\r\n"),
  };

  for (const [what, bytes] of Object.entries(bad)) {
    test(`is refused with 400 and the connection closed: ${what}`, async () => {
      const connection = new Connection(relay.port).write(bytes);
      const response = await connection.response();

      assert.equal(response?.status, 400, what);
      assert.ok(await connection.closes());
      connection.destroy();
    });
  }

  test("headers and targets that are too long are refused as such", async () => {
    const long = (name) => `${name}: ${"v".repeat(1000)}\r\n`;

    assert.equal((await exchange(relay.port, get(`/${"a".repeat(2100)}`))).status, 414);
    assert.equal(
      (await exchange(relay.port, get("/live", "GET", `A: ${"v".repeat(17000)}\r\n`))).status,
      431,
    );
    const many = Array.from({ length: 20 }, (_, i) => long(`X-${i}`)).join("");
    assert.equal((await exchange(relay.port, get("/live", "GET", many))).status, 431);
  });
});

describe("time limits", { concurrency: 1 }, () => {
  test("half a header is refused with 408 when its time is up", async () => {
    const started = Date.now();
    const connection = new Connection(strict.port).write("POST / HTTP/1.1\r\nHost: ");
    const response = await connection.response();

    assert.equal(response.status, 408);
    assert.ok(Date.now() - started >= 350, "not before its time");
    assert.ok(await connection.closes());
  });

  test("a trickle does not buy time", async () => {
    const started = Date.now();
    const connection = new Connection(strict.port);
    const trickle = setInterval(() => connection.write("X"), 50);
    connection.write("POST / HTTP/1.1\r\nX-Slow: ");
    const response = await connection.response();
    clearInterval(trickle);
    connection.destroy();

    assert.equal(response.status, 408);
    assert.ok(Date.now() - started < 2000);
  });

  test("a body that does not come is not waited for", async () => {
    const connection = new Connection(strict.port).write(post(CHAIN_ID).slice(0, -5));

    assert.equal((await connection.response()).status, 408);
    connection.destroy();
  });

  test("a connection without a request is closed, with and without one before", async () => {
    const silent = new Connection(strict.port);
    const used = new Connection(strict.port).write(post(CHAIN_ID));

    assert.equal(resultOf(await used.response()), CHAIN);
    assert.ok(await silent.closes(3000));
    assert.ok(await used.closes(3000));
  });

  test("a connection over the most that may be open is refused with 503", async () => {
    // the four are there together for 400 ms only: a slow machine may need another try
    await until("one is refused", async () => {
      await sleep(300);
      const open = Array.from({ length: 4 }, () => new Connection(strict.port).write("P"));
      await sleep(100);
      const response = await exchange(strict.port, "");
      for (const connection of open) connection.destroy();
      return response?.status === 503;
    });
    await sleep(200);
    assert.equal(resultOf(await exchange(strict.port, post(CHAIN_ID))), CHAIN);
  });
});

