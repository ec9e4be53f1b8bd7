// SPDX-License-Identifier: Apache-2.0
// AHAB containers (version 0, as the i.MX 93's ROM reads them), made in JavaScript, so that what
// the script judges was not made by the script.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
} from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const CURVES = {
  "P-384": { code: 2, hash: 1, size: 48, digest: "sha384", name: "secp384r1" },
  "P-521": { code: 3, hash: 2, size: 66, digest: "sha512", name: "secp521r1" },
};
const HASHES = ["sha256", "sha384", "sha512"];
const align = (n, to = 1024) => Math.ceil(n / to) * to;
const u16 = (n) => Buffer.from([n & 255, n >> 8]);

// By way of PEM: in Node.js 20 a key that is exported as JWK while the garbage collector takes what
// generated it waits for itself, for ever.
const PEM = {
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
};

function newKey(curve) {
  const made = generateKeyPairSync("ec", { namedCurve: CURVES[curve].name, ...PEM });
  return createPrivateKey(made.privateKey);
}

export const newSet = (curve = "P-384") => [0, 1, 2, 3].map(() => newKey(curve));

/** The private keys that the script made. */
export const readSet = (directory) =>
  [0, 1, 2, 3].map((i) => createPrivateKey(readFileSync(join(directory, `srk${i}.pem`))));

function record(key) {
  const { crv, x, y } = createPublicKey(key).export({ format: "jwk" });
  const { code, hash, size } = CURVES[crv];
  const head = [Buffer.from([0xe1]), u16(12 + 2 * size), Buffer.from([0x27, hash, code, 0, 0])];
  const point = [x, y].map((text) => Buffer.from(text, "base64url"));
  return Buffer.concat([...head, u16(size), u16(size), ...point]);
}

export function srkTable(keys) {
  const records = Buffer.concat(keys.map(record));
  const length = u16(4 + records.length);
  return Buffer.concat([Buffer.from([0xd7]), length, Buffer.from([0x42]), records]);
}

export const srkHash = (keys) => createHash("sha256").update(srkTable(keys)).digest("hex");

function imageEntry({ data, load, hash = 1, core = 2, type = 3 }, offset) {
  const entry = Buffer.alloc(128);
  entry.writeUInt32LE(offset, 0);
  entry.writeUInt32LE(data.length, 4);
  entry.writeBigUInt64LE(BigInt(load), 8);
  entry.writeBigUInt64LE(BigInt(load), 16);
  entry.writeUInt32LE(type | (core << 4) | (hash << 8), 24);
  createHash(HASHES[hash]).update(data).digest().copy(entry, 32);
  return entry;
}

const curveOf = (key) => CURVES[key.export({ format: "jwk" }).crv];
const signatureAt = (keys) => align(16 + srkTable(keys).length, 8);
const blockLength = (keys) => signatureAt(keys) + 8 + 2 * curveOf(keys[0]).size;

function signatureBlock(head, keys, used) {
  const { size, digest } = curveOf(keys[used]);
  const table = srkTable(keys);
  const at = signatureAt(keys);
  const block = Buffer.alloc(blockLength(keys));
  block.writeUInt16LE(block.length, 1);
  block[3] = 0x90;
  block.writeUInt16LE(16, 6);
  block.writeUInt16LE(at, 8);
  table.copy(block, 16);
  block.writeUInt16LE(8 + 2 * size, at + 1);
  block[at + 3] = 0xd8;
  const bytes = Buffer.concat([head, block.subarray(0, at)]);
  sign(digest, bytes, { key: keys[used], dsaEncoding: "ieee-p1363" }).copy(block, at + 8);
  return block;
}

/** One container: its own bytes. Images begin at `first`, counted from its beginning. */
function container({ set, keys, used = 0, revoke = 0, images, first }) {
  const signed = set === 2;
  const head = Buffer.alloc(16 + 128 * images.length);
  head.writeUInt32LE(set | (used << 4) | (revoke << 8), 4);
  head[11] = images.length;
  head.writeUInt16LE(head.length, 12);
  let at = first;
  images.forEach((image, i) => {
    imageEntry(image, at).copy(head, 16 + 128 * i);
    at += align(image.data.length);
  });
  head[3] = 0x87;
  head.writeUInt16LE(head.length + (signed ? blockLength(keys) : 16), 1);
  const block = signed ? signatureBlock(head, keys, used) : Buffer.alloc(16);
  block[3] = 0x90;
  return Buffer.concat([head, block]);
}

const padded = (buffer, size) => Buffer.concat([buffer, Buffer.alloc(size - buffer.length)]);

/** flash.bin: NXP's firmware and our SPL, then TF-A, U-Boot and OP-TEE. */
export function flash(keys, { used = 0, revoke = 0, tee = 0x96000000, set = 2, nxp = 1 } = {}) {
  const body = (name, size) => padded(Buffer.from(`${name} `), size);
  const ele = { data: body("ele", 3000), load: 0, core: 6, type: 6 };
  const spl = { data: body("spl", 2048), load: 0x2049a000 };
  const second = [
    { data: body("bl31", 1024), load: 0x204e0000 },
    { data: body("u-boot", 2048), load: 0x80200000 },
    { data: body("tee", 1024), load: tee },
  ];
  // two headers, 1 KiB apart, in the first 8 KiB; images behind them
  const firstSpl = 0x2000 - 0x400 + 3072;
  const parts = [
    padded(container({ set: nxp, keys, images: [ele], first: 0x2000 }), 0x400),
    padded(container({ set, keys, used, revoke, images: [spl], first: firstSpl }), 0x1c00),
    padded(ele.data, 3072),
    spl.data,
    padded(container({ set, keys, used, revoke, images: second, first: 0x2000 }), 0x2000),
    ...second.map(({ data }) => data),
  ];
  return Buffer.concat(parts);
}

/** Where the second set begins in it. */
export const SECOND_SET = 0x2000 + 3072 + 2048;
