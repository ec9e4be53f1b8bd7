// SPDX-License-Identifier: Apache-2.0
// scripts/secure-boot-imx93.sh with NXP's real SPSDK, installed from PyPI into build/tools: its
// configurations are taken, what SPSDK signs verifies here, and both compute the same hash.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { promisify } from "node:util";

import { flash, newSet, readSet, SECOND_SET, srkHash } from "../deploy/support/ahab.mjs";
import { directory, path, root, script, succeeded } from "../deploy/support/board.mjs";

const exec = promisify(execFile);
const VERSION = "3.12.0";
const venv = join(root, "build/tools/spsdk");
const tool = (name) => join(venv, "bin", name);
// SPSDK keeps logs and caches in the user's home
const env = { PATH: `${join(venv, "bin")}:${process.env.PATH}`, HOME: directory("home") };
const run = (name, words) => exec(tool(name), words, { env: { ...process.env, ...env } });
const OPTIONS = { timeout: 600_000, concurrency: 2 };

async function install() {
  if (!existsSync(tool("nxpimage"))) {
    await exec("python3", ["-m", "venv", "--clear", venv]);
    await exec(tool("pip"), ["install", "--quiet", `spsdk==${VERSION}`], { maxBuffer: 1 << 24 });
  }
  const { stdout } = await run("nxpimage", ["--version"]);
  assert.ok(stdout.includes(VERSION), stdout);
}

/** A container that says it is NXP's: its form is right, and no ROM would take it. */
async function firmware(into) {
  const keys = directory("nxp");
  const pems = newSet().map((key, i) => {
    writeFileSync(join(keys, `${i}.pem`), key.export({ type: "pkcs8", format: "pem" }));
    return join(keys, `${i}.pem`);
  });
  writeFileSync(join(keys, "firmware"), Buffer.alloc(5000, 7));
  const image = { image_path: join(keys, "firmware"), load_address: 0, entry_point: 0,
    image_type: "ele", core_id: "ele", hash_type: "sha384" };
  const container = { srk_set: "nxp", used_srk_id: 0, fuse_version: 0, sw_version: 0,
    signer: `type=file;file_path=${pems[0]}`, srk_table: { srk_array: pems }, images: [image] };
  const config = join(keys, "config.json");
  writeFileSync(config, JSON.stringify({ family: "mimx9352", target_memory: "standard",
    output: into, containers: [{ container }] }));
  await run("nxpimage", ["ahab", "export", "--no-fuse-scripts", "--config", config]);
}

async function inputs() {
  const made = directory("the inputs");
  for (const name of ["lpddr4_imem_1d_v1.bin", "lpddr4_imem_2d_v1.bin", "lpddr4_dmem_1d_v1.bin",
    "lpddr4_dmem_2d_v1.bin", "u-boot-spl.bin", "bl31-imx93.bin", "u-boot.bin", "tee.bin"])
    writeFileSync(join(made, name), Buffer.alloc(9000, name));
  await firmware(join(made, "mx93a1-ahab-container.img"));
  return made;
}

before(install, { timeout: 300_000 });

describe("SPSDK", OPTIONS, () => {
  for (const [curve, more] of [["P-384", []], ["P-521", ["--srk", "2", "--revoke", "0x1"]]])
    test(`takes the configurations and signs with ${curve}; hash and fuses are ours`, async () => {
      const work = path("the work");
      const keys = path("the keys");
      const words = ["all", "--work", work, "--keys", keys, "--inputs", await inputs(),
        "--curve", curve];
      const said = succeeded(await script("secure-boot-imx93.sh", [...words, ...more], { env }));
      const hash = readFileSync(join(work, "srk.hash"), "utf8").trim();

      assert.match(said, /SPSDK computed the same SRK hash/);
      assert.equal(hash, srkHash(readSet(keys)));
      const publics = [0, 1, 2, 3].flatMap((i) => ["--key", join(work, `srk/srk${i}.pub`)]);
      const { stdout } = await run("nxpcrypto",
        ["rot", "calculate-hash", "--family", "mimx9352", ...publics]);
      assert.ok(stdout.includes(hash), stdout);
      const fuses = readFileSync(join(work, "ahab_oem0_srk0_hash_nxpele.bcf"), "utf8");
      const theirs = [...fuses.matchAll(/^write-fuse --index (\d+) --data (\S+)$/gm)]
        .map(([, fuse, data]) => [Number(fuse), Number(data)]);
      const ours = [...said.matchAll(/write-fuse --index (\d+) --data (\S+)$/gm)]
        .map(([, fuse, data]) => [Number(fuse), Number(data)]);
      assert.equal(theirs.length, 8);
      assert.deepEqual(ours, theirs);
      // one byte of OP-TEE changed: neither of the two takes it
      const image = join(work, "flash.bin");
      const bytes = readFileSync(image);
      bytes[bytes.length - 2000] ^= 1;
      writeFileSync(image, bytes);
      const verdict = await script("secure-boot-imx93.sh", ["verify", "--work", work], { env });
      assert.equal(verdict.status, 1);
      assert.match(verdict.stderr, /has not the hash/);
    });

  // there is no board: it has to be the connection that fails, and not the command line
  test("understands each command that goes to a board", async () => {
    const dry = await script("secure-boot-imx93.sh", ["--dry-run", "--port", "/dev/none"]);
    const said = succeeded(dry);
    const commands = new Map([...said.matchAll(/\$ nxpele (.*)$/gm)].map(([, words]) =>
      [words.replace(/ --index.*/, ""), words.split(" ")]));
    assert.equal(commands.size, 5, [...commands.keys()].join("; "));
    for (const words of commands.values())
      await assert.rejects(run("nxpele", words), ({ stderr, stdout }) => {
        const wrong = /Usage|No such|Invalid value|Missing/;
        assert.doesNotMatch(stderr + stdout, wrong, words.join(" "));
        assert.match(stderr + stdout, /\/dev\/none|serial/i, words.join(" "));
        return true;
      });
  });

  test("takes the containers that the other tests make", async () => {
    const image = join(directory("image"), "u-boot-atf.bin");
    writeFileSync(image, flash(newSet()).subarray(SECOND_SET));
    const { stdout } = await run("nxpimage",
      ["ahab", "verify", "--family", "mimx9352", "--problems", "--binary", image]);

    assert.match(stdout, /Overall {2}result: Succeeded/);
  });
});
