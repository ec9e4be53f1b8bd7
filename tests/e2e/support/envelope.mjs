// SPDX-License-Identifier: Apache-2.0
// docs/key-envelope.md a second time, by Node's own cryptography: what the relay, its tools and
// the TA seal and open is judged by this, and shares no code with it.
import assert from "node:assert/strict";
import * as crypto from "node:crypto";

const MAGIC = Buffer.from("SRKE\x01", "latin1");
const INFO = "SuperRelay key envelope 1";
export const TA_UUID = Buffer.from("123456785b6911d49fee00c04f4c3456", "hex");
export const SECP256K1 = 1;
export const ED25519 = 2;
export const SPONSOR = 1;
export const DIGEST = 2;
export const TRANSACTION = 4;
export const GENERATED = 1;
export const IMPORTED_PLAIN = 2;
export const IMPORTED_WRAPPED = 3;

const PKCS8 = {
  x25519: Buffer.from("302e020100300506032b656e04220420", "hex"),
  ed25519: Buffer.from("302e020100300506032b657004220420", "hex"),
};
const SPKI_X25519 = Buffer.from("302a300506032b656e032100", "hex");

const privateKey = (curve, secret) =>
  crypto.createPrivateKey({
    key: Buffer.concat([PKCS8[curve], secret]),
    format: "der",
    type: "pkcs8",
  });
const x25519PublicKey = (bytes) =>
  crypto.createPublicKey({
    key: Buffer.concat([SPKI_X25519, bytes]),
    format: "der",
    type: "spki",
  });
const rawPublic = (curve, secret) =>
  crypto
    .createPublicKey(privateKey(curve, secret))
    .export({ format: "der", type: "spki" })
    .subarray(-32);

export const x25519Public = (secret) => rawPublic("x25519", secret);
export const ed25519Public = (secret) => rawPublic("ed25519", secret);
export const ed25519Sign = (secret, message) =>
  crypto.sign(null, message, privateKey("ed25519", secret));

/** The public key as the TA has it: 65 bytes of secp256k1, 32 of Ed25519. */
export function publicKeyOf(algorithm, secret) {
  if (algorithm === ED25519) return ed25519Public(secret);
  const pair = crypto.createECDH("secp256k1");
  pair.setPrivateKey(secret);
  return pair.getPublicKey();
}

/** Little-endian. */
export function integer(value, size) {
  const bytes = Buffer.alloc(size);
  let rest = BigInt(value);
  for (let i = 0; i < size; i++, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

const shortString = (bytes) => Buffer.concat([integer(bytes.length, 1), bytes]);
const longString = (bytes) => Buffer.concat([integer(bytes.length, 2), bytes]);
const sha256 = (bytes) => crypto.createHash("sha256").update(bytes).digest();

/** What the operator signs: the statement's name, the TA, the pieces. */
export const statement = (name, ...pieces) =>
  Buffer.concat([Buffer.from(name), TA_UUID, ...pieces]);
export const policyStatement = (key) =>
  statement(
    "SuperRelay policy 1",
    shortString(Buffer.from(key.id)),
    sha256(key.publicKey),
    integer(key.policyVersion, 4),
    key.policy,
  );
export const exportStatement = (id, publicKey, recipient) =>
  statement("SuperRelay export 1", shortString(Buffer.from(id)), sha256(publicKey), recipient);

function messageKey(own, peer, ephemeral, recipient) {
  const shared = crypto.diffieHellman({
    privateKey: privateKey("x25519", own),
    publicKey: x25519PublicKey(peer),
  });
  const salt = Buffer.concat([ephemeral, recipient]);
  return Buffer.from(crypto.hkdfSync("sha256", shared, salt, INFO, 32));
}

/** key: id, algorithm, usage, origin, created, secret; policyVersion, policy, operatorSignature. */
export function seal(key, recipient, { ephemeralSecret, nonce, uuid = TA_UUID } = {}) {
  const own = ephemeralSecret ?? crypto.randomBytes(32);
  const iv = nonce ?? crypto.randomBytes(12);
  const ephemeral = x25519Public(own);
  const head = Buffer.concat([
    MAGIC,
    uuid,
    recipient,
    ephemeral,
    integer(key.algorithm, 1),
    integer(key.usage, 4),
    integer(key.origin ?? IMPORTED_WRAPPED, 1),
    integer(key.created ?? 0, 8),
    shortString(Buffer.from(key.id)),
    shortString(key.publicKey ?? publicKeyOf(key.algorithm, key.secret)),
    integer(key.policyVersion ?? 0, 4),
    longString(key.policy ?? Buffer.alloc(0)),
    key.operatorSignature ?? Buffer.alloc(64),
    iv,
  ]);
  const cipher = crypto.createCipheriv(
    "aes-256-gcm",
    messageKey(own, recipient, ephemeral, recipient),
    iv,
  );
  cipher.setAAD(head);
  const sealed = Buffer.concat([cipher.update(key.secret), cipher.final()]);
  return Buffer.concat([head, sealed, cipher.getAuthTag()]);
}

/** Reads field after field; take(n) is what comes next. */
function reader(bytes) {
  let at = 0;
  const take = (n) => {
    assert.ok(at + n <= bytes.length, "an envelope cut short");
    at += n;
    return bytes.subarray(at - n, at);
  };
  const number = (n) => take(n).reduceRight((v, byte) => v * 256n + BigInt(byte), 0n);
  return { take, number, at: () => at };
}

/** The envelope's fields; with the recipient's secret, opened: throws when it does not open. */
export function open(envelope, recipientSecret) {
  const r = reader(envelope);
  assert.deepEqual(r.take(5), MAGIC);
  const key = { uuid: r.take(16), recipient: r.take(32), ephemeral: r.take(32) };
  key.algorithm = Number(r.number(1));
  key.usage = Number(r.number(4));
  key.origin = Number(r.number(1));
  key.created = r.number(8);
  key.id = r.take(Number(r.number(1))).toString("latin1");
  key.publicKey = r.take(Number(r.number(1)));
  key.policyVersion = Number(r.number(4));
  key.policy = r.take(Number(r.number(2)));
  key.operatorSignature = r.take(64);
  key.nonce = r.take(12);
  const head = envelope.subarray(0, r.at());
  const sealed = r.take(32);
  const tag = r.take(16);
  assert.equal(r.at(), envelope.length, "bytes behind an envelope");
  if (!recipientSecret) return key;
  const decipher = crypto.createDecipheriv(
    "aes-256-gcm",
    messageKey(recipientSecret, key.ephemeral, key.ephemeral, key.recipient),
    key.nonce,
  );
  decipher.setAAD(head);
  decipher.setAuthTag(tag);
  key.secret = Buffer.concat([decipher.update(sealed), decipher.final()]);
  return key;
}
