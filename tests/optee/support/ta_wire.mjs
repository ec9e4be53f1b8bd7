// SPDX-License-Identifier: Apache-2.0
// The TA's wire, spoken from the host through ta_wire.c: an operator with a key, and a host that
// keeps the audit log and checks its chain. What the wire means is in include/super_relay_ta.h.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { join } from "node:path";

import { GuestCommand } from "./agent.mjs";
import { PROGRAMS } from "./guest.mjs";

export const SUCCESS = 0;
export const ACCESS_CONFLICT = 0xffff0003;
export const EXCESS_DATA = 0xffff0004;
export const OVERFLOW = 0xffff300f;

export const COMMAND = {
  GENERATE: 0,
  DELETE: 4,
  SIGN_SPONSORSHIP: 5,
  LIST: 6,
  BEGIN: 8,
  CHECKPOINT: 10,
  PROVISION: 11,
  SET_POLICY: 12,
  GET_POLICY: 13,
  ROTATE: 18,
};

const VERSION = 3;
const UUID = Buffer.from("123456785b6911d49fee00c04f4c3456", "hex");
const GENESIS = "SuperRelay audit 1";
const SECP256K1 = 1;
export const USAGE_SPONSOR = 1;
export const USAGE_DIGEST = 2;
const PROVISION_DEVELOPMENT = 1;
const SCHEME_V07 = 1;
const RESULT_SIZE = 4 + 32 + 65;

const u8 = (v) => Buffer.from([v]);
function le(v, size) {
  const bytes = Buffer.alloc(size);
  for (let i = 0, left = BigInt(v); i < size; i++, left >>= 8n) bytes[i] = Number(left & 0xffn);
  return bytes;
}
const be = (v, size) => le(v, size).reverse();
const u32 = (v) => le(v, 4);
const u64 = (v) => le(v, 8);
const shortString = (v) => Buffer.concat([u8(v.length), Buffer.from(v)]);
const longString = (v) => Buffer.concat([le(v.length, 2), v]);
const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();

// ---- what is sponsored ------------------------------------------------------------

const CHAIN = 31337;
const ENTRY_POINT = Buffer.from("0000000071727De22E5E9d8BAf0edAc6f37da032", "hex");
const PAYMASTER = Buffer.alloc(20, 0x9a);
const WINDOW = 366 * 86400;

/** A policy of this budget a window; the longest there may be, so that no boot sees its end. */
const policyBytes = (budget) =>
  Buffer.concat([
    u8(1),
    u32(0),
    u8(1),
    u64(CHAIN),
    u8(1),
    ENTRY_POINT,
    u8(1),
    PAYMASTER,
    u8(0),
    u32(3600),
    u64(0),
    be(0, 16),
    be(budget, 16),
    u32(WINDOW),
    be(budget, 16),
    u32(1_000_000),
  ]);

/** Costs so many wei: one unit of gas. */
const sponsorship = (cost) =>
  Buffer.concat([
    u64(CHAIN),
    ENTRY_POINT,
    PAYMASTER,
    Buffer.alloc(20, 1),
    Buffer.alloc(5 * 32),
    be(1, 32),
    be(cost, 32),
    u64(3600),
    u64(0),
  ]);

// ---- requests ---------------------------------------------------------------------

export class Operator {
  // Encoded at once: exporting a key's object may wait for its own generator, for ever.
  #pair = generateKeyPairSync("ed25519", {
    publicKeyEncoding: { format: "der", type: "spki" },
    privateKeyEncoding: { format: "pem", type: "pkcs8" },
  });
  publicKey = this.#pair.publicKey.subarray(-32);

  sign(name, statement) {
    return sign(null, Buffer.concat([Buffer.from(name), UUID, statement]), this.#pair.privateKey);
  }

  provisioning() {
    const statement = Buffer.concat([this.publicKey, u32(PROVISION_DEVELOPMENT), u8(0)]);
    return Buffer.concat([statement, this.sign("SuperRelay provision 1", statement)]);
  }

  policy(id, publicKey, version, budget) {
    const policy = policyBytes(budget);
    const statement = [shortString(id), sha256(publicKey), u32(version), policy];
    const signature = this.sign("SuperRelay policy 1", Buffer.concat(statement));
    return Buffer.concat([shortString(id), u32(version), longString(policy), signature]);
  }
}

const CREATED = u64(1_700_000_000);
export const newKey = (id, usage) =>
  Buffer.concat([u8(SECP256K1), u32(usage), shortString(id), CREATED, randomBytes(64)]);
export const rotation = (id, to) =>
  Buffer.concat([shortString(id), shortString(to), CREATED, randomBytes(64)]);
export const keyId = shortString;
export const spending = (id, cost) =>
  Buffer.concat([u8(SCHEME_V07), shortString(id), u8(1), sponsorship(cost)]);

// ---- responses --------------------------------------------------------------------

function readKeyInfo(bytes, at) {
  const id = bytes.toString("latin1", at + 1, at + 1 + bytes[at]);
  at += 1 + bytes[at];
  const algorithm = bytes[at];
  at += 1 + 1 + 4 + 8;
  const publicKey = bytes.subarray(at + 1, at + 1 + bytes[at]).toString("hex");
  return { id, algorithm, publicKey, end: at + 1 + bytes[at] + 4 };
}

/** Cuts what the command gives off the records behind it: [answer, where they begin]. */
const READ = {
  [COMMAND.GENERATE]: (r) => [readKeyInfo(r, 1), readKeyInfo(r, 1).end],
  [COMMAND.ROTATE]: (r) => [readKeyInfo(r, 1), readKeyInfo(r, 1).end],
  [COMMAND.SET_POLICY]: (r) => [readKeyInfo(r, 1), readKeyInfo(r, 1).end],
  [COMMAND.DELETE]: () => [{}, 1],
  [COMMAND.PROVISION]: () => [{}, 1],
  [COMMAND.SIGN_SPONSORSHIP]: (r) => [{ item: r.readUInt32LE(2) }, 2 + r[1] * RESULT_SIZE],
  [COMMAND.BEGIN]: (r) => [{ auditKey: r.subarray(1, 66) }, 1 + 65 + 8 + 8 + 32 + 1],
  [COMMAND.CHECKPOINT]: (r) => [
    { sequence: r.readBigUInt64LE(1 + 21), head: r.subarray(1 + 45, 1 + 77) },
    1 + 77 + 65,
  ],
  [COMMAND.LIST](r) {
    const keys = [];
    let at = 3;
    for (let i = 0; i < r[2]; i++) {
      keys.push(readKeyInfo(r, at));
      at = keys.at(-1).end;
    }
    return [{ more: r[1], keys }, at];
  },
  [COMMAND.GET_POLICY](r) {
    const end = 1 + 4 + 2 + r.readUInt16LE(5) + 64 + 16 + 4;
    const spent = BigInt(`0x${r.subarray(end - 20, end - 4).toString("hex")}`);
    return [{ version: r.readUInt32LE(1), spent }, end];
  },
};

// ---- the host ---------------------------------------------------------------------

/** The host's audit log: its tail, since nobody here reads what is before. */
export class HostLog {
  sequence = 0n;
  generation = 0n;
  head = Buffer.alloc(32);
  records = 0;

  /** Those that are new; each must follow, and only BEGIN's may pass numbers over. */
  take(record, auditKey) {
    const sequence = record.readBigUInt64LE(1);
    if (sequence <= this.sequence) return;
    if (record[25] !== COMMAND.BEGIN) assert.equal(sequence, this.sequence + 1n, "no gap");
    if (this.sequence === 0n) this.head = sha256(Buffer.from(GENESIS), auditKey);
    this.head = sha256(this.head, record);
    this.sequence = sequence;
    this.generation = record.readBigUInt64LE(9);
    this.records++;
  }

  tail() {
    const none = this.sequence === 0n;
    return Buffer.concat([
      u64(this.sequence),
      u64(this.generation),
      none ? Buffer.alloc(32) : this.head,
    ]);
  }
}

/** A session with the TA of a machine. log outlives the machine. */
export class TaWire {
  #bytes = Buffer.alloc(0);
  #waiting = [];
  #auditKey;

  constructor(guest, log) {
    this.log = log;
    this.command = new GuestCommand(guest.agentPort, [join(PROGRAMS, "ta-wire")], {
      on: { output: (bytes) => this.#take(bytes), error: (bytes) => (this.said = `${bytes}`) },
    });
    const ended = () => {
      for (const { reject } of this.#waiting.splice(0))
        reject(new Error(`the TA's answer never came ${this.said ?? ""}`));
    };
    this.command.exit.then(ended, ended);
  }

  /** { result, … }: what the command gives. Rejects when the machine has gone before that. */
  call(command, payload = Buffer.alloc(0)) {
    const request = Buffer.concat([u8(VERSION), u64(this.log.sequence), payload]);
    const answer = new Promise((resolve, reject) =>
      this.#waiting.push({ command, resolve, reject }),
    );
    answer.catch(() => {});
    this.command.write(Buffer.concat([u32(command), u32(request.length), request]));
    return answer;
  }

  begin() {
    const payload = [u64(1_800_000_000), randomBytes(64), this.log.tail(), u8(0)];
    return this.call(COMMAND.BEGIN, Buffer.concat(payload));
  }

  #take(bytes) {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    while (this.#bytes.length >= 8) {
      const end = 8 + this.#bytes.readUInt32LE(4);
      if (this.#bytes.length < end) return;
      const { command, resolve, reject } = this.#waiting.shift();
      const result = this.#bytes.readUInt32LE(0);
      try {
        resolve({ result, ...(result ? {} : this.#read(command, this.#bytes.subarray(8, end))) });
      } catch (error) {
        reject(error);
      }
      this.#bytes = this.#bytes.subarray(end);
    }
  }

  #read(command, response) {
    const [answer, at] = READ[command](response);
    if (answer.auditKey) this.#auditKey = Buffer.from(answer.auditKey);
    let from = at + 2;
    for (let i = 0; i < response.readUInt16LE(at); i++) {
      this.log.take(response.subarray(from + 1, from + 1 + response[from]), this.#auditKey);
      from += 1 + response[from];
    }
    assert.equal(from, response.length);
    return answer;
  }
}
