// SPDX-License-Identifier: Apache-2.0
// The audit log that the relay and the TA make, checked by docs/audit.md alone, and what
// `super-relay audit` says of it and of manipulated copies.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";

import { bytesToHex, hexToBytes, recoverPublicKey } from "viem";

import { workspace } from "./support/processes.mjs";
import { cli, cliJson, writeConfig } from "./support/relay.mjs";

const TIMEOUT = { timeout: 60_000 };
const FAILED = 1;
const USAGE = 2;
const COMMANDS = { generate_key: 0, delete_key: 4, begin: 8, rotate_key: 18 };
const DECISIONS = { ok: 0, item_not_found: 0xffff0008, access_conflict: 0xffff0003 };

const sha256 = (...pieces) => pieces.reduce((h, p) => h.update(p), createHash("sha256")).digest();
const u32 = (n) => {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(n);
  return out;
};
const u64 = (n) => {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt(n));
  return out;
};

/** A record's bytes, as "The chain" in docs/audit.md has them. */
function recordBytes(line) {
  // decimal, or 0x-prefixed for BEGIN: BigInt reads both
  const value = Buffer.from(BigInt(line.value).toString(16).padStart(32, "0"), "hex");
  return Buffer.concat([
    Buffer.from([1]),
    u64(line.seq),
    u64(line.generation),
    u64(line.time),
    Buffer.from([COMMANDS[line.command]]),
    u32(DECISIONS[line.decision]),
    u32(line.policyVersion),
    value,
    hexToBytes(line.digest),
    Buffer.from([line.key.length]),
    Buffer.from(line.key),
  ]);
}

const linesOf = (path) => readFileSync(path, "utf8").trimEnd().split("\n");

describe("audit", TIMEOUT, () => {
  let config;
  let log;
  let lines;
  let counter = 0;

  const audit = (words, options) => cli(["audit", ...words], options);

  /** A copy of the log with other lines. */
  function copy(change) {
    const path = join(workspace, `audit-copy-${counter++}.jsonl`);
    const copied = [...lines];
    change(copied);
    writeFileSync(path, `${copied.join("\n")}\n`);
    return path;
  }

  async function found(change, words = []) {
    const path = copy(change);
    const { status, stdout } = await audit(["verify", ...words, path, "--json"]);
    const report = JSON.parse(stdout);
    assert.equal(status, report.holds ? 0 : FAILED, stdout);
    return report;
  }

  before(async () => {
    log = join(workspace, "audit-e2e.jsonl");
    config = writeConfig({ "optee_kms.security": { audit_logging: true, audit_log: log } });
    for (const id of ["one", "two", "three"])
      await cliJson(["keys", "generate", id, "--config", config]);
    await cli(["keys", "delete", "two", "--config", config]);
    const { status } = await cli(["keys", "delete", "two", "--config", config]);
    assert.equal(status, FAILED);
    await cliJson(["audit", "checkpoint", "--config", config]);
    lines = linesOf(log);
  });

  test("is private, and holds by the document's word alone", async () => {
    const [header, ...rest] = lines.map((line) => JSON.parse(line));
    const auditKey = hexToBytes(header.auditKey);
    let head = sha256("SuperRelay audit 1", auditKey);
    let last = 0;
    let checkpoints = 0;

    assert.equal(statSync(log).mode & 0o777, 0o600);
    assert.equal(header.superRelayAudit, 1);
    assert.equal(header.ta, "12345678-5b69-11d4-9fee-00c04f4c3456");
    for (const line of rest) {
      if (line.checkpoint) {
        const bytes = Buffer.from(hexToBytes(line.checkpoint));
        const signer = await recoverPublicKey({
          hash: bytesToHex(sha256(bytes)),
          signature: line.signature,
        });
        assert.equal(signer, header.auditKey);
        assert.equal(bytes.subarray(0, 5).toString("latin1"), "SRAC\x01");
        assert.equal(bytes.readBigUInt64LE(21), BigInt(last));
        assert.deepEqual(bytes.subarray(45), head);
        checkpoints++;
        continue;
      }
      head = sha256(head, recordBytes(line));
      assert.equal(line.head, bytesToHex(head));
      if (line.command === "begin") assert.equal(line.follows, last);
      else assert.equal(line.seq, last + 1);
      last = line.seq;
    }
    assert.ok(checkpoints >= 1);

    const report = await cliJson(["audit", "verify", "--key", header.auditKey, log]);
    assert.equal(report.holds, true);
    assert.equal(report.keyGiven, true);
    assert.equal(report.lastSequence, last);
    assert.equal(report.head, bytesToHex(head));
    assert.equal(report.checkpoints, checkpoints);
    assert.equal(report.unsigned, 0);
  });

  test("has a record of every act on a key", async () => {
    const { stdout } = await audit(["show", "--json", log]);
    const acts = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter(({ command }) => command !== "begin")
      .map(({ command, key, decision }) => `${command} ${key} ${decision}`);
    assert.deepEqual(acts, [
      "generate_key one ok",
      "generate_key two ok",
      "generate_key three ok",
      "delete_key two ok",
      "delete_key two item_not_found",
    ]);
    const shown = await audit(["show", log]);
    assert.equal(shown.status, 0);
    assert.match(shown.stdout, /checkpoint of record \d+/);
    assert.match(shown.stdout, /delete_key +item_not_found +key=two/);
  });

  test("names each manipulation and its first record", async () => {
    const at = lines.findIndex((line) => line.includes('"generate_key"') && line.includes('"two"'));
    const { seq } = JSON.parse(lines[at]);
    const place = ({ fault, line, first }) => [fault, line, first];
    // the record before it, whatever stands between
    const previous = lines.slice(0, at).findLastIndex((line) => line.startsWith('{"seq"'));

    assert.deepEqual(
      place(await found((l) => (l[at] = l[at].replace('"two"', '"owt"')))),
      ["changed", at + 1, seq],
    );
    assert.deepEqual(place(await found((l) => l.splice(at, 1))), ["dropped", at + 1, seq]);
    assert.deepEqual(
      place(await found((l) => ([l[previous], l[at]] = [l[at], l[previous]]))),
      ["reordered", previous + 1, seq],
    );
    assert.deepEqual(place(await found((l) => l.splice(at, 0, l[at], l[at]))), [
      "added",
      at + 2,
      seq,
    ]);
    const cut = await found((l) => l.splice(at, l.length), ["--checkpoint", log]);
    assert.equal(cut.fault, "truncated");
    assert.equal(cut.first, seq);
  });

  test("names another key, a missing signature and a wrong command line", async () => {
    const other = `0x04${"79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"}${"483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"}`;
    assert.equal((await found(() => {}, ["--key", other])).fault, "other_chain");
    const unsigned = (l) => l.splice(0, l.length, ...lines.filter((x) => !x.includes("checkpoint")));
    assert.equal((await found(unsigned)).fault, "unsigned");
    assert.equal((await found(unsigned, ["--allow-unsigned"])).holds, true);
    for (const words of [
      [],
      ["verify", "a", "b"],
      ["verify", "--key", "0x12", log],
      ["verify", "--since", "yesterday", log],
      ["verify", "--expect-head", "0x00", log],
      ["checkpoint", log],
      ["nonsense"],
    ])
      assert.equal((await audit(words)).status, USAGE, words.join(" "));
    assert.equal((await audit(["verify", join(workspace, "none.jsonl")])).status, FAILED);
  });

  test("goes on behind a line that a crash tore", async () => {
    const whole = statSync(log).size;
    appendFileSync(log, '{"seq":99,"gener');
    assert.equal((await audit(["verify", log])).status, FAILED);
    await cliJson(["keys", "generate", "four", "--config", config]);
    assert.ok(statSync(log).size > whole);
    assert.equal((await cliJson(["audit", "verify", log])).holds, true);
  });
});
