// SPDX-License-Identifier: Apache-2.0
// scripts/secure-boot-imx93.sh and a board: what it would do to one is asked of recorders in the
// place of NXP's tools.
import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { flash, newSet } from "./support/ahab.mjs";
import { BOARD, OPTIONS, bench, boot, burntBench, conf, inputs, words } from "./support/bench.mjs";
import { directory, isRefused, lines, succeeded, tools } from "./support/board.mjs";

const typed = (text) => ({ input: `${text}\n` });

describe("all", OPTIONS, () => {
  test("makes the image, burns nothing, closes nothing, and records no secret", async () => {
    const { work, keys, set, run, calls, hash } = await bench();
    const result = await run("all", ["--keys", keys, "--inputs", inputs(), "--optee-conf", conf()],
      { input: `burn ${hash.slice(0, 16)}\nclose ${BOARD}\n`.repeat(9) });
    const said = succeeded(result);

    assert.deepEqual(calls("nxpele"), []);
    assert.equal(calls("ahab export").length, 2);
    assert.equal(calls("bootable-image export").length, 1);
    const records = lines(join(work, "secure-boot.jsonl")).map((line) => JSON.parse(line));
    assert.ok(records.some(({ step, srkHash: value }) => step === "verify" && value === hash));
    const everything = readdirSync(work, { recursive: true })
      .map((name) => join(work, name))
      .filter((name) => statSync(name).isFile())
      .map((name) => readFileSync(name, "latin1"))
      .join("\n") + said + result.stderr;
    for (const key of set) {
      const { d } = key.export({ format: "jwk" });
      const scalar = Buffer.from(d, "base64url");
      for (const form of ["hex", "base64", "latin1"])
        assert.ok(!everything.includes(scalar.toString(form)), form);
    }
    assert.ok(!everything.includes("PRIVATE KEY"));
  });

  test("stops where an input is missing, and says which", async () => {
    const { keys, run } = await bench();
    const without = directory("without");
    const { status, stderr } = await run("all", ["--keys", keys, "--inputs", without]);

    assert.equal(status, 1);
    assert.match(stderr, /no mx93a1-ahab-container\.img/);
  });
});

describe("burning", OPTIONS, () => {
  test("wants the very words, and takes nothing else", async () => {
    const { run, calls, hash } = await bench();

    for (const input of ["", "y\n", "yes\n".repeat(50), "burn\n", "burn 0000000000000000\n"])
      isRefused(await run("burn", [], { input }), "not-confirmed");
    assert.deepEqual(calls("write-fuse"), []);
    succeeded(await run("burn", [], typed(`burn ${hash.slice(0, 16)}`)));
    assert.equal(calls("write-fuse").length, 8);
    // what is there is not burnt again, nor asked for
    succeeded(await run("burn"));
    assert.equal(calls("write-fuse").length, 8);
  });

  test("goes on where it was interrupted", async () => {
    const { fake, run, calls, hash } = await bench();
    for (const i of [0, 1, 2]) writeFileSync(join(fake, `fuse-${128 + i}`), words(hash)[i]);

    succeeded(await run("burn", [], typed(`burn ${hash.slice(0, 16)}`)));
    assert.equal(calls("write-fuse").length, 5);
  });

  test("stops when a word does not read back", async () => {
    const { fake, run, calls, hash } = await bench({ board: { "broken-130": "" } });
    const result = await run("burn", [], typed(`burn ${hash.slice(0, 16)}`));

    assert.equal(result.status, 1);
    assert.match(result.stderr, /fuse 130 reads .* do not close this board/);
    assert.equal(calls("write-fuse").length, 3);
    assert.ok(!existsSync(join(fake, "fuse-131")));
  });

  test("leaves boards alone that hold another hash, are closed, or are another chip", async () => {
    const boards = {
      "fuses-other": { "fuse-129": "00000001" },
      "not-open": { life: "OEM_CLSD" },
      "wrong-chip": { soc: "9500" },
    };
    for (const [name, board] of Object.entries(boards)) {
      const { run, calls, hash } = await bench({ board });
      isRefused(await run("burn", [], typed(`burn ${hash.slice(0, 16)}`)), name);
      assert.deepEqual(calls("write-fuse"), []);
    }
  });

  test("does not begin with an image that does not verify", async () => {
    const { work, run, calls, hash } = await bench();
    writeFileSync(join(work, "flash.bin"), flash(newSet()));

    isRefused(await run("burn", [], typed(`burn ${hash.slice(0, 16)}`)), "srk-hash");
    assert.deepEqual(calls("nxpele"), []);
  });
});

describe("closing", OPTIONS, () => {
  const close = `close ${BOARD}`;

  test("follows the proof of the very image on the very board, and the very words", async () => {
    const { work, fake, set, run, calls } = await burntBench();

    isRefused(await run("close", [], typed(close)), "not-proven");
    succeeded(await run("prove"));
    // another image than the proven one
    writeFileSync(join(work, "flash.bin"), flash(set, { used: 1 }));
    isRefused(await run("close", [], typed(close)), "not-proven");
    writeFileSync(join(work, "flash.bin"), flash(set, {}));
    isRefused(await run("close", [], typed(close)), "not-proven");
    succeeded(await run("prove"));
    for (const input of ["", "yes\n".repeat(50), "close\n", `close ${"0".repeat(32)}\n`])
      isRefused(await run("close", [], { input }), "not-confirmed");
    assert.deepEqual(calls("forward-lifecycle"), []);
    // another board has no proof
    writeFileSync(join(fake, "uid"), "f".repeat(32));
    isRefused(await run("close", [], typed(`close ${"f".repeat(32)}`)), "not-proven");
    writeFileSync(join(fake, "uid"), BOARD);
    succeeded(await run("close", [], typed(close)));
    assert.equal(calls("forward-lifecycle-update --lifecycle oem_closed").length, 1);
    isRefused(await run("close", [], typed(close)), "not-open");
    assert.match(succeeded(await run("status")), /OEM_CLSD/);
  });

  test("is not done with the factory's image", async () => {
    const { keys, run, calls } = await burntBench();
    const factory = conf({ CFG_RPMB_WRITE_KEY: "y" });
    succeeded(await run("config", ["--keys", keys, "--inputs", inputs(), "--optee-conf", factory,
      "--factory"]));
    succeeded(await run("sign", ["--keys", keys, "--factory"]));
    succeeded(await run("prove"));

    isRefused(await run("close", [], typed(close)), "factory-image", /one boot in the factory/);
    assert.deepEqual(calls("forward-lifecycle"), []);
  });

  test("and proof want fuses that are equal, and a boot without events", async () => {
    const blank = await bench();
    const { fake, run, calls } = await burntBench();

    for (const command of ["prove", "close"])
      isRefused(await blank.run(command, [], typed(close)), "fuses-not-equal", /never start again/);
    succeeded(await run("prove"));
    writeFileSync(join(fake, "events"), "2");
    for (const command of ["prove", "close"])
      isRefused(await run(command, [], typed(close)), "events", /2 events/);
    assert.deepEqual(calls("forward-lifecycle"), []);
  });
});

describe("a board that does not answer", OPTIONS, () => {
  test("is told so, and nothing is done to it", async () => {
    const { work, hash, env } = await bench();
    const silent = tools({});
    writeFileSync(join(silent, "nxpele"), "#!/bin/sh\nexit 1\n");
    chmodSync(join(silent, "nxpele"), 0o755);
    const result = await boot(["burn", "--work", work],
      { env: { ...env, PATH: `${silent}:${env.PATH}` }, input: `burn ${hash.slice(0, 16)}\n` });

    assert.equal(result.status, 1);
    assert.match(result.stderr, /got no answer.*U-Boot/s);
  });
});
