// SPDX-License-Identifier: Apache-2.0
// What the tests of scripts/secure-boot-imx93.sh share: inputs, a record of OP-TEE's build, and a
// bench with a key set, an image, and recorders in the place of NXP's tools and a board.
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { flash, newSet, readSet, srkHash } from "./ahab.mjs";
import { directory, file, lines, path, script, succeeded, tools } from "./board.mjs";

export const OPTIONS = { timeout: 90_000, concurrency: 4 };
export const BOARD = "00112233445566778899aabbccddeeff";
const bin = tools({ nxpele: "fake_nxpele.sh", nxpimage: "fake_nxpimage.sh" });
const PATH = `${bin}:${process.env.PATH}`;

export const boot = (words, options) => script("secure-boot-imx93.sh", words, options);
export const dry = (words) => boot([...words, "--dry-run"], { env: { PATH: "/usr/bin:/bin" } });

const CONF = {
  PLATFORM: "imx",
  PLATFORM_FLAVOR: "mx93evk",
  CFG_IMX_ELE: "y",
  CFG_INSECURE: "n",
  CFG_RPMB_FS: "y",
  CFG_REE_FS: "y",
  CFG_REE_FS_INTEGRITY_RPMB: "y",
  CFG_RPMB_TESTKEY: "n",
  CFG_RPMB_WRITE_KEY: "n",
  CFG_TZDRAM_START: "0x96000000",
  CFG_WITH_SOFTWARE_PRNG: "y",
};
export const conf = (over = {}) =>
  file("conf.mk", Object.entries({ ...CONF, ...over }).map(([k, v]) => `${k}=${v}\n`).join(""));

const INPUTS = ["lpddr4_imem_1d_v1.bin", "lpddr4_imem_2d_v1.bin", "lpddr4_dmem_1d_v1.bin",
  "lpddr4_dmem_2d_v1.bin", "u-boot-spl.bin", "bl31-imx93.bin", "u-boot.bin", "tee.bin"];

export function inputs(over = {}) {
  const made = directory("inputs");
  const whole = Object.fromEntries(INPUTS.map((name) => [name, `this is ${name}`]));
  whole["tee.bin"] += ". The enclave gives no random numbers";
  whole["mx93a1-ahab-container.img"] = flash(newSet()).subarray(0, 0x400);
  for (const [name, content] of Object.entries({ ...whole, ...over }))
    writeFileSync(join(made, name), content);
  return made;
}

async function makeKeys(curve) {
  const work = path("work");
  const keys = path("keys");
  succeeded(await boot(["keys", "--work", work, "--keys", keys, "--curve", curve]));
  return { work, keys };
}

const made = {};

/** A board of its own, with a key set, a signed image, and the options that name them. */
export async function bench({ curve = "P-384", image = {}, board = {}, own = false } = {}) {
  const fake = directory("fake");
  const work = directory("work");
  const env = { PATH, FAKE: fake };
  const shared = await (own ? makeKeys(curve) : (made[curve] ??= makeKeys(curve)));
  const { keys } = shared;
  cpSync(join(shared.work, "srk"), join(work, "srk"), { recursive: true });
  const set = readSet(keys);
  const bytes = flash(set, image);
  for (const name of ["flash.bin", "spl.bin", "u-boot-atf.bin"])
    writeFileSync(join(fake, name), bytes);
  writeFileSync(join(work, "flash.bin"), bytes);
  for (const [name, content] of Object.entries({ uid: BOARD, ...board }))
    writeFileSync(join(fake, name), content);
  const run = (command, words = [], options = {}) =>
    boot([command, "--work", work, ...words], { env, ...options });
  const calls = (what) => lines(join(fake, "calls")).filter((line) => line.includes(what));
  return { fake, work, keys, set, hash: srkHash(set), run, calls, env };
}

export const words = (hash) =>
  Buffer.from(hash, "hex").swap32().toString("hex").match(/.{8}/g);
const burnt = (hash) =>
  Object.fromEntries(words(hash).map((word, i) => [`fuse-${128 + i}`, word]));

export async function burntBench(options) {
  const all = await bench(options);
  for (const [name, word] of Object.entries(burnt(all.hash)))
    writeFileSync(join(all.fake, name), word);
  return all;
}
