// SPDX-License-Identifier: Apache-2.0
// scripts/provision.sh: the whole way for real, with the built super-relay and the simulator, the
// test being the operator on another machine; the checks of a device against recorders.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { directory, file, isRefused, lines, root, succeeded, tools } from "./support/board.mjs";
import {
  POLICY,
  WAITING,
  commission,
  finish,
  provision,
  relay,
  sign,
} from "./support/commission.mjs";

const OPTIONS = { timeout: 90_000, concurrency: 4 };
const bin = tools({ mmc: "fake_mmc.sh" });
const UID = "0123456789abcdef0011223344556677";
const HASH = "5a".repeat(32);
const TEST_KEY = "d3eb3ec36e334c9f988ce2c0b85954610d2bcf8664844df2ab56e6c61bb701e4";

function snapshot(dir) {
  const hash = (name) => createHash("sha256").update(readFileSync(join(dir, name))).digest("hex");
  return readdirSync(dir).map((name) => [name, hash(name)]);
}

async function isUnderPolicy({ at, ask }, id) {
  const shown = await ask(["policy", "show", id]);
  const { digest } = await relay(["policy", "digest", at(`${id}.toml`)]);

  assert.equal(shown.version, 1);
  assert.equal(shown.digest, digest);
}

describe("provisioning a simulator for real", OPTIONS, () => {
  test("asks the operator twice, ends with keys under their policies and a record", async () => {
    const all = await commission();
    const first = await all.run();
    assert.equal(first.status, WAITING, first.stderr);
    assert.deepEqual(await sign(all, first.stdout), ["provision.signature"]);
    const second = await all.run(["--resume"]);
    assert.equal(second.status, WAITING, second.stderr);
    assert.deepEqual(await sign(all, second.stdout),
      ["primary.policy.signature", "executor.policy.signature"]);
    succeeded(await all.run(["--resume"]));

    const record = JSON.parse(readFileSync(all.at("dir/record.json"), "utf8"));
    const operator = readFileSync(join(all.there, "operator.key.pub"), "utf8").trim();
    assert.equal(record.ta.operator, `0x${operator}`);
    assert.equal(record.ta.build, "development");
    assert.match(record.board.simulator, /neither life cycle nor RPMB was checked/);
    assert.deepEqual(record.keys.map(({ id, usage, origin }) => [id, usage, origin]),
      [["primary", "sponsor", "generated"], ["executor", "transaction", "generated"]]);
    for (const key of record.keys) {
      const { publicKey, address } = await all.ask(["keys", "show", key.id]);
      assert.equal(key.publicKey, publicKey);
      assert.equal(key.address, address);
      await isUnderPolicy(all, key.id);
      const statement = readFileSync(all.at(`dir/${key.id}.statement`));
      assert.equal(key.statementSha256, createHash("sha256").update(statement).digest("hex"));
    }
  });

  test("holds no secret in what it leaves and says, and finds none on the relay's machine",
    async () => {
      const all = await commission();
      const result = await finish(all);
      const said = succeeded(result) + result.stderr;
      const secret = readFileSync(join(all.there, "operator.key"), "utf8").trim();
      const left = readdirSync(all.at("dir")).map((name) =>
        readFileSync(all.at(`dir/${name}`), "utf8"));

      for (const text of [said, ...left]) assert.ok(!text.includes(secret));
      assert.ok(!existsSync(all.at("operator.key")));
    });

  test("a second time changes nothing", async () => {
    const all = await commission();
    succeeded(await finish(all));
    const before = snapshot(all.at("dir"));
    const keys = await all.ask(["keys", "list"]);

    for (const more of [[], ["--resume"]])
      assert.match(succeeded(await all.run(more)), /nothing has changed since 20/);
    assert.deepEqual(snapshot(all.at("dir")), before);
    assert.deepEqual(await all.ask(["keys", "list"]), keys);
  });

  for (const step of ["closed", "rpmb", "operator", "keys", "policies", "record"])
    test(`that is killed after '${step}' goes on with --resume, to the same end`, async () => {
      const all = await commission();
      let killed = false;
      const onOutput = (said, kill) => {
        if (killed || !said.includes(`done  ${step}\n`)) return;
        killed = true;
        kill();
      };
      const first = await finish(all, { onOutput });
      assert.ok(killed && (first.signal === "SIGKILL" || step === "record"), first.stderr);
      const { keys } = await all.ask(["keys", "list"]);

      succeeded(await finish(all));
      for (const id of ["primary", "executor"]) await isUnderPolicy(all, id);
      // a key that was there is the key that is there
      const after = (await all.ask(["keys", "list"])).keys;
      for (const { id, publicKey } of keys)
        assert.equal(after.find((key) => key.id === id).publicKey, publicKey);
    });

  test("that is killed again and again, at any moment, ends the same", async () => {
    const all = await commission();
    for (let killAfter = 100; killAfter <= 800; killAfter += 100) await finish(all, { killAfter });

    succeeded(await finish(all));
    for (const id of ["primary", "executor"]) await isUnderPolicy(all, id);
    assert.equal((await all.ask(["keys", "list"])).keys.length, 2);
    // its exit status is 0 only when the whole chain holds
    await all.ask(["audit", "verify", "--allow-unsigned"]);
  });

  test("that meets a full disk leaves no half of a file, and goes on with room", async () => {
    const all = await commission();
    for (const fileSize of [50, 300, 600]) {
      const begun = existsSync(all.at("dir/plan"));
      const { status, stderr } = await all.run(begun ? ["--resume"] : [], { fileSize });
      assert.equal(status, 1, stderr);
      const left = readdirSync(all.at("dir"));
      assert.deepEqual(left.filter((name) => name.endsWith(".new")), []);
      assert.ok(!left.includes("plan") || fileSize > 50);
    }
    succeeded(await finish(all));
  });

  test("ends after the step that --until names", async () => {
    const all = await commission();
    const said = succeeded(await all.run(["--until", "rpmb"]));

    assert.match(said, /done {2}rpmb\n$/);
    assert.deepEqual(await all.ask(["keys", "list"]), { keys: [] });
  });
});

describe("the wrong order and the wrong hands", OPTIONS, () => {
  test("keys before the operator are refused", async () => {
    const all = await commission();
    await all.ask(["keys", "generate", "early"]);

    isRefused(await all.run(), "keys-before-operator", /nobody knows by whom/);
  });

  test("another operator's TA is left alone", async () => {
    const all = await commission();
    const other = await commission();
    const key = join(other.there, "operator.key");
    await all.ask(["provision", "--operator-key", key, "--development"]);

    isRefused(await all.run(), "other-operator", /storage is erased/);
  });

  test("a signature of somebody else does nothing", async () => {
    const all = await commission();
    const other = await commission();
    const { stdout } = await all.run();
    const orders = stdout.replace(/^ {4}super-relay attest.*$/gm, "");
    await sign({ there: other.there, at: all.at }, orders);
    const result = await all.run(["--resume"]);

    assert.equal(result.status, 1);
    assert.match(result.stderr, /another statement|operator/);
    assert.match(result.stderr, /then --resume/);
    assert.deepEqual(await all.ask(["keys", "list"]), { keys: [] });
  });

  test("a key that was made by other means is not taken for ours", async () => {
    const all = await commission();
    await sign(all, (await all.run()).stdout);
    succeeded(await all.run(["--resume", "--until", "operator"]));
    await all.ask(["keys", "generate", "primary", "--usage", "digest"]);

    isRefused(await all.run(["--resume"]), "other-key", /made by other means/);
  });

  test("another policy than the one that is set is no commissioning", async () => {
    const all = await commission();
    succeeded(await finish(all));
    rmSync(all.at("dir/record.json"));
    rmSync(all.at("dir/plan"));
    writeFileSync(all.at("primary.toml"), POLICY.replace("0.05 eth", "0.5 eth"));

    isRefused(await all.run(), "other-policy", /higher version/);
  });

  test("a changed plan is refused, and one that is begun wants --resume", async () => {
    const all = await commission();
    assert.equal((await all.run()).status, WAITING);

    isRefused(await all.run(), "begun", /--resume/);
    writeFileSync(all.at("primary.toml"), POLICY.replace("1000", "2000"));
    isRefused(await all.run(["--resume"]), "plan-changed");
  });

  test("--resume of nothing, and a directory of everybody's, are refused", async () => {
    const all = await commission();

    isRefused(await all.run(["--resume"]), "not-begun");
    assert.ok(!existsSync(all.at("dir")));
    mkdirSync(all.at("dir"));
    chmodSync(all.at("dir"), 0o777);
    isRefused(await all.run(), "directory-writable");
    assert.deepEqual(readdirSync(all.at("dir")), []);
  });

  test("a policy that is none is found out before anything is begun", async () => {
    const all = await commission({ policy: "chain_ids = [31337]\n" });
    const result = await all.run();

    assert.equal(result.status, 1);
    assert.match(result.stderr, /entry_points[^]*Nothing was begun/);
    assert.ok(!existsSync(all.at("dir")));
    writeFileSync(all.at("primary.toml"), POLICY);
    assert.equal((await all.run()).status, WAITING);
  });

  test("a directory for the state that is not there is not made, for root alone", async () => {
    const all = await commission();
    const result = await all.run(["--dir", all.at("state/provisioning")]);

    assert.equal(result.status, 1);
    assert.match(result.stderr, /state' is not there/);
    assert.ok(!existsSync(all.at("state")));
  });

  test("a relay that is not there is said to be so, before anything is done", async () => {
    const all = await commission();
    const result = await all.run([], { env: { SUPER_RELAY_BIN: "no-such-program" } });

    assert.equal(result.status, 1);
    assert.match(result.stderr, /the program 'no-such-program' is not there/);
    assert.ok(!existsSync(all.at("dir")));
  });

  test("a key that was deleted and made again is not signed for by its old statement", async () => {
    const all = await commission();
    await sign(all, (await all.run()).stdout);
    succeeded(await all.run(["--resume", "--until", "keys"]));
    const file = all.at("dir/primary.new-key.statement");
    const old = readFileSync(all.at("dir/executor.new-key.statement"));
    writeFileSync(file, old);
    assert.equal((await all.run(["--resume"])).status, WAITING);

    assert.notDeepEqual(readFileSync(file), old);
  });

  test("a record that says something else is not overwritten", async () => {
    const all = await commission();
    succeeded(await finish(all));
    const record = all.at("dir/record.json");
    const text = readFileSync(record, "utf8").replace(/"address":"0x./, '"address":"0x_');
    writeFileSync(record, text);

    isRefused(await all.run(), "record-differs");
    assert.equal(readFileSync(record, "utf8"), text);
  });

  test("the operator's private key is refused wherever it turns up", async () => {
    const all = await commission();
    const key = file("operator.key", "11".repeat(32), 0o600);
    const both = directory("both");
    for (const name of ["operator.key", "operator.key.pub"])
      copyFileSync(join(all.there, name), join(both, name));

    isRefused(await provision(["--operator", key, "--dry-run"]), "operator-private", /another/);
    isRefused(await provision(["--operator-key", key]), "operator-private");
    isRefused(await provision(["--operator", join(both, "operator.key.pub"), "--dry-run"]),
      "operator-private", /lies on this machine/);
  });
});

// ---- the device ---------------------------------------------------------------------------------

const status = (uid, lifeCycle) =>
  JSON.stringify({ time: "2026-01-01T00:00:00Z", step: "status", uid, lifeCycle, srkHash: HASH });

/** A closed board with an RPMB key, but for what the test says. */
async function device({ record = [status(UID, "OEM_CLSD")], uid = UID, fuses, rpmb = HASH } = {}) {
  const all = await commission();
  const fake = directory("fake");
  if (rpmb) writeFileSync(join(fake, "rpmb-key"), rpmb);
  const words = [...all.words, "--user", "root", "--group", "root", "--boot-record",
    file("boot.jsonl", `${record.join("\n")}\n`), "--uid-file", file("uid", `${uid}\n`)];
  const shown = Buffer.from("00".repeat(512) + (fuses ?? ""), "hex");
  if (fuses) words.push("--fuses-file", file("fuses", shown));
  const env = { PATH: `${bin}:${process.env.PATH}`, FAKE: fake };
  const run = (until) => provision([...words, "--until", until], { env });
  return { all, fake, words, env, run, calls: () => lines(join(fake, "calls")) };
}

describe("a device that is not ready", OPTIONS, () => {
  const refusals = {
    "is open": [{ record: [status(UID, "OEM_OPEN")] }, "not-closed", /Close it first/],
    "was open when it was last asked": [
      { record: [status(UID, "OEM_CLSD"), status(UID, "OEM_OPEN")] }, "not-closed", /OEM_OPEN/],
    "is not in the record": [
      { record: [status("f".repeat(32), "OEM_CLSD")] }, "no-status", /status/],
    "has other fuses": [{ fuses: "33".repeat(32) }, "fuses-not-equal", /3333/],
  };
  for (const [what, [options, name, why]] of Object.entries(refusals))
    test(`because it ${what} is refused before its RPMB is asked`, async () => {
      const { run, calls } = await device(options);

      isRefused(await run("record"), name, why);
      assert.deepEqual(calls(), []);
    });

  test("because its RPMB has no key, or the test key, is refused", async () => {
    const blank = await device({ rpmb: "" });
    const known = await device({ rpmb: TEST_KEY });

    isRefused(await blank.run("record"), "rpmb-blank", /--factory/);
    isRefused(await known.run("record"), "rpmb-test-key", /Replace the eMMC/);
  });

  test("is not guessed about: an RPMB that does not answer is an error", async () => {
    const { run } = await device({ rpmb: "busy" });
    const { status: code, stderr } = await run("rpmb");

    assert.equal(code, 1);
    assert.match(stderr, /cannot be told.*busy/s);
  });

  test("with the simulator as its TA is refused", async () => {
    const { run, all } = await device();

    isRefused(await run("record"), "development-build", /production build/);
    assert.deepEqual(await all.ask(["keys", "list"]), { keys: [] });
  });
});

describe("a device that is ready", OPTIONS, () => {
  const swapped = UID.match(/.{8}/g)
    .map((word) => word.match(/../g).reverse().join(""))
    .join("");
  const forms = { "as the enclave says it": UID, "with its words' bytes turned": swapped,
    "in capitals, with the words turned": UID.match(/.{8}/g).reverse().join("").toUpperCase() };

  for (const [form, uid] of Object.entries(forms))
    test(`passes with the chip's number ${form}, and equal or hidden fuses`, async () => {
      for (const fuses of [undefined, HASH, "00".repeat(32)]) {
        const { run } = await device({ uid, fuses });
        assert.match(succeeded(await run("rpmb")), /is not the test key; write counter 0x00000cef/);
      }
    });
});
