// SPDX-License-Identifier: Apache-2.0
// What is in the images, and what they say of themselves.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { root } from "../e2e/support/processes.mjs";
import { HARDENED, inImage, inspect, podman } from "./support/containers.mjs";

const BASE = "debian:trixie-slim";
const MEGABYTE = 1_000_000;
// The processor's port to a secure world in the image is emulated: QEMU is most of it.
const IMAGES = {
  "super-relay": { ports: [3000, 9000], uid: 10001, adds: 25 },
  "super-relay-optee": { ports: [3000, 8545, 9000], uid: 10001, adds: 220 },
  "super-relay-anvil": { ports: [8545], uid: 10002, adds: 75 },
};
const BUILD_TOOLS = "gcc cc clang clang-19 ld as make meson ninja pkg-config npm node git python3";

// Whoever looks for something must be able to look everywhere.
const AS_ROOT = ["--user=0:0", "--cap-add=DAC_READ_SEARCH"];

const base = await inspect(BASE, "image");
const images = {};
for (const name of Object.keys(IMAGES)) images[name] = await inspect(name, "image");

for (const [name, { ports, uid, adds }] of Object.entries(IMAGES)) {
  describe(`the image ${name}`, { timeout: 60_000 }, () => {
    const image = images[name];

    test("runs as a user that is not root, named by number", async () => {
      assert.equal(image.Config.User, `${uid}:${uid}`);
      assert.equal(await inImage(name, "id -u"), String(uid));
    });

    test("declares its ports, one volume and a health check", () => {
      const declared = Object.keys(image.Config.ExposedPorts).sort();
      assert.deepEqual(declared, ports.map((port) => `${port}/tcp`));
      assert.equal(Object.keys(image.Config.Volumes).length, 1);
      assert.match(image.Healthcheck.Test.join(" "), /curl/);
    });

    test("says what it is and under which licence", () => {
      const { Labels } = image.Config;
      for (const key of ["title", "description", "licenses", "base.name"])
        assert.ok(Labels[`org.opencontainers.image.${key}`], key);
      assert.equal(Labels["org.opencontainers.image.base.name"], BASE);
    });

    test("holds no compiler and no build tool", async () => {
      const script = `for tool in ${BUILD_TOOLS}; do command -v $tool; done; true`;
      assert.equal(await inImage(name, script), "");
    });

    test("holds no program that raises privileges", async () => {
      const script = "find / -xdev -type f -perm /6000 2>/dev/null; true";
      assert.equal(await inImage(name, script, { options: AS_ROOT }), "");
    });

    test("offers its user nothing to write but the volume and /tmp", async () => {
      const script = "find / -xdev -writable ! -type l ! -path '/proc/*' ! -path '/dev/*'";
      const [volume] = Object.keys(image.Config.Volumes);
      const found = (await inImage(name, `${script} 2>/dev/null; true`)).split("\n");
      assert.deepEqual(found.filter((path) => path && path !== volume && path !== "/tmp"), []);
    });

    test(`adds at most ${adds} MB to its base`, () => {
      const added = (image.Size - base.Size) / MEGABYTE;
      assert.ok(added < adds, `${added} MB`);
    });
  });
}

describe("the image super-relay-optee", () => {
  test("does not hold the key that Trusted Applications are signed with", async () => {
    const pem = readFileSync(join(root, "build/optee/keys/ta-signing.pem"), "utf8");
    const [, line] = pem.split("\n");
    const search = "grep -rlFf - /opt /etc /var /usr/share /home /root; true";
    const options = { input: `${line}\n`, options: AS_ROOT };
    assert.equal(await inImage("super-relay-optee", search, options), "");
  });

  test("does not start a machine without a configuration, and says so", async () => {
    const options = [...HARDENED, "--env=SR_CONFIG=/nowhere.toml"];
    const { status, stderr } = await podman(["run", "--rm", ...options, "super-relay-optee"]);
    assert.equal(status, 1);
    assert.match(stderr, /SR_CONFIG: cannot read '\/nowhere\.toml'/);
  });
});
