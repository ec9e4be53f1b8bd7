// SPDX-License-Identifier: Apache-2.0
// What the configuration asks for and the machine cannot give is said at start, one line a
// statement, and `config check` says the same. The machine is read from a directory of the
// test's own, so that every machine is at hand.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";

import { root, workspace } from "./support/processes.mjs";
import { cli, cliJson, KEY_ID, makeKey, startRelay, writeConfig } from "./support/relay.mjs";

const TIMEOUT = { timeout: 60_000 };
const PAYMASTER = "0x00000000000000000000000000000000000000a1";

/** A /sys of these files; the environment that names it. */
function machine(name, files) {
  const sys = join(workspace, `sys-${name}`);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(sys, path)), { recursive: true });
    writeFileSync(join(sys, path), text);
  }
  mkdirSync(sys, { recursive: true });
  return { SUPER_RELAY_SYS: sys };
}

const TREE = "firmware/devicetree/base";
const imx93 = machine("imx93", {
  [`${TREE}/compatible`]: "fsl,imx93-11x11-evk\0fsl,imx93\0",
  [`${TREE}/model`]: "NXP i.MX93 11X11 EVK board\0",
});
const emulated = machine("virt", { [`${TREE}/compatible`]: "linux,dummy-virt\0" });

const ASKS_FOR_ALL = {
  optee_kms: { device_path: "/dev/teepriv0" },
  "optee_kms.hardware": {
    use_ele_crypto: true,
    use_hardware_rng: false,
    use_secure_storage: false,
  },
};

/** The messages that the configuration's part of the log has, with their level. */
const textNotes = (output) =>
  [...output.matchAll(/^\S+Z (\w+)\s+config: (.*)$/gm)].map(([, level, text]) => [level, text]);
const jsonNotes = (output) =>
  output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line))
    .filter(({ component }) => component === "config")
    .map(({ level, message }) => [level, message]);

async function started(sections, { env = emulated, args = [] } = {}) {
  const { store } = await makeKey();
  const config = writeConfig({ simulator: { store }, ...sections });
  const relay = await startRelay(config, { env, args: ["--paymaster-relay", ...args] });
  const output = relay.output();
  await relay.stop();
  return { output, config };
}

describe("a relay that is asked for what the machine has not", TIMEOUT, () => {
  const expected = [
    /^\[optee_kms.hardware\] use_ele_crypto: cannot be had: EdgeLock Enclave has no secp256k1/,
    /^\[optee_kms.hardware\] use_hardware_rng: the TEE's generator cannot be turned off/,
    /^\[optee_kms.hardware\] use_secure_storage: cannot be turned off/,
    /^\[optee_kms\] device_path: \/dev\/teepriv0 belongs to tee-supplicant; .*\/dev\/tee0 is used/,
    /^\[optee_kms.hardware\] use_ele_crypto: this machine \(linux,dummy-virt\) is no i.MX 93/,
  ];

  for (const [format, args, read] of [
    ["text", [], textNotes],
    ["JSON", ["--json"], jsonNotes],
  ]) {
    test(`says so at start, one warning a statement, in ${format}`, async () => {
      const { output, config } = await started(ASKS_FOR_ALL, { args });
      const notes = read(output);

      for (const pattern of expected) {
        const found = notes.filter(([, text]) => pattern.test(text));
        assert.equal(found.length, 1, `${pattern} in\n${output}`);
        assert.equal(found[0][0], "warn");
      }
      const checked = await cliJson(["config", "check", config], { env: emulated });
      assert.deepEqual(
        checked.notes,
        notes.map(([, text]) => text),
      );
    });
  }

  test("starts all the same, and signs: nothing less is given than was asked for", async () => {
    const { output } = await started(ASKS_FOR_ALL);

    assert.match(output, new RegExp(`paymaster key '${KEY_ID}', address 0x`));
    assert.match(output, /JSON-RPC on/);
  });
});

describe("a relay that is asked for nothing of the kind", TIMEOUT, () => {
  test("has nothing to say, whatever the machine", async () => {
    const config = writeConfig();

    for (const env of [emulated, machine("nothing", {})])
      assert.deepEqual((await cliJson(["config", "check", config], { env })).notes, []);
  });

  test("says what protects the storage, and what keys are made of", async () => {
    const { output } = await started({});

    assert.match(output, /keys lie in the TEE's secure storage; its protection against rollback: /);
    assert.match(output, /entropy for keys: /);
  });
});

describe("on an i.MX 93", TIMEOUT, () => {
  const notesOf = async (sections) => {
    const config = writeConfig(sections);
    return (await cliJson(["config", "check", config], { env: imx93 })).notes.join("\n");
  };

  test("tells what the EdgeLock Enclave is for", async () => {
    const notes = await notesOf({ "optee_kms.hardware": { use_ele_crypto: true } });

    assert.match(
      notes,
      /the EdgeLock Enclave of this board \(NXP i\.MX93 11X11 EVK board\) .* signs nothing/,
    );
  });

  test("tells of a TEE that is not used, and of RPMB that is not demanded", async () => {
    assert.match(
      await notesOf({ paymaster_relay: { kms_backend: "simulator" } }),
      /kms_backend: this board .* has a TEE/,
    );
    const rpmb = { require_rollback_protection: 0 };
    assert.match(
      await notesOf({ paymaster_relay: { kms_backend: "optee" }, "optee_kms.security": rpmb }),
      /require_rollback_protection: this board .* has RPMB/,
    );
  });

  test("is known by the SoC's driver, where the device tree is hidden", async () => {
    const env = machine("container", { "devices/soc0/soc_id": "i.MX93\n" });
    const config = writeConfig({ "optee_kms.hardware": { use_ele_crypto: true } });
    const { notes } = await cliJson(["config", "check", config], { env });

    assert.match(notes.join("\n"), /of this board \(i\.MX93\)/);
  });
});

describe("a relay with OP-TEE on a machine without", TIMEOUT, () => {
  test("says first what it has to say, and then what is missing, and ends", async (t) => {
    const config = writeConfig({ paymaster_relay: { kms_backend: "optee" }, ...ASKS_FOR_ALL });
    const answer = await cli(["node", "--config", config, "--paymaster-relay"], { env: emulated });

    if (/paymaster key/.test(answer.stderr)) return t.diagnostic("this machine has OP-TEE");
    assert.equal(answer.status, 1);
    const at = (pattern) => answer.stderr.search(pattern);
    const missing = /OP-TEE's client library|no TEE|no session/;
    assert.ok(at(/use_ele_crypto: cannot be had/) >= 0, answer.stderr);
    assert.ok(at(missing) > at(/use_ele_crypto/), answer.stderr);
  });
});

describe("config/imx93-config.toml", TIMEOUT, () => {
  const path = join(root, "config/imx93-config.toml");
  const variables = { SR_PAYMASTER: PAYMASTER, ETH_NODE_URL: "https://node.example" };

  /** "section.key" of each key that a TOML file of plain tables gives. */
  function keysOf(text) {
    let section = "";
    const keys = [];
    for (const line of text.split("\n")) {
      section = /^\[(.+)\]$/.exec(line)?.[1] ?? section;
      const key = /^(\w+) = /.exec(line)?.[1];
      if (key) keys.push(`${section}.${key}`);
    }
    return keys;
  }

  /** The same, of the reference page. */
  function documented() {
    const page = readFileSync(join(root, "docs/configuration.md"), "utf8");
    let section = "";
    const keys = [];
    for (const line of page.split("\n")) {
      section = /^## `\[(.+)\]`$/.exec(line)?.[1] ?? section;
      const key = section && /^\| `(\w+)` \|/.exec(line)?.[1];
      if (key) keys.push(`${section}.${key}`);
    }
    return keys;
  }

  test("is good with its variables, and has nothing to warn of on the board", async () => {
    const env = { ...variables, ...imx93 };

    assert.deepEqual((await cliJson(["config", "check", path], { env })).notes, []);
  });

  test("names every key that concerns the TEE, and every one of the deployment plan", () => {
    const given = keysOf(readFileSync(path, "utf8"));
    const plan = [
      "node.http_api",
      "node.network",
      "node.node_http",
      "paymaster_relay.enabled",
      "paymaster_relay.kms_backend",
    ];
    const ofTheTee = documented().filter((key) => key.startsWith("optee_kms."));

    assert.equal(ofTheTee.length, 20);
    assert.deepEqual(
      [...plan, ...ofTheTee].filter((key) => !given.includes(key)),
      [],
    );
  });

  test("has what each of them does on this board in docs/imx93.md", () => {
    const page = readFileSync(join(root, "docs/imx93.md"), "utf8");
    const rows = page.split("\n").filter((line) => line.startsWith("| `"));
    const told = rows.flatMap((row) => [...row.split("|")[1].matchAll(/`(\w+)`/g)]);
    const names = told.map(([, name]) => name);
    const keys = documented().filter((key) => key.startsWith("optee_kms."));

    assert.deepEqual(
      keys.filter((key) => !names.includes(key.split(".").at(-1))),
      [],
    );
  });

  // What the plan's own files hold: their keys, their values.
  const PLAN = `[node]
http_api = "0.0.0.0:3000"
network = "mainnet"
node_http = "\${ETH_NODE_URL}"
[paymaster_relay]
enabled = true
kms_backend = "optee"
paymaster = "\${SR_PAYMASTER}"
[optee_kms]
device_path = "/dev/teepriv0"
ta_uuid = "12345678-5b69-11d4-9fee-00c04f4c3456"
[optee_kms.hardware]
use_ele_crypto = true
use_hardware_rng = true
use_secure_storage = true
[optee_kms.keys]
primary_paymaster = "paymaster-key-prod-001"
[optee_kms.security]
session_timeout = 1800
max_retries = 1
audit_logging = true
tamper_detection = true
[optee_kms.performance]
batch_size = 10
batch_timeout = "50ms"
connection_pool_size = 4
`;

  test("a file of the plan's values is taken, and told what they mean here", async () => {
    const file = join(workspace, "plan.toml");
    writeFileSync(file, PLAN);
    const env = { ...variables, ...imx93 };
    const { notes } = await cliJson(["config", "check", file], { env });

    assert.match(notes[0], /use_ele_crypto: cannot be had/);
    assert.match(notes[1], /device_path: \/dev\/teepriv0 belongs to tee-supplicant/);
    assert.match(notes[2], /use_ele_crypto: the EdgeLock Enclave of this board/);
    assert.match(notes[3], /require_rollback_protection: this board/);
    assert.equal(notes.length, 4);
  });
});
