// SPDX-License-Identifier: Apache-2.0
// The secure world of the i.MX 93, as scripts/optee/imx93.sh builds it, and readers of what
// comes out of that: OP-TEE's configuration, the core's header, a signed TA.
import { spawnSync } from "node:child_process";
import { createPublicKey, constants, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../..", import.meta.url));
export const built = join(root, "build/imx93");
export const layer = join(root, "meta-superrelay/recipes-security/optee-imx");
export const optee = join(root, "build/optee");
const TA_NAME = "12345678-5b69-11d4-9fee-00c04f4c3456";
const BUILD_LIMIT = 30 * 60_000;

/** Builds what has changed; a second call finds it done. Throws with the build's output. */
export function buildImx93() {
  const run = spawnSync("setpriv", ["--pdeathsig", "TERM", "bash", "scripts/optee/imx93.sh"], {
    cwd: root,
    encoding: "utf8",
    timeout: BUILD_LIMIT,
  });
  if (run.status !== 0) {
    const reason = run.error?.message ?? `${run.stdout}${run.stderr}`;
    throw new Error(`scripts/optee/imx93.sh failed:\n${reason}`);
  }
}

export const text = (...path) => readFileSync(join(...path), "utf8");
export const paths = {
  conf: join(built, "os/conf.mk"),
  core: join(built, "os/core"),
  ta: join(built, "ta", `${TA_NAME}.ta`),
  unstripped: join(built, "ta", `${TA_NAME}.elf`),
  check: join(layer, "files/check-optee.sh"),
};

/** One list of the layer's file ("OPTEE" or "TA"): [name, value] pairs, doubles included. */
export function layerFlags(include, list) {
  const line = new RegExp(`^SUPERRELAY_${list}_FLAGS \\+= "(CFG_\\w+)=(\\w+)"$`, "gm");
  return [...include.matchAll(line)].map(([, name, value]) => [name, value]);
}

/** What the configuration says in the end: a map, and "n" for what make leaves undefined. */
export function configuration(conf) {
  return Object.fromEntries(
    [...conf.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  );
}

/** What the build did otherwise than it was asked. Empty when all is as it should be. */
export function differences(flags, conf) {
  const values = configuration(conf);
  return flags
    .filter(([name, value]) => (values[name] ?? "n") !== value)
    .map(([name, value]) => `${name} is ${values[name] ?? "not there"} and not ${value}`);
}

/** Which C macro a file defines as a number. */
export function macro(source, name) {
  const found = source.match(new RegExp(`#define ${name}\\s+\\(?([0-9a-fx* ]+?)\\)?$`, "m"));
  if (!found) throw new Error(`no ${name}`);
  return found[1].split("*").reduce((product, factor) => product * Number(factor), 1);
}

/** The header that is before the core in tee.bin, version 1. */
export function coreHeader(image) {
  return {
    magic: image.toString("latin1", 0, 4),
    version: image[4],
    architecture: image[5],
    size: image.readUInt32LE(8),
    loadAddress: image.readUInt32LE(12) * 2 ** 32 + image.readUInt32LE(16),
    memory: image.readUInt32LE(20),
    paged: image.readUInt32LE(24),
    body: image.subarray(28),
  };
}

const hex = (bytes) => bytes.toString("hex");
const dashed = (digits) => digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");

/** A signed TA: its header, and the parts that the signature covers. */
export function signedTa(file) {
  const hashSize = file.readUInt16LE(16);
  const signatureSize = file.readUInt16LE(18);
  const tail = 20 + hashSize + signatureSize;
  return {
    magic: file.readUInt32LE(0),
    type: file.readUInt32LE(4),
    size: file.readUInt32LE(8),
    algorithm: file.readUInt32LE(12),
    hash: file.subarray(20, 20 + hashSize),
    signature: file.subarray(20 + hashSize, tail),
    uuid: dashed(hex(file.subarray(tail, tail + 16))),
    version: file.readUInt32LE(tail + 16),
    image: file.subarray(tail + 20),
    covered: Buffer.concat([file.subarray(0, 20), file.subarray(tail)]),
  };
}

/** RSASSA-PSS with SHA-256, as OP-TEE checks it; a PEM of either half of a key. */
export function isSignedBy(ta, pem) {
  const key = createPublicKey(pem);
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: ta.hash.length };
  return verify("sha256", ta.covered, { key, ...padding }, ta.signature);
}

const number = (bytes, at) => Number(bytes.readBigUInt64LE(at));

function sectionsOf(elf) {
  const [at, count, names] = [number(elf, 40), elf.readUInt16LE(60), elf.readUInt16LE(62)];
  const heads = Array.from({ length: count }, (_, i) => elf.subarray(at + 64 * i));
  const body = (head) => elf.subarray(number(head, 24), number(head, 24) + number(head, 32));
  const cut = (bytes, from) => bytes.toString("latin1", from, bytes.indexOf(0, from));
  const table = body(heads[names]);
  return heads.map((head) => ({
    name: cut(table, head.readUInt32LE(0)),
    type: head.readUInt32LE(4),
    link: head.readUInt32LE(40),
    bytes: head.readUInt32LE(4) === 8 ? Buffer.alloc(0) : body(head), // 8: no bits in the file
  }));
}

function entries(bytes, size, read) {
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) =>
    read(bytes.subarray(size * i, size * (i + 1))),
  );
}

/** What of an ELF file a TA is judged by. */
export function readElf(elf) {
  const sections = sectionsOf(elf);
  const symbols = sections
    .filter(({ type }) => type === 2 || type === 11)
    .flatMap(({ bytes, link, type }) =>
      entries(bytes, 24, (symbol) => {
        const names = sections[link].bytes;
        const from = symbol.readUInt32LE(0);
        return {
          name: names.toString("latin1", from, names.indexOf(0, from)),
          dynamic: type === 11,
          undefined: symbol.readUInt16LE(6) === 0,
          size: number(symbol, 16),
        };
      }),
    );
  return {
    class: elf[4],
    type: elf.readUInt16LE(16),
    machine: elf.readUInt16LE(18),
    entry: number(elf, 24),
    sections,
    symbols,
    dynamic: sections
      .filter(({ type }) => type === 6)
      .flatMap(({ bytes }) => entries(bytes, 16, (e) => [number(e, 0), number(e, 8)])),
    relocations: sections
      .filter(({ type }) => type === 4)
      .flatMap(({ bytes }) => entries(bytes, 24, (e) => e.readUInt32LE(8))),
    segments: entries(
      elf.subarray(number(elf, 32), number(elf, 32) + 56 * elf.readUInt16LE(56)),
      56,
      (head) => ({ type: head.readUInt32LE(0), flags: head.readUInt32LE(4) }),
    ),
  };
}

/** The header that OP-TEE reads out of the TA's ELF file. */
export function taHead(elf) {
  const head = elf.sections.find(({ name }) => name === ".ta_head").bytes;
  const word = (at, size) => head.readUIntLE(at, size).toString(16).padStart(2 * size, "0");
  return {
    uuid: dashed(word(0, 4) + word(4, 2) + word(6, 2) + hex(head.subarray(8, 16))),
    stack: head.readUInt32LE(16),
    flags: head.readUInt32LE(20),
  };
}
