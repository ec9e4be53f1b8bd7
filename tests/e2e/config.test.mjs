// SPDX-License-Identifier: Apache-2.0
// `super-relay config check`: good files are good, and bad ones are told by line and key.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { root, workspace } from "./support/processes.mjs";
import { cli, cliJson, writeConfig } from "./support/relay.mjs";

const TIMEOUT = { timeout: 60_000 };
const PAYMASTER = "0x00000000000000000000000000000000000000a1";
let counter = 0;

function file(text) {
  const path = join(workspace, `check-${counter++}.toml`);
  writeFileSync(path, text);
  return path;
}

const check = (path, env) => cli(["config", "check", path], { env });

describe("config check", TIMEOUT, () => {
  const shipped = {
    "dev.toml": {},
    "optee-config.toml": { SR_PAYMASTER: PAYMASTER, ETH_NODE_URL: "https://node.example" },
    "imx93-config.toml": { SR_PAYMASTER: PAYMASTER, ETH_NODE_URL: "https://node.example" },
  };

  for (const [name, env] of Object.entries(shipped)) {
    test(`finds ${name} good`, async () => {
      const { status, stdout, stderr } = await check(join(root, "config", name), env);

      assert.equal(status, 0, stderr);
      assert.match(stdout, /valid/);
    });
  }

  test("finds the files of these tests good, and an empty one", async () => {
    assert.equal((await check(writeConfig())).status, 0);
    assert.equal((await check(file(""))).status, 0);
  });

  test("lists keys without effect as notes", async () => {
    const path = file("[optee_kms.hardware]\nuse_ele_crypto = true\n");
    const answer = await cliJson(["config", "check", path]);

    assert.equal(answer.valid, true);
    assert.equal(answer.file, path);
    assert.match(answer.notes.join("\n"), /use_ele_crypto/);
  });

  test("expands variables, with defaults and without", async () => {
    const path = file('[node]\nhttp_api = "127.0.0.1:${SR_TEST_PORT:-3000}"\n');

    assert.equal((await check(path)).status, 0);
    assert.equal((await check(path, { SR_TEST_PORT: "4000" })).status, 0);
    const wrong = await check(path, { SR_TEST_PORT: "seventy" });
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /http_api/);
  });

  test("a variable cannot bring keys along", async () => {
    const path = file('[node]\nnetwork = "${SR_TEST_NETWORK}"\n');
    const { status } = await check(path, { SR_TEST_NETWORK: 'dev"\nchain_id = "x' });

    assert.equal(status, 1);
  });

  /** What is wrong with a file, and what must be said about it. */
  const bad = {
    "no TOML": ["[node\n", /line 1, column 6/],
    "a key twice": ['[node]\nnetwork = "a"\nnetwork = "b"\n', /network/],
    "an unknown key": ['[node]\nbundler_urll = "http://a"\n', /bundler_urll.*bundler_url/],
    "an unknown section": ["[nodes]\na = 1\n", /nodes.*node/],
    "a text for a number": ['[rpc]\nmax_batch = "10"\n', /max_batch.*(integer|number)/],
    "a number for a text": ["[node]\nnetwork = 1\n", /network.*string/],
    "too small a number": ["[rpc]\nmax_body_bytes = 1\n", /max_body_bytes.*1024/],
    "too large a number": ["[rpc]\nmax_body_bytes = 99999999\n", /max_body_bytes.*16777216/],
    "a negative number": ["[rpc]\nmax_batch = -1\n", /max_batch/],
    "no port": ['[node]\nhttp_api = "127.0.0.1"\n', /http_api/],
    "a port too high": ['[node]\nhttp_api = "127.0.0.1:70000"\n', /http_api/],
    "no URL": ['[node]\nnode_http = "node.example"\n', /node_http.*http/],
    "no address": ['[paymaster_relay]\npaymaster = "0x12"\n', /paymaster/],
    "a wrong checksum": [
      '[paymaster_relay]\npaymaster = "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed"\n',
      /paymaster.*checksum/i,
    ],
    "a backend that there is not": [
      '[paymaster_relay]\nkms_backend = "sgx"\n',
      /kms_backend.*optee/,
    ],
    "a method that may not pass": [
      '[node]\nnode_methods = ["eth_sendRawTransaction"]\n',
      /eth_sendRawTransaction/,
    ],
    "no key id": ['[optee_kms.keys]\nprimary_paymaster = "a b"\n', /primary_paymaster/],
    "no UUID": ['[optee_kms]\nta_uuid = "1234"\n', /ta_uuid/],
    "an unset variable": ['[node]\nnetwork = "${SR_TEST_NOT_SET}"\n', /SR_TEST_NOT_SET/],
    "two services on one port": [
      '[node]\nhttp_api = "127.0.0.1:3000"\n[api]\nlisten = "127.0.0.1:3000"\n',
      /port 3000/,
    ],
    "the simulator on mainnet": ['[node]\nnetwork = "mainnet"\n', /simulator/],
    "a chain id that is not the network's": [
      '[node]\nnetwork = "sepolia"\nchain_id = 5\n',
      /11155111.*5/,
    ],
    "two chain ids": ["[node]\nchain_id = 5\n[paymaster_relay]\nchain_id = 6\n", /5.*6/],
    "a relay without a paymaster": ["[paymaster_relay]\nenabled = true\n", /paymaster/],
    "a minimum over the maximum": ["[optee_kms.performance]\nmin_batch = 20\n", /min_batch.*16/],
  };

  for (const [what, [text, pattern]] of Object.entries(bad)) {
    test(`refuses ${what}`, async () => {
      const path = file(text);
      const { status, stdout, stderr } = await check(path);

      assert.equal(status, 1, stdout);
      assert.equal(stdout, "");
      assert.match(stderr, pattern);
      const json = await cli(["config", "check", path, "--json"]);
      assert.equal(json.status, 1);
      assert.match(JSON.parse(json.stderr).error.message, pattern);
    });
  }

  test("names the file and the line", async () => {
    const path = file("# one\n# two\n[rpc]\nmax_batch = 0\n");

    const { stderr } = await check(path);

    assert.ok(stderr.includes(`${path}: line 4`), stderr);
  });

  test("refuses a file that is not there, is a directory or far too large", async () => {
    for (const path of [join(workspace, "nowhere.toml"), workspace, "/dev/zero"]) {
      const { status, stderr } = await check(path);
      assert.equal(status, 1, path);
      assert.ok(stderr.includes(path), stderr);
    }
  });
});
