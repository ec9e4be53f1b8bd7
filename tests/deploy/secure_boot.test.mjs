// SPDX-License-Identifier: Apache-2.0
// scripts/secure-boot-imx93.sh up to the image: what it computes and verifies is compared with
// containers made here; what it refuses, by name.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";

import { flash, newSet, SECOND_SET } from "./support/ahab.mjs";
import { OPTIONS, bench, boot, conf, dry, inputs, words } from "./support/bench.mjs";
import { directory, file, isRefused, root, succeeded, tools } from "./support/board.mjs";

const exec = promisify(execFile);

/** tee.elf of a build: what is loaded, and where its calls lead, as a disassembler shows them. */
function build(loaded, seed) {
  const elf = Buffer.alloc(0x100);
  elf.write("7f454c4602", "hex");
  elf.writeUInt32LE(64, 32);
  elf.writeUInt32LE(1, 64);
  elf.writeUInt32LE(0x100, 72);
  const calls = { tee_cryp_init: ["plat_rng_init"], plat_rng_init: seed };
  const call = (callee) => `  4:\tbl\t8 <${callee}>\n`;
  const listing = Object.entries(calls)
    .map(([name, to]) => `0 <${name}>:\n${to.map(call).join("")}`);
  const objdump = file("objdump", `#!/bin/sh\ncat <<'END'\n${listing.join("\n")}END\n`, 0o755);
  return { elf: file("tee.elf", Buffer.concat([elf, Buffer.from(loaded)])), objdump };
}

/** A PATH with nothing but what starts the script. */
function withBash() {
  const made = tools({});
  for (const name of ["bash", "setpriv"]) symlinkSync(`/usr/bin/${name}`, join(made, name));
  return made;
}

// ---- dry run --------------------------------------------------------------------------------

describe("the dry run", OPTIONS, () => {
  test("goes through everything without tools, shows each command, and leaves nothing behind",
    async () => {
      // as it is first run: in a checkout, where real keys would be refused
      const checkout = directory("checkout");
      const cwd = join(checkout, "empty");
      for (const name of [join(checkout, ".git"), cwd]) mkdirSync(name);
      const result = await boot(["--dry-run"], { cwd, env: { PATH: "/usr/bin:/bin" } });

      const said = succeeded(result);
      for (const command of ["openssl genpkey", "nxpimage ahab export --config", "write-fuse",
        "nxpimage bootable-image export", "forward-lifecycle-update --lifecycle oem_closed",
        "dd if=flash.bin of=/dev/mmcblk0boot0", "seek=32", "get-events"])
        assert.ok(said.includes(command), command);
      assert.match(said, /commands of their own, which all never runs: burn, prove, close/);
      assert.deepEqual(readdirSync(cwd), []);
      const records = said.split("\n").filter((line) => line.startsWith("  record "));
      const steps = records.map((line) => JSON.parse(line.slice(9)).step);
      for (const step of ["keys", "table", "config", "verify", "fuses", "burn", "prove", "close"])
        assert.ok(steps.includes(step), step);
    });

  test("says of nothing that it is right, or done", async () => {
    assert.doesNotMatch(succeeded(await boot(["--dry-run"])), /^ {2}ok /m);
  });

  test("is understood before and after the command, from a directory of any name", async () => {
    const odd = join(directory("cwd"), "it's a \u00e9 \"name\"");
    mkdirSync(odd);
    // and from a shell that has exported what it does with patterns
    const env = { PATH: "/usr/bin:/bin", HOME: undefined, BASHOPTS: "failglob:nocasematch" };
    for (const words of [["--dry-run", "all"], ["all", "--dry-run"], ["--dry-run", "keys"]])
      succeeded(await boot(words, { cwd: odd, env }));
    for (const words of [["all", "--help"], ["--dry-run", "--help"], ["-h"], ["help"]])
      assert.match(succeeded(await boot(words, { cwd: odd })), /--dry-run/);
    const byPath = { PATH: `${join(root, "scripts")}:/usr/bin:/bin` };
    const status = ["secure-boot-imx93.sh", "status", "--work", "w", "--dry-run"];
    await exec("bash", status, { cwd: odd, env: byPath });
    assert.deepEqual(readdirSync(odd), []);
  });

  test("an option without its value does not take the next option for it", async () => {
    for (const words of [["burn", "--work", "--dry-run"], ["burn", "--image", "", "--dry-run"],
      ["--bogus", "x"], ["bogus"], ["all", "all"]]) {
      const cwd = directory("empty");
      const { status, stderr } = await boot(words, { cwd });
      assert.equal(status, 2, stderr);
      assert.deepEqual(readdirSync(cwd), [], words.join(" "));
    }
  });

  test("says which program is missing", async () => {
    const result = await boot(["--dry-run"], { env: { PATH: withBash() } });

    assert.equal(result.status, 1);
    assert.match(result.stderr, /the program readlink is not on PATH/);
  });

  test("of each command alone ends well, too", async () => {
    for (const command of ["keys", "table", "config", "sign", "verify", "write-command", "fuses",
      "status", "burn", "prove", "close"])
      succeeded(await dry([command]));
  });
});

// ---- refusals -------------------------------------------------------------------------------

const refusedConf = [
  ["optee-platform", { PLATFORM_FLAVOR: "mx8mqevk" }, /mx8mqevk/],
  ["optee-insecure", { CFG_INSECURE: "y" }, /same on every board/],
  ["optee-rpmb", { CFG_RPMB_FS: "n" }, /older storage/],
  ["optee-rpmb", { CFG_REE_FS_INTEGRITY_RPMB: "n" }, /put back unnoticed/],
  ["rpmb-test-key", { CFG_RPMB_TESTKEY: "y" }, /sources of OP-TEE/],
  ["optee-random", { CFG_IMX_ELE: "n" }, /source of random numbers/],
  ["rpmb-write-key", { CFG_RPMB_WRITE_KEY: "y" }, /factory/],
  ["tee-address", { CFG_TZDRAM_START: "0xbe000000" }, /not linked/],
];

describe("what the public plan gets wrong is refused", OPTIONS, () => {
  for (const [name, over, why] of refusedConf)
    test(`in OP-TEE's build: ${Object.entries(over)[0].join("=")}`, async () => {
      isRefused(await dry(["config", "--optee-conf", conf(over)]), name, why);
    });

  test("and a build without them is not", async () => {
    succeeded(await dry(["config", "--optee-conf", conf()]));
  });

  test("but an RPMB key is programmed by an image that says so, and closes nothing", async () => {
    const factory = conf({ CFG_RPMB_WRITE_KEY: "y" });

    succeeded(await dry(["config", "--optee-conf", factory, "--factory"]));
    isRefused(await dry(["close", "--factory"]), "factory-image");
  });

  test("another chip's family", async () => {
    isRefused(await dry(["all", "--family", "mimx8mq"]), "wrong-family", /other fuses/);
  });

  test("OP-TEE with its own header, or with the key that everybody has", async () => {
    const header = inputs({ "tee.bin": Buffer.from("OPTE and so on") });
    const key = "a65a18adc0b3cee30c902b7d409bacbb5a4988420ab1e092c08691e69eefa0e1";
    const known = Buffer.concat([Buffer.from("raw"), Buffer.from(key, "hex")]);
    const open = inputs({ "tee.bin": known });

    isRefused(await dry(["config", "--inputs", header]), "tee-header", /tee-raw\.bin/);
    isRefused(await dry(["config", "--inputs", open]), "ta-test-key", /TA_PUBLIC_KEY/);
  });

  test("OP-TEE that does not show what seeds its random numbers", async () => {
    const unfixed = inputs({ "tee.bin": "raw, of a release up to 4.10" });
    const words = ["config", "--inputs", unfixed, "--optee-conf"];

    isRefused(await dry([...words, conf()]), "optee-random", /can be guessed/);
    succeeded(await dry([...words, conf({ CFG_WITH_SOFTWARE_PRNG: "n" })]));
    succeeded(await dry(["config", "--inputs", inputs(), "--optee-conf", conf()]));
  });

  test("tee.elf that shows another seed, or is not of this OP-TEE", async () => {
    const good = ["imx_mu_call", "crypto_rng_init", "__do_panic"];
    const from = inputs({ "tee.bin": "raw and mended in its own way" });
    const judged = ({ elf, objdump }) =>
      boot(["config", "--dry-run", "--inputs", from, "--optee-conf", conf(), "--optee-elf", elf],
        { env: { OBJDUMP: objdump } });

    assert.match(succeeded(await judged(build("raw and mended in its own way, and more", good))),
      /seeded by the enclave/);
    isRefused(await judged(build("raw and mended in its own way", good.slice(1))), "optee-random");
    isRefused(await judged(build("raw, of another build's sources", good)), "optee-random",
      /another build/);
  });

  test("a signer's secret in the list of processes", async () => {
    for (const secret of ["pin=1234", "PASSWORD=x", "so_pin=1", "url=https://me:x@host/"])
      isRefused(await dry(["config", "--signer", `type=pkcs11;${secret}`]), "secret-in-argv");
    succeeded(await dry(["config", "--signer", "type=pkcs11;token_label=a;user_pin=/run/pin"]));
  });

  test("OP-TEE that does not trust the operator's key for Trusted Applications", async () => {
    const { publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    const pem = file("ta.pem", publicKey);
    const { n } = createPublicKey(publicKey).export({ format: "jwk" });
    const modulus = Buffer.from(n, "base64url");
    const trusting = inputs({ "tee.bin": Buffer.concat([Buffer.from("raw"), modulus]) });

    isRefused(await dry(["config", "--inputs", inputs(), "--ta-public-key", pem]), "ta-key");
    succeeded(await dry(["config", "--inputs", trusting, "--ta-public-key", pem]));
  });

  test("keys where others can read them, and keys in a checkout", async () => {
    const open = directory("open-keys");
    const inside = directory("checkout");
    const loose = directory("loose", 0o700);
    mkdirSync(join(inside, ".git"));
    writeFileSync(join(loose, "srk0.pem"), "any", { mode: 0o644 });

    isRefused(await dry(["keys", "--keys", open]), "keys-readable", /mode 755/);
    isRefused(await dry(["keys", "--keys", loose]), "keys-readable", /private key.*644/);
    isRefused(await dry(["keys", "--keys", join(inside, "deep/keys")]), "keys-in-checkout");
    // what goes to the machine at the board
    const work = join(directory("work"), "boot");
    for (const keys of [work, join(work, "keys"), join(work, "../boot/srk")])
      isRefused(await dry(["keys", "--work", work, "--keys", keys]), "keys-in-work");
  });

  test("an image that revokes the key that signs it", async () => {
    isRefused(await dry(["config", "--srk", "1", "--revoke", "0x2"]), "revoked-key");
  });

  test("--yes, in every form", async () => {
    for (const word of ["--yes", "-y", "--force"]) isRefused(await dry(["burn", word]), "no-yes");
  });

  test("what is no container, at any offset", async () => {
    const tee = file("tee.bin", "OPTE".repeat(100));

    for (const command of ["verify", "write-command"])
      isRefused(await dry([command, "--image", tee]), "not-a-container", /inside flash\.bin/);
  });

  const plan = {
    "optee-platform": "make PLATFORM=imx-mx8mqevk",
    "dd-optee": "dd if=tee.bin of=/dev/mmcblk0 bs=512 seek=2048",
    "ta-owner": "chown -R optee:optee /lib/optee_armtz/*.ta",
    teepriv: 'device = "/dev/teepriv0"',
    "rpmb-test-key": "CFG_RPMB_TESTKEY := y",
    "rpmb-write-key": "CFG_RPMB_WRITE_KEY=y",
    "optee-insecure": "CFG_INSECURE ?= y",
    "optee-random": "CFG_IMX_ELE = n",
    "tee-address": "CFG_TZDRAM_START=0xbe000000",
    "cloud-tee": 'gcloud container clusters create relay # kms_backend = "optee"',
    "close-unproven": "ahab_close",
  };
  const more = [["ta-owner", "chown optee:optee x.ta"], ["teepriv", "  - /dev/teepriv0:/dev/tee0"],
    ["tee-address", "CFG_TZDRAM_START ?= 0x9600000"],
    ["tee-address", "CFG_TZDRAM_START=0x960000000"]];
  for (const [name, line] of [...Object.entries(plan), ...more])
    test(`in a script: ${line}`, async () => {
      const result = await boot(["check", file("plan.sh", `#!/bin/sh\n${line}\n`)]);

      isRefused(result, "mistakes", new RegExp(`\\[${name}\\]`));
      assert.match(result.stderr, /line 2:/);
    });

  test("and none of them is in this project's own files", async () => {
    const own = ["config", "docker", "k8s", "systemd", "meta-superrelay"]
      .map((name) => join(root, name))
      .filter(existsSync)
      .flatMap((name) => readdirSync(name, { recursive: true }).map((file) => join(name, file)))
      .filter((name) => statSync(name).isFile());

    assert.ok(own.length > 0);
    succeeded(await boot(["check", ...own]));
  });

  test("and a script without them is not", async () => {
    const text = 'dd if=flash.bin of=/dev/mmcblk0boot0 bs=64K\ndevice = "/dev/tee0"\n' +
      "CFG_TZDRAM_START=0x96000000\nCFG_RPMB_WRITE_KEY=n\nCFG_IMX_ELE=y\n";
    const good = file("good.sh", text);
    const cwd = directory("empty");
    const result = await boot(["check", "--", good], { cwd });

    succeeded(result);
    assert.deepEqual(readdirSync(cwd), []);
  });
});

// ---- keys, table, image ---------------------------------------------------------------------

describe("the key set", OPTIONS, () => {
  for (const curve of ["P-384", "P-521"])
    test(`of ${curve} has the hash of its SRK table, is private, is never replaced`, async () => {
      const { work, keys, hash, run, env } = await bench({ curve });
      const said = succeeded(await run("fuses"));

      assert.equal(readFileSync(join(work, "srk.hash"), "utf8").trim(), hash);
      words(hash).forEach((word, i) =>
        assert.ok(said.includes(`write-fuse --index ${128 + i} --data 0x${word}`), word));
      assert.equal(statSync(keys).mode & 0o777, 0o700);
      for (const i of [0, 1, 2, 3])
        assert.equal(statSync(join(keys, `srk${i}.pem`)).mode & 0o777, 0o600);
      const again = await boot(["keys", "--work", work, "--keys", keys], { env });
      assert.equal(again.status, 1);
      assert.match(again.stderr, /left as it is/);
    });

  test("with another hash than the boards have is refused, and an exchanged one", async () => {
    const { work, run } = await bench();
    const other = await bench({ own: true });

    isRefused(await run("table", ["--srk-hash", other.hash]), "srk-hash", /never take another/);
    succeeded(await run("table"));
    writeFileSync(join(work, "srk/srk2.pub"), readFileSync(join(other.work, "srk/srk2.pub")));
    isRefused(await run("table"), "srk-hash", /changed the set/);
  });

  test("whose making was cut off is made anew, and whose public halves are lost has them again",
    async () => {
      const work = join(directory("with space"), "work");
      const keys = join(directory("with space"), "keys");
      const words = ["keys", "--work", work, "--keys", keys];
      mkdirSync(join(keys, ".unfinished"), { recursive: true, mode: 0o700 });
      writeFileSync(join(keys, ".unfinished/srk0.pem"), "half a key", { mode: 0o600 });
      succeeded(await boot(words));
      assert.deepEqual(readdirSync(keys), [0, 1, 2, 3].map((i) => `srk${i}.pem`));
      const table = async () =>
        succeeded(await boot(["table", "--work", work])).match(/[0-9a-f]{64}/)[0];
      const hash = await table();
      rmSync(join(work, "srk"), { recursive: true });
      succeeded(await boot(words));
      assert.equal(await table(), hash);

      // a set of which some are gone is nobody's to fill up, nor are public halves overwritten
      rmSync(join(keys, "srk2.pem"));
      const kept = await boot(["keys", "--work", work, "--keys", join(keys, "../other")]);
      assert.match(kept.stderr, /left as it is/);
      rmSync(join(work, "srk/srk3.pub"));
      assert.match((await boot(words)).stderr, /3 of a set's four/);

      const others = ["keys", "--work", work, "--keys", join(keys, "../others")];
      const before = readFileSync(join(work, "srk/srk0.pub"));
      assert.match((await boot(others)).stderr, /is of another key than/);
      assert.deepEqual(readFileSync(join(work, "srk/srk0.pub")), before);
      assert.deepEqual(readdirSync(join(work, "srk")), [0, 1, 2].map((i) => `srk${i}.pub`));
    });

  test("is not made where everybody writes", async () => {
    const work = directory("everybody");
    chmodSync(work, 0o777);
    const keys = join(directory("safe", 0o700), "keys");

    isRefused(await boot(["keys", "--work", work, "--keys", keys]), "directory-writable");
    assert.ok(!existsSync(keys));
  });

  test("of three keys is none", async () => {
    const { work, run } = await bench();
    writeFileSync(join(work, "srk/srk3.pub"), readFileSync(join(work, "srk/srk0.pub")));
    const { status, stderr } = await run("table");

    assert.equal(status, 1);
    assert.match(stderr, /are the same/);
  });
});

describe("an image", OPTIONS, () => {
  for (const [what, options] of [["P-384", {}], ["P-521 and the third key",
    { curve: "P-521", image: { used: 2, revoke: 1 } }]])
    test(`signed with ${what} verifies`, async () => {
      const { run, hash } = await bench(options);
      const said = succeeded(await run("verify"));

      assert.match(said, /OP-TEE at 0x96000000, in a container that our keys signed/);
      assert.ok(said.includes(hash));
    });

  const tampered = {
    "in OP-TEE": [(b) => b.write("X", b.length - 1000), /has not the hash/],
    "in SPL": [(b) => b.write("X", SECOND_SET - 100), /has not the hash/],
    "in a header": [(b) => b.writeUInt16LE(7, SECOND_SET + 8), /signature.*does not verify/],
    "in SPL's header": [(b) => b.writeUInt16LE(7, 0x400 + 8), /signature.*does not verify/],
    "by being cut": [(b) => b.subarray(0, b.length - 100), /cut off/],
  };
  for (const [where, [change, message]] of Object.entries(tampered))
    test(`changed ${where} does not`, async () => {
      const { work, set, run } = await bench();
      const bytes = flash(set);
      const changed = change(bytes);
      writeFileSync(join(work, "flash.bin"), Buffer.isBuffer(changed) ? changed : bytes);
      const { status, stdout, stderr } = await run("verify");

      assert.equal(status, 1, stdout);
      assert.match(stderr, message);
    });

  test("signed with another set, by its own revoked key, or by nobody, is refused", async () => {
    const { work, set, run } = await bench();
    const put = (bytes) => writeFileSync(join(work, "flash.bin"), bytes);

    put(flash(newSet()));
    isRefused(await run("verify"), "srk-hash", /does not start any more/);
    put(flash(set, { set: 0 }));
    isRefused(await run("verify"), "unsigned", /closed board does not start/);
    put(flash(set, { revoke: 1 }));
    assert.match((await run("verify")).stderr, /revokes the key that signed it/);
    put(flash(set, { nxp: 2 }));
    assert.equal((await run("verify")).status, 1);
  });

  test("that loads OP-TEE where it was not linked is refused", async () => {
    const { run } = await bench({ image: { tee: 0xbe000000 } });

    isRefused(await run("verify"), "tee-address", /0xbe000000/);
    succeeded(await run("verify", ["--tee-address", "0xbe000000"]));
  });
});
