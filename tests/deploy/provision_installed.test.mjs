// SPDX-License-Identifier: Apache-2.0
// scripts/provision.sh as an image has it: beside its parts in a directory of its own, called by
// a link, by root in a directory that the relay's user may not enter.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";

import { directory, lines, path, root } from "./support/board.mjs";
import { binary, toml } from "./support/commission.mjs";

const OPTIONS = { timeout: 60_000, concurrency: 2 };
const exec = promisify(execFile);

const POLICY = `chain_ids = [1]
entry_points = ["0x0000000071727De22E5E9d8BAf0edAc6f37da032"]
window = "1d"
operations = 1
`;

/** The files that the layer's recipe installs, and the link; the path of the link. */
function installed() {
  const image = directory("image with space");
  const share = join(image, "usr/share/super-relay");
  const sbin = join(image, "usr/sbin");
  for (const made of [share, sbin]) mkdirSync(made, { recursive: true });
  cpSync(join(root, "scripts/provision.sh"), join(share, "provision.sh"));
  cpSync(join(root, "scripts/board"), join(share, "board"), { recursive: true });
  chmodSync(join(share, "provision.sh"), 0o755);
  symlinkSync("../share/super-relay/provision.sh", join(sbin, "super-relay-provision"));
  return join(sbin, "super-relay-provision");
}

/** What super-relay was called with, while it does what it does. */
function recorder() {
  const calls = path("calls");
  const program = path("super-relay");
  const text = `#!/usr/bin/env bash\nprintf '%s\\n' "$*" >>'${calls}'\nexec '${binary}' "$@"\n`;
  writeFileSync(program, text, { mode: 0o755 });
  return { calls, program };
}

describe("provision.sh, installed", OPTIONS, () => {
  test("finds its parts by a link, from any directory", async () => {
    const command = installed();
    for (const words of [["--help"], ["--dry-run"]]) {
      const { stdout } = await exec(command, words, { cwd: "/", env: { PATH: "/usr/bin:/bin" } });
      assert.match(stdout, words[0] === "--help" ? /--operator FILE/ : /6 of 6, record/);
    }
    // named by PATH alone, the shell is not told where it is
    const env = { PATH: `${join(command, "../../share/super-relay")}:/usr/bin:/bin` };
    const { stdout } = await exec("bash", ["provision.sh", "--help"], { cwd: "/", env });
    assert.match(stdout, /--operator FILE/);
    await assert.rejects(exec(command, ["--bogus"], { cwd: "/" }), ({ code, stderr }) => {
      assert.match(stderr, /--bogus/);
      return code === 2;
    });
  });

  test("has the relay read copies beside the record, and no file of the caller's", async () => {
    const { calls, program } = recorder();
    const mine = directory("root's own", 0o700);
    const at = (name) => join(mine, name);
    const tee = directory("tee");
    await exec(binary, ["operator", "keygen", "--out", at("elsewhere.key")]);
    cpSync(at("elsewhere.key.pub"), at("operator.key.pub"));
    writeFileSync(at("a.toml"), POLICY, { mode: 0o600 });
    const config = toml(join(tee, "store"), join(tee, "audit.jsonl"), "a");
    writeFileSync(join(tee, "relay.toml"), config);
    const words = ["--simulator", "--operator", "operator.key.pub", "--key", "a=digest",
      "--policy", "a=a.toml", "--dir", join(tee, "dir"), "--config", join(tee, "relay.toml")];
    const env = { ...process.env, SUPER_RELAY_BIN: program };
    const run = (more) => exec(installed(), [...words, ...more], { cwd: mine, env });
    await assert.rejects(run([]), { code: 4 });
    const sign = ["operator", "sign", "provision", "--key", at("elsewhere.key"), "--development",
      "--force-audit", "--out", join(tee, "dir/provision.signature")];
    await exec(binary, sign);
    await assert.rejects(run(["--resume"]), { code: 4 });

    const option = /(?:--(?:operator|file|signature|pin)|^policy digest(?= \/)) (.*?)(?= --|$)/g;
    const named = lines(calls)
      .flatMap((line) => [...line.matchAll(option)])
      .map(([, name]) => name);
    assert.ok(named.some((name) => name.endsWith("operator.key.pub")), named.join("\n"));
    assert.ok(named.some((name) => name.endsWith("a.toml")), named.join("\n"));
    for (const name of named) assert.ok(name.startsWith(join(tee, "dir")), name);
    assert.equal(readFileSync(join(tee, "dir/a.toml"), "utf8"), POLICY);
  });
});
