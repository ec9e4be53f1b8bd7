// SPDX-License-Identifier: Apache-2.0
// The units as files: what systemd makes of them, how much they leave to a relay that was taken
// over, and that they fit the program. tests/container/systemd.test.mjs runs the relay under one.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { root, run, workspace } from "../e2e/support/processes.mjs";

const directory = join(root, "systemd");
const RELAY = "super-relay.service";
const SUPPLICANT = "tee-supplicant@.service";
// systemd's measure goes from 0 to 100, and calls what is below 20 well kept.
const EXPOSURE = { [RELAY]: 14, [SUPPLICANT]: 10 };
const TIMEOUT = { timeout: 60_000 };

const read = (name) => readFileSync(join(directory, name), "utf8");
const sources = join(root, "src/config");
const schema = readdirSync(sources)
  .filter((name) => name.endsWith(".c"))
  .map((name) => readFileSync(join(sources, name), "utf8"))
  .join("\n");
let counter = 0;

/** The unit in a directory of its own, with a program that is on every machine. */
function place(name, text) {
  const path = join(workspace, `units-${counter++}`);
  mkdirSync(path);
  writeFileSync(join(path, name), text.replace(/^ExecStart=\S+/m, "ExecStart=/bin/true"));
  return path;
}

const analyze = (args, env) => run("systemd-analyze", ["--no-pager", ...args], { env });

/** What systemd says of a unit: it ends with 0 whatever it finds, so silence is what counts. */
async function complaints(name, text) {
  const path = place(name, text);
  const instance = name.replace("@.", "@teepriv0.");
  const env = { SYSTEMD_UNIT_PATH: `${path}:`, SYSTEMD_LOG_COLOR: "0" };
  const { status, stderr } = await analyze(["verify", "--man=no", join(path, instance)], env);
  return status === 0 ? stderr : `${stderr}status ${status}`;
}

const security = (name, text) => {
  const path = join(place(name, text), name);
  const options = ["--offline=true", `--threshold=${EXPOSURE[name]}`];
  return analyze(["security", ...options, path]);
};

/** The values of a key, in order. */
const values = (text, key) =>
  [...text.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value]) => value);

/** The greatest value that the configuration takes for a key. */
function greatest(key) {
  const entry = new RegExp(`"${key}", CONFIG_\\w+.*?\\.max = (\\d+)`, "s").exec(schema);
  assert.ok(entry, `${key} is in the schema`);
  return Number(entry[1]);
}

describe("systemd", TIMEOUT, () => {
  for (const name of [RELAY, SUPPLICANT]) {
    test(`${name} is understood to the last word`, async () => {
      assert.equal(await complaints(name, read(name)), "");
    });

    test(`${name} leaves little to whoever takes the program over`, async () => {
      const { status, stdout, stderr } = await security(name, read(name));
      const findings = stdout.split("\n").filter((line) => line.startsWith("✗"));
      assert.equal(status, 0, [...findings, stderr].join("\n"));
    });
  }

  const mistakes = {
    "a key that does not exist": ["ProtectHome=yes", "ProtectHomes=yes"],
    "a value that does not exist": ["ProtectSystem=strict", "ProtectSystem=stricter"],
    "a system call that does not exist": ["@system-service", "@system-services"],
    "a key in the wrong section": ["[Install]", "Restart=always\n\n[Install]\nRestart=always"],
    "no program": ["ExecStart=", "ExecStartPre="],
  };
  for (const [what, [from, to]] of Object.entries(mistakes))
    test(`complains about ${what}, so that its silence means something`, async () => {
      const text = read(RELAY);
      assert.ok(text.includes(from));
      assert.notEqual(await complaints(RELAY, text.replace(from, to)), "");
    });

  for (const key of ["SystemCallFilter", "CapabilityBoundingSet", "ProtectSystem", "User"])
    test(`finds the relay exposed without ${key}`, async () => {
      const without = read(RELAY).replace(new RegExp(`^${key}=.*\n`, "gm"), "");
      assert.notEqual((await security(RELAY, without)).status, 0);
    });
});

describe("the relay's unit", () => {
  const text = read(RELAY);

  test("starts what meson installs, with the configuration that packages install", () => {
    assert.deepEqual(values(text, "ExecStart"), [
      "/usr/bin/super-relay node --config /etc/super-relay/config.toml",
    ]);
    assert.deepEqual(values(text, "EnvironmentFile"), ["-/etc/super-relay/environment"]);
  });

  test("waits for tee-supplicant by both its names, and requires neither", () => {
    for (const key of ["Wants", "After"])
      for (const name of ["tee-supplicant.service", "tee-supplicant@teepriv0.service"])
        assert.ok(values(text, key).join(" ").split(" ").includes(name), `${key}=${name}`);
    for (const key of ["Requires", "BindsTo", "Requisite"])
      assert.doesNotMatch(values(text, key).join(" "), /tee-supplicant/);
  });

  test("gives the relay the client's device alone", () => {
    assert.deepEqual(values(text, "DeviceAllow"), ["/dev/tee0 rw"]);
    assert.deepEqual(values(text, "BindPaths"), ["-/dev/tee0"]);
    assert.deepEqual(values(text, "PrivateDevices"), ["yes"]);
    assert.doesNotMatch(text.replace(/^#.*/gm, ""), /\/dev\/teepriv/);
  });

  test("keeps the state where the shipped configuration writes it", () => {
    const [state] = values(text, "StateDirectory");
    for (const name of ["optee-config.toml", "imx93-config.toml"]) {
      const config = readFileSync(join(root, "config", name), "utf8");
      assert.match(config, new RegExp(`^audit_log = "/var/lib/${state}/`, "m"), name);
    }
    assert.deepEqual(values(text, "RequiresMountsFor"), [`/var/lib/${state}`]);
  });

  test("lets requests in progress end, however long the configuration gives them", () => {
    const node = readFileSync(join(root, "src/cli/node.c"), "utf8");
    const grace = Number(/#define STOP_GRACE_S (\d+)/.exec(node)[1]);
    const [seconds] = values(text, "TimeoutStopSec").map(Number);
    assert.ok(seconds > greatest("shutdown_timeout_ms") / 1000 + grace);
  });

  test("lets it have the connections that the configuration allows", () => {
    assert.ok(values(text, "LimitNOFILE").map(Number)[0] >= greatest("max_connections"));
  });

  test("starts it again after a crash, and not for ever", () => {
    assert.deepEqual(values(text, "Restart"), ["on-failure"]);
    const [burst] = values(text, "StartLimitBurst").map(Number);
    const [interval] = values(text, "StartLimitIntervalSec").map(Number);
    const [pause] = values(text, "RestartSec").map(Number);
    assert.ok(burst * pause < interval, "the limit is reached within its interval");
  });

  test("does not wait for a message that the relay never sends", () => {
    assert.deepEqual(values(text, "Type"), ["exec"]);
    assert.deepEqual(values(text, "WatchdogSec"), []);
  });
});

describe("users and devices", TIMEOUT, () => {
  /** What systemd-sysusers makes of a description: the lines of passwd and group. */
  async function users(name) {
    const machine = join(workspace, `machine-${counter++}`);
    mkdirSync(join(machine, "etc"), { recursive: true });
    const args = [`--root=${machine}`, join(directory, name)];
    const { status, stderr } = await run("systemd-sysusers", args);
    assert.equal(status, 0, stderr);
    const lines = (file) => readFileSync(join(machine, "etc", file), "utf8").trim().split("\n");
    return { passwd: lines("passwd"), group: lines("group") };
  }

  test("the relay's user has no shell, and is in the group of the client's device", async () => {
    const { passwd, group } = await users("super-relay.sysusers");
    const entry = /^super-relay:x:\d+:\d+:SuperRelay:\/var\/lib\/super-relay:.*nologin$/m;
    assert.match(passwd.join("\n"), entry);
    assert.match(group.join("\n"), /^tee:x:\d+:super-relay$/m);
  });

  test("the supplicant's user is in the group of its own device alone", async () => {
    const { group } = await users("tee-supplicant.sysusers");
    assert.match(group.join("\n"), /^teepriv:x:\d+:teesuppl$/m);
    assert.doesNotMatch(group.join("\n"), /^tee:/m);
    assert.deepEqual(values(read(SUPPLICANT), "User"), ["teesuppl"]);
    assert.deepEqual(values(read(SUPPLICANT), "SupplementaryGroups"), ["teepriv"]);
  });

  test("the rules are rules, and keep the relay's group away from the supplicant's device", () => {
    const rules = read("tee-supplicant.rules").replace(/\\\n\s*/g, "").split("\n");
    const lines = rules.filter((line) => line && !line.startsWith("#"));
    assert.equal(lines.length, 4);
    for (const line of lines)
      for (const part of line.split(/, */))
        assert.match(part, /^[A-Z]+(\{[A-Z_]+\})?(==|=|\+=)"[^"]*"$/, line);
    const [client, supplicant] = lines;
    assert.match(client, /KERNEL=="tee\[0-9\]\*", GROUP="tee", MODE="0660"/);
    assert.match(supplicant, /KERNEL=="teepriv\[0-9\]\*", GROUP="teepriv", MODE="0660"/);
    assert.match(supplicant, /SYSTEMD_WANTS\}\+="tee-supplicant@%k\.service"/);
  });
});

describe("meson", TIMEOUT, () => {
  const DIRECTORIES = ["systemd_unit_dir", "sysusers_dir", "udev_rules_dir"];
  /** What would be installed, or why not. */
  async function installed(options) {
    const build = join(workspace, `meson-${counter++}`);
    const env = { PKG_CONFIG_PATH: join(root, "build/deps/lib/pkgconfig") };
    const setup = await run("meson", ["setup", "-Dtests=false", ...options, build, root], { env });
    if (setup.status !== 0) return { error: setup.stdout + setup.stderr };
    const { stdout } = await run("meson", ["introspect", "--installed", build]);
    return { files: Object.values(JSON.parse(stdout)).sort() };
  }

  test("installs units, users and rules where it is told to, and none unasked", async () => {
    assert.deepEqual((await installed([])).files, ["/usr/local/bin/super-relay"]);
    const options = DIRECTORIES.map((name) => `-D${name}=/usr/lib/${name}`);
    const { files, error } = await installed(["--prefix=/usr", ...options]);
    assert.deepEqual(files, [
      "/usr/bin/super-relay",
      "/usr/lib/systemd_unit_dir/super-relay.service",
      "/usr/lib/systemd_unit_dir/tee-supplicant@.service",
      "/usr/lib/sysusers_dir/super-relay.conf",
      "/usr/lib/sysusers_dir/tee-supplicant.conf",
      "/usr/lib/udev_rules_dir/70-tee-supplicant.rules",
    ], error);
  });

  test("refuses a prefix that the unit does not name", async () => {
    const { error } = await installed(["--prefix=/opt", "-Dsystemd_unit_dir=/usr/lib/systemd"]);
    assert.match(error, /super-relay\.service starts \/usr\/bin\/super-relay/);
  });
});
