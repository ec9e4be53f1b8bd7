// SPDX-License-Identifier: Apache-2.0
// scripts/provision.sh --dry-run: it needs nothing, does nothing, shows what the real run does, and
// takes no words that would be something else.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { promisify } from "node:util";

import { directory, file, isRefused, succeeded } from "./support/board.mjs";
import { commission, finish, provision } from "./support/commission.mjs";

const OPTIONS = { timeout: 90_000, concurrency: 4 };
const UID = "0123456789abcdef0011223344556677";
const exec = promisify(execFile);

describe("the dry run", OPTIONS, () => {
  test("needs nothing, shows the order, and leaves nothing behind", async () => {
    const cwd = directory("empty");
    const result = await provision(["--dry-run"], { cwd, env: { PATH: "/usr/bin:/bin" } });

    const said = succeeded(result);
    const order = ["OEM_CLSD", "mmc rpmb read-counter", "super-relay attest",
      "operator sign provision", "super-relay provision", "keys generate",
      "operator sign policy", "policy set", "written:"];
    const places = order.map((text) => said.indexOf(text));
    assert.ok(places.every((place) => place >= 0), JSON.stringify(places));
    assert.deepEqual([...places].sort((a, b) => a - b), places);
    assert.deepEqual(readdirSync(cwd), []);
  });

  test("refuses what the real one refuses", async () => {
    const open = file("boot.jsonl", `{"step":"status","uid":"${UID}","lifeCycle":"OEM_OPEN"}\n`);
    const words = ["--dry-run", "--boot-record", open, "--uid-file", file("uid", UID)];

    isRefused(await provision(words), "not-closed");
    assert.equal((await provision(["--key", "a b=sponsor", "--dry-run"])).status, 2);
    assert.equal((await provision(["--policy", "other=x", "--dry-run"])).status, 2);
    const until = await provision(["--until", "never", "--dry-run"]);
    assert.match(until.stderr, /closed, rpmb, operator/);
  });

  test("says of nothing that it is right, or done", async () => {
    assert.doesNotMatch(succeeded(await provision(["--dry-run"])), /^( {2}ok|done) /m);
  });

  test("shows the commands that the real one runs, and no other", async () => {
    const all = await commission();
    const shown = (text) => text.match(/^ {2}\$ .*(?=\n)/gm) ?? [];
    const plan = new Set(shown(succeeded(await all.run(["--dry-run"]))));
    const real = new Set();
    const onOutput = (said) => shown(said).forEach((line) => real.add(line));
    succeeded(await finish(all, { onOutput }));

    assert.deepEqual([...plan].sort(), [...real].sort());
  });

  test("takes no id and no value that would be something else", async () => {
    for (const id of ["-x", "now", "ta", "a.new-key", "a/b", "../a", "a'b", "a\nb", ""]) {
      const { status, stderr } = await provision(["--dry-run", "--key", `${id}=sponsor`]);
      assert.equal(status, 2, `${id}: ${stderr}`);
    }
    for (const words of [["--operator", "--dry-run"], ["--dry-run", "--group", "a b"],
      ["--dry-run", "--key", "a=sponsor", "--policy", "a=x", "--policy", "a=y"]])
      assert.equal((await provision(words)).status, 2, words.join(" "));
  });

  test("prints commands for the operator that do what they say, whatever a file's name is",
    async () => {
      const name = "it's; touch gone $(touch gone).toml";
      const words = ["--dry-run", "--key", "a=sponsor", "--policy", `a=/x/${name}`];
      const said = succeeded(await provision(words));
      const line = said.match(/^ {4}super-relay (operator sign policy .*)$/m)[1];
      const { stdout } = await exec("bash", ["-c", `printf '%s\\n' ${line}`]);

      assert.ok(stdout.split("\n").includes(name), stdout);
    });

  test("is named in its help", async () => {
    assert.match(succeeded(await provision(["--help"])), /Provisions a board[^]*--dry-run/);
  });
});
