// SPDX-License-Identifier: Apache-2.0
// JSON-RPC 2.0: every kind of request, id, batch and error, always with HTTP status 200.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { startLoneRelay } from "./support/relay.mjs";
import { exchange, post } from "./support/socket.mjs";

const relay = await startLoneRelay({ rpc: { max_batch: 5, max_depth: 8, max_body_bytes: 200000 } });

/** Sends a body as it is: the response's text, and its status checked. */
async function send(body, status = 200) {
  const response = await exchange(relay.port, post(body));
  assert.equal(response.status, status, response.body);
  return response.body;
}

const ask = async (body) => JSON.parse(await send(body));
const request = (over = {}) => ({ jsonrpc: "2.0", id: 1, method: "eth_chainId", ...over });
const CHAIN = "0x7a69";

describe("a single request", () => {
  test("is answered with version, id and result, and nothing else", async () => {
    assert.deepEqual(await ask(request()), { jsonrpc: "2.0", id: 1, result: CHAIN });
  });

  test("may have empty params or none", async () => {
    assert.equal((await ask(request({ params: [] }))).result, CHAIN);
    assert.equal((await ask(request({ params: undefined }))).result, CHAIN);
  });

  test("may have members that the specification does not know", async () => {
    assert.equal((await ask(request({ extra: { a: [1] } }))).result, CHAIN);
  });

  test("of the other methods without an upstream is answered too", async () => {
    const entryPoints = ["0x0000000071727De22E5E9d8BAf0edAc6f37da032"];

    for (const method of ["eth_supportedEntryPoints", "pm_supportedEntryPoints"])
      assert.deepEqual((await ask(request({ method }))).result, entryPoints);
    assert.equal((await ask(request({ method: "pm_chainId" }))).result, CHAIN);
  });
});

describe("an id", () => {
  const ids = [
    "1",
    "0",
    "-1",
    "1.5",
    "1e3",
    "9007199254740993",
    "18446744073709551616",
    "-0.000000000000000000000000001",
    '""',
    '"a\\"b\\\\c\\né\\u20ac"',
    '"9007199254740993"',
    "null",
  ];

  for (const id of ids) {
    test(`comes back as it was sent: ${id}`, async () => {
      const text = await send(`{"jsonrpc":"2.0","id":${id},"method":"eth_chainId"}`);
      const [, echoed] = /"id":(.*),"result"/.exec(text);

      // numbers digit by digit; strings may be escaped in another way
      if (id.startsWith('"')) assert.equal(JSON.parse(echoed), JSON.parse(id));
      else assert.equal(echoed, id);
    });
  }

  for (const id of ["true", "{}", "[1]"]) {
    test(`of a wrong kind is refused and answered with null: ${id}`, async () => {
      const answer = await ask(`{"jsonrpc":"2.0","id":${id},"method":"eth_chainId"}`);

      assert.equal(answer.id, null);
      assert.equal(answer.error.code, -32600);
      assert.match(answer.error.message, /id/);
    });
  }

  test("stands in errors, too", async () => {
    const text = await send('{"jsonrpc":"2.0","id":9007199254740993,"method":"nope"}');

    assert.match(text, /"id":9007199254740993,/);
  });
});

describe("a notification", () => {
  test("is not answered: 204 and no body", async () => {
    assert.equal(await send(request({ id: undefined }), 204), "");
  });

  test("is not answered even if it fails", async () => {
    assert.equal(await send(request({ id: undefined, method: "nope" }), 204), "");
    assert.equal(await send(request({ id: undefined, params: [1] }), 204), "");
  });
});

describe("what is no request", () => {
  const unparsable = {
    "an empty body": "",
    "blanks alone": "  \r\n",
    "half a request": '{"jsonrpc":"2.0","id":1,',
    "a word": "hello",
    "a request and more": `${JSON.stringify(request())}x`,
    "two requests": `${JSON.stringify(request())}${JSON.stringify(request())}`,
    "single quotes": "{'jsonrpc':'2.0'}",
    "a comma too much": '{"jsonrpc":"2.0","id":1,"method":"eth_chainId",}',
    "a bare NaN": '{"jsonrpc":"2.0","id":NaN,"method":"eth_chainId"}',
    "a control character in a string": '{"jsonrpc":"2.0","id":1,"method":"eth\u0001"}',
    "a lone surrogate": '{"jsonrpc":"2.0","id":"\\ud800","method":"eth_chainId"}',
    "half a batch": "[1,2",
  };

  for (const [what, body] of Object.entries(unparsable)) {
    test(`is a parse error with id null: ${what}`, async () => {
      const answer = await ask(body);

      assert.equal(answer.error.code, -32700, answer.error.message);
      assert.equal(answer.id, null);
      assert.equal(answer.jsonrpc, "2.0");
    });
  }

  test("is a parse error with id null: bytes that are not UTF-8", async () => {
    const head = post("x".repeat(45)).slice(0, -45);
    const body = Buffer.from('{"jsonrpc":"2.0","id":"\xff","method":"ab_cdef"}', "latin1");
    assert.equal(body.length, 45);
    const response = await exchange(relay.port, Buffer.concat([Buffer.from(head), body]));

    assert.equal(response.status, 200);
    assert.equal(JSON.parse(response.body).error.code, -32700);
  });

  const invalid = {
    "a number": ["1", /request object/],
    "a string": ['"eth_chainId"', /request object/],
    null: ["null", /request object/],
    "an empty object": ["{}", /jsonrpc/],
    "no version": ['{"id":1,"method":"eth_chainId"}', /jsonrpc/],
    "version 1.0": ['{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}', /jsonrpc/],
    "version as a number": ['{"jsonrpc":2.0,"id":1,"method":"eth_chainId"}', /jsonrpc/],
    "no method": ['{"jsonrpc":"2.0","id":1}', /method/],
    "method as a number": ['{"jsonrpc":"2.0","id":1,"method":1}', /method/],
    "method as null": ['{"jsonrpc":"2.0","id":1,"method":null}', /method/],
    "params as a string": ['{"jsonrpc":"2.0","id":1,"method":"a","params":"b"}', /params/],
    "params as null": ['{"jsonrpc":"2.0","id":1,"method":"a","params":null}', /params/],
  };

  for (const [what, [body, message]] of Object.entries(invalid)) {
    test(`is an invalid request: ${what}`, async () => {
      const answer = await ask(body);

      assert.equal(answer.error.code, -32600);
      assert.match(answer.error.message, message);
      assert.equal(answer.id, body.includes('"id":1') ? 1 : null);
    });
  }
});

describe("a method", () => {
  for (const method of ["nope", "", "ETH_CHAINID", "eth_chainId ", "eth_sendTransaction"]) {
    test(`that there is not is said not to exist: '${method}'`, async () => {
      const answer = await ask(request({ method }));

      assert.equal(answer.error.code, -32601);
      assert.ok(answer.error.message.includes(`'${method}'`), answer.error.message);
    });
  }

  test("with a very long name is cut in the message", async () => {
    const answer = await ask(request({ method: "m".repeat(5000) }));

    assert.equal(answer.error.code, -32601);
    assert.ok(answer.error.message.length < 200);
  });

  test("with a NUL in its name is not the method before the NUL", async () => {
    const answer = await ask(request({ method: "eth_chainId\u0000x" }));

    assert.equal(answer.error?.code, -32601, JSON.stringify(answer));
  });

  test("that needs the bundler is said not to exist without one", async () => {
    const answer = await ask(request({ method: "eth_sendUserOperation" }));

    assert.equal(answer.error.code, -32601);
    assert.match(answer.error.message, /bundler/);
  });

  test("with params by name where they are by position is told so", async () => {
    const answer = await ask(request({ method: "pm_getPaymasterData", params: { userOp: {} } }));

    assert.equal(answer.error.code, -32602);
    assert.match(answer.error.message, /array/);
  });

  const counts = [
    ["eth_chainId", [1]],
    ["eth_supportedEntryPoints", [null]],
    ["pm_getPaymasterStubData", []],
    ["pm_getPaymasterStubData", [{}, "0x"]],
    ["pm_getPaymasterData", [{}, "0x", "0x1", {}, 5]],
    ["pm_sponsorUserOperation", [{}]],
    ["pm_sponsorUserOperation", [{}, "0x", {}, 4]],
  ];

  for (const [method, params] of counts) {
    test(`refuses a wrong number of params: ${method} with ${params.length}`, async () => {
      const answer = await ask(request({ method, params }));

      assert.equal(answer.error.code, -32602);
      assert.match(answer.error.message, /params/);
      assert.ok(answer.error.message.includes(`${params.length} entries`), answer.error.message);
    });
  }
});

describe("a batch", () => {
  test("is answered as an array, each with its id", async () => {
    const answers = await ask([request({ id: 1 }), request({ id: "b" }), request({ id: 3 })]);

    assert.deepEqual(answers.map(({ id }) => id).sort(), [1, 3, "b"]);
    for (const answer of answers) assert.equal(answer.result, CHAIN);
  });

  test("of one is still an array", async () => {
    assert.deepEqual(await ask([request()]), [{ jsonrpc: "2.0", id: 1, result: CHAIN }]);
  });

  test("that is empty is one invalid request, not an array", async () => {
    const answer = await ask([]);

    assert.equal(answer.error.code, -32600);
    assert.equal(answer.id, null);
  });

  test("of things that are no requests is an error each", async () => {
    const answers = await ask([1, "a", null]);

    assert.equal(answers.length, 3);
    for (const answer of answers) {
      assert.equal(answer.error.code, -32600);
      assert.equal(answer.id, null);
    }
  });

  test("of batches is an error each", async () => {
    assert.equal((await ask([[request()]]))[0].error.code, -32600);
  });

  test("of notifications alone has no answer: 204 and no body", async () => {
    const quiet = request({ id: undefined });

    assert.equal(await send([quiet, { ...quiet, method: "nope" }], 204), "");
  });

  test("of all kinds is answered where an answer is due", async () => {
    const answers = await ask([
      request({ id: 1 }),
      request({ id: undefined }),
      7,
      request({ id: 2, method: "nope" }),
      request({ id: 3, method: "pm_getPaymasterData", params: [] }),
    ]);
    const byId = new Map(answers.map((answer) => [answer.id, answer]));

    assert.equal(answers.length, 4);
    assert.equal(byId.get(1).result, CHAIN);
    assert.equal(byId.get(null).error.code, -32600);
    assert.equal(byId.get(2).error.code, -32601);
    assert.equal(byId.get(3).error.code, -32602);
  });

  test("may have as many requests as configured and not one more", async () => {
    assert.equal((await ask(Array(5).fill(request()))).length, 5);
    const answer = await ask(Array(6).fill(request()));
    assert.equal(answer.error.code, -32600);
    assert.match(answer.error.message, /1 to 5 requests, got 6/);
  });
});

describe("limits", () => {
  const nested = (depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
  const deep = (depth) => `{"jsonrpc":"2.0","id":1,"method":"nope","params":${nested(depth)}}`;

  test("a body may nest as deep as configured and not deeper", async () => {
    assert.equal((await ask(deep(7))).error.code, -32601);
    const answer = await ask(deep(8));
    assert.equal(answer.error.code, -32600);
    assert.match(answer.error.message, /deeper than 8/);
  });

  test("brackets within strings do not count as nesting", async () => {
    assert.equal((await ask(request({ method: '[[[[[[[[[[[{"{{{{{{{{{{' }))).error.code, -32601);
  });

  test("ten thousand opening brackets do no harm", async () => {
    assert.equal((await ask("[".repeat(10000))).error.code, -32600);
  });

  test("a body may hold many values and not as many as fill the memory", async () => {
    const params = (count) => Array(count).fill(0);
    const zeros = (count) => request({ method: "nope", params: params(count) });

    assert.equal((await ask(zeros(60000))).error.code, -32601);
    const answer = await ask(zeros(70000));
    assert.equal(answer.error.code, -32600);
    assert.match(answer.error.message, /65536/);
  });

  test("a body may be as large as configured and not larger", async () => {
    const fill = (size) => {
      const empty = JSON.stringify(request({ method: "" }));
      return JSON.stringify(request({ method: "m".repeat(size - empty.length) }));
    };

    assert.equal((await ask(fill(200000))).error.code, -32601);
    const response = await exchange(relay.port, post(fill(200001)));
    assert.equal(response.status, 413);
    assert.equal(response.headers.connection, "close");
    assert.equal(JSON.parse(response.body).error.code, -32600);
    assert.match(response.body, /200000 bytes/);
  });

  test("the relay works as before after all this", async () => {
    assert.equal((await ask(request())).result, CHAIN);
  });
});
