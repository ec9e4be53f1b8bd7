// SPDX-License-Identifier: Apache-2.0
// scripts/secure-boot-imx93.sh and a board: what it would do to one is asked of recorders in the
// place of NXP's tools.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";

import { flash, newSet } from "./support/ahab.mjs";
import { BOARD, OPTIONS, bench, boot, burntBench, conf, inputs, words } from "./support/bench.mjs";
import { directory, isRefused, lines, path, root, succeeded, tools } from "./support/board.mjs";

const exec = promisify(execFile);
const typed = (text) => ({ typed: `${text}\n` });

describe("all", OPTIONS, () => {
  test("makes the image, burns nothing, closes nothing, and records no secret", async () => {
    const { work, keys, set, run, calls, hash } = await bench();
    const result = await run("all", ["--keys", keys, "--inputs", inputs(), "--optee-conf", conf()],
      { typed: `burn ${hash.slice(0, 16)}\nclose ${BOARD}\n`.repeat(9) });
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
      isRefused(await run("burn", [], { typed: input }), "not-confirmed");
    // the very words, from a program
    isRefused(await run("burn", [], { input: `burn ${hash.slice(0, 16)}\n` }), "no-terminal");
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
      isRefused(await run("close", [], { typed: input }), "not-confirmed");
    isRefused(await run("close", [], { input: `${close}\n` }), "no-terminal");
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
    // whoever forgets to say it again at signing has signed the factory's image all the same
    succeeded(await run("sign", ["--keys", keys]));
    succeeded(await run("prove"));

    isRefused(await run("close", [], typed(close)), "factory-image", /one boot in the factory/);
    // nor where another record is kept than that of the signing
    const elsewhere = ["--record", path("board.jsonl")];
    succeeded(await run("prove", elsewhere));
    isRefused(await run("close", elsewhere, typed(close)), "factory-image");
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

describe("signing", OPTIONS, () => {
  test("is refused with other options than the configurations were written with", async () => {
    const { keys, run, calls } = await bench();
    const words = ["--keys", keys];
    succeeded(await run("config", [...words, "--inputs", inputs(), "--srk", "1"]));

    isRefused(await run("sign", [...words, "--srk", "2"]), "config-differs", /srk=1/);
    isRefused(await run("sign", [...words, "--revoke", "0x1"]), "config-differs");
    isRefused(await run("sign", [...words, "--factory"]), "config-differs");
    assert.deepEqual(calls("export"), []);
    succeeded(await run("sign", [...words, "--srk", "0x1"]));
  });
});

describe("the record", OPTIONS, () => {
  const parsed = (work) => lines(join(work, "secure-boot.jsonl")).map((line) => JSON.parse(line));

  test("has a line for a burning that is cut off, for a refusal, and for a failure", async () => {
    const { work, run, hash } = await bench({ board: { "broken-130": "" } });
    const words = `burn ${hash.slice(0, 16)}`;
    isRefused(await run("burn", [], typed("no")), "not-confirmed");
    assert.equal((await run("burn", [], typed(words))).status, 1);

    const records = parsed(work);
    const steps = records.map(({ step }) => step);
    assert.deepEqual(steps, ["table", "verify", "refused", "table", "verify", "burning", "failed"]);
    assert.equal(records[2].name, "not-confirmed");
    assert.match(records.at(-1).why, /fuse 130/);
  });

  test("that cannot be written keeps every fuse as it is", async () => {
    const { work, run, hash, calls } = await bench();
    const words = ["--record", join(work, "nowhere/record.jsonl")];
    const result = await run("burn", words, typed(`burn ${hash.slice(0, 16)}`));

    assert.equal(result.status, 1);
    assert.match(result.stderr, /cannot be written/);
    assert.deepEqual(calls("write-fuse"), []);
  });

  test("that a power cut has left with half a line is said to be so, and left as it is",
    async () => {
      const { work, run } = await bench();
      const record = join(work, "secure-boot.jsonl");
      writeFileSync(record, '{"step":"ta');
      const { status, stderr } = await run("table");

      assert.equal(status, 1);
      assert.match(stderr, /cut off/);
      assert.equal(readFileSync(record, "utf8"), '{"step":"ta');
    });

  test("says that a run was interrupted", async () => {
    const { work, run, env } = await bench();
    const slow = tools({});
    writeFileSync(join(slow, "nxpele"), "#!/bin/sh\nexec sleep 20\n", { mode: 0o755 });
    let sent = false;
    const onOutput = (said, kill) => {
      if (sent || !said.includes("get-info")) return;
      sent = true;
      kill("SIGTERM");
    };
    const { signal } = await run("status", [],
      { env: { ...env, PATH: `${slow}:${env.PATH}` }, onOutput });

    assert.equal(signal, "SIGTERM");
    assert.deepEqual(parsed(work).map(({ step }) => step), ["interrupted"]);
  });
});

describe("a full disk", OPTIONS, () => {
  test("leaves no half of a table, a hash or a line of the record", async () => {
    const { work, run } = await bench();
    for (const limit of [100, 300]) {
      const { status, stderr } = await run("table", [], { fileSize: limit });
      assert.equal(status, 1);
      assert.match(stderr, /cannot be written/);
      assert.deepEqual(readdirSync(work).sort(), ["flash.bin", "secure-boot.jsonl", "srk"]);
      assert.match(readFileSync(join(work, "secure-boot.jsonl"), "utf8"), /^(\{.*\}\n)*$/);
    }
    succeeded(await run("table"));
    const before = readFileSync(join(work, "secure-boot.jsonl"), "utf8");
    const limit = before.length + 20;
    assert.equal((await run("table", [], { fileSize: limit })).status, 1);
    assert.equal(readFileSync(join(work, "secure-boot.jsonl"), "utf8"), before);
  });
});

describe("a dry run", OPTIONS, () => {
  const shown = (text) =>
    // what was typed is echoed by a terminal, and the next line begins after the prompt
    text.replaceAll("\r", "").match(/(?<=^|> ) {2}\$ .*$/gm) ?? [];
  const same = async (run, command, more, options) => {
    const plan = shown(succeeded(await run(command, [...more, "--dry-run"])));
    assert.deepEqual(shown(succeeded(await run(command, more, options))), plan);
    assert.notEqual(plan.length, 0, command);
  };

  test("shows the commands that the real one runs, each and in their order", async () => {
    const { run, hash, keys, fake, env } = await bench();
    const [newWork, newKeys] = [path("work"), path("keys")];
    const first = (command, more, options) =>
      boot([command, "--work", newWork, ...more], { env, ...options });
    await same(first, "keys", ["--keys", newKeys]);
    succeeded(await run("config", ["--keys", keys, "--inputs", inputs()]));
    await same(run, "sign", ["--keys", keys]);
    await same(run, "burn", [], typed(`burn ${hash.slice(0, 16)}`));
    await same(run, "prove", []);
    writeFileSync(join(fake, "life"), "OEM_OPEN");
    await same(run, "close", [], typed(`close ${BOARD}`));
    await same(run, "status", []);
  });
});

describe("a reader that goes away", OPTIONS, () => {
  test("ends the run, and the record says so", async () => {
    const { work, env } = await bench();
    const piped = '"$0" status --work "$1" | true; [[ ${PIPESTATUS[0]} != 0 ]]';
    const words = ["-c", piped, join(root, "scripts/secure-boot-imx93.sh"), work];
    await exec("bash", words, { env: { ...process.env, ...env } });

    const [line] = lines(join(work, "secure-boot.jsonl"));
    assert.deepEqual([JSON.parse(line).step, JSON.parse(line).signal], ["interrupted", "PIPE"]);
  });
});

describe("two runs at once", OPTIONS, () => {
  test("in one directory are one run", async () => {
    const { work, run, env } = await bench();
    const slow = tools({});
    const wait = `#!/bin/sh
touch '${work}/there'
while [ ! -e '${work}/go' ]; do sleep 0.05; done
`;
    writeFileSync(join(slow, "nxpele"), wait, { mode: 0o755 });
    const first = run("status", [], { env: { ...env, PATH: `${slow}:${env.PATH}` } });
    while (!existsSync(join(work, "there"))) await new Promise((next) => setTimeout(next, 50));
    const second = await run("status");
    writeFileSync(join(work, "go"), "");
    await first;

    assert.equal(second.status, 1);
    assert.match(second.stderr, /another run is at work/);
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
