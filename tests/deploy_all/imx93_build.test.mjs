// SPDX-License-Identifier: Apache-2.0
// OP-TEE OS for the i.MX 93 with the layer's own flags and patches, and the TA by its dev kit:
// what was asked for is what came out. No board and no bitbake takes part.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import * as imx93 from "./support/imx93.mjs";
import { built, layer, optee, paths, root, text } from "./support/imx93.mjs";

imx93.buildImx93();

const include = text(layer, "optee-os-superrelay.inc");
const flags = imx93.layerFlags(include, "OPTEE");
const conf = text(paths.conf);
const values = imx93.configuration(conf);
const read = (path) => readFileSync(path);

// The file could lose a line, and a build without it would still be as asked for.
const REQUIRED = {
  CFG_INSECURE: "n",
  CFG_IMX_ELE: "y",
  CFG_WITH_SOFTWARE_PRNG: "y",
  CFG_REE_FS: "y",
  CFG_RPMB_FS: "y",
  CFG_REE_FS_INTEGRITY_RPMB: "y",
  CFG_REE_FS_ALLOW_RESET: "n",
  CFG_RPMB_FS_DEV_ID: "0",
  CFG_RPMB_WRITE_KEY: "n",
  CFG_RPMB_TESTKEY: "n",
  CFG_RPMB_RESET_FAT: "n",
  CFG_TZDRAM_START: "0x96000000",
  CFG_CORE_ASLR: "y",
  CFG_TA_ASLR: "y",
  CFG_WITH_STACK_CANARIES: "y",
  CFG_TEE_CORE_DEBUG: "n",
  CFG_TEE_CORE_LOG_LEVEL: "1",
  CFG_TEE_TA_LOG_LEVEL: "1",
  CFG_ENABLE_EMBEDDED_TESTS: "n",
  CFG_ATTESTATION_PTA: "y",
  CFG_SYSTEM_PTA: "y",
};

// What nobody asks for, and what a platform's makefile or a new release could bring.
const NEVER = [
  ...["INSECURE", "SHOW_CONF_ON_BOOT", "SEMIHOSTING", "SEMIHOSTING_CONSOLE"],
  ...["WITH_STATS", "TA_STATS", "FTRACE_SUPPORT", "SYSCALL_FTRACE", "TA_GPROF_SUPPORT"],
  ...["CORE_DUMP_OOM", "TEE_CORE_MALLOC_DEBUG", "TEE_TA_MALLOC_DEBUG", "RPMB_FS_DEBUG_DATA"],
  ...["TEE_CORE_EMBED_INTERNAL_TESTS", "DT_DRIVER_EMBEDDED_TEST", "TA_BGET_TEST", "SPMC_TESTS"],
  ...["NOTIF_TEST_WD", "TRANSFER_LIST_TEST", "CORE_UNSAFE_MODEXP", "TA_MBEDTLS_UNSAFE_MODEXP"],
  ...["HWRNG_PTA", "SCMI_PTA", "REMOTEPROC_PTA", "WIDEVINE_PTA", "RTC_PTA"],
  ...["SECSTOR_TA", "SECSTOR_TA_MGMT_PTA", "NS_VIRTUALIZATION", "WITH_PAGER"],
].map((name) => `CFG_${name}`);
// Whatever has such a name.
const SUSPICIOUS = /TEST_?KEY/;
// A part that is off cannot use its key.
const VERAISON = "CFG_VERAISON_ATTESTATION_PTA";

function unwanted(all) {
  return Object.entries(all)
    .filter(([name]) => NEVER.includes(name) || SUSPICIOUS.test(name))
    .filter(([name, value]) => value !== "n")
    .filter(([name]) => name !== `${VERAISON}_TEST_KEY` || all[VERAISON] !== "n")
    .map(([name, value]) => `${name}=${value}`);
}

describe("the layer's flags", () => {
  test("stand once each, and every line of the file is a comment or a flag", () => {
    const names = [...flags, ...imx93.layerFlags(include, "TA")].map(([name]) => name);
    assert.deepEqual(names, [...new Set(names)]);
    const other = include.split("\n").filter((line) => line && !line.startsWith("#"));
    assert.equal(other.length, names.length, "a line that only bitbake would read");
  });

  test("have all that keys and storage depend on", () => {
    assert.deepEqual({ ...Object.fromEntries(flags), ...REQUIRED }, Object.fromEntries(flags));
  });

  test("say why, each group of them", () => {
    for (const group of include.split("\n\n")) assert.match(group, /^# /);
  });
});

describe("the core's configuration", () => {
  test("is what the flags ask for, flag by flag", () => {
    assert.ok(flags.length >= Object.keys(REQUIRED).length);
    assert.deepEqual(imx93.differences(flags, conf), []);
  });

  test("shows a flag that came out otherwise, whichever it is", () => {
    for (const [name, value] of flags) {
      const other = value === "y" ? "n" : value === "n" ? "y" : `${value}1`;
      const turned = conf.replace(`\n${name}=${value}\n`, `\n${name}=${other}\n`);
      assert.notEqual(turned, conf);
      assert.deepEqual(imx93.differences(flags, turned), [`${name} is ${other} and not ${value}`]);
    }
  });

  test("shows a flag that make no longer knows", () => {
    const cut = conf.replace("CFG_RPMB_FS=y\n", "");
    assert.deepEqual(imx93.differences(flags, cut), ["CFG_RPMB_FS is not there and not y"]);
  });

  test("is for the i.MX 93's evaluation board, in 64 bits, without CAAM", () => {
    const { PLATFORM, PLATFORM_FLAVOR, CFG_MX93, CFG_ARM64_core, CFG_NXP_CAAM } = values;
    assert.deepEqual([PLATFORM, PLATFORM_FLAVOR], ["imx", "mx93evk"]);
    assert.deepEqual([CFG_MX93, CFG_ARM64_core, CFG_NXP_CAAM], ["y", "y", "n"]);
  });

  test("has nothing of tests, debugging or published keys", () => {
    assert.deepEqual(unwanted(values), []);
    const forgotten = NEVER.filter((name) => !(name in values));
    assert.deepEqual(forgotten, [], "OP-TEE no longer has these names");
  });

  test("would show them", () => {
    for (const name of ["CFG_RPMB_TESTKEY", "CFG_TA_GPROF_SUPPORT", "CFG_INSECURE"])
      assert.deepEqual(unwanted({ ...values, [name]: "y" }), [`${name}=y`]);
    const { length } = unwanted({ ...values, [VERAISON]: "y" });
    assert.equal(length, 1, "the test key of a part that is on");
  });
});

describe("the memory", () => {
  const start = Number(values.CFG_TZDRAM_START);
  const size = Number(values.CFG_TZDRAM_SIZE);
  const shared = Number(values.CFG_SHMEM_SIZE);
  const tfa = join(optee, "source/arm-trusted-firmware/plat/imx/imx93");
  const given = (name) => Number(text(tfa, "platform.mk").match(`${name}\\s*\\?=\\s*(\\w+)`)[1]);

  test("is the range that TF-A starts OP-TEE in", () => {
    assert.equal(start, given("BL32_BASE"));
    assert.equal(size + shared, given("BL32_SIZE"));
  });

  test("is closed to the normal world but for what is shared with it", () => {
    assert.equal(shared, imx93.macro(text(tfa, "trdc_config.h"), "TEE_SHM_SIZE"));
    assert.equal(Number(values.CFG_SHMEM_START), start + size);
  });

  test("is below 4 GiB, where the enclave writes its seed", () => {
    assert.ok(start + size + shared <= 2 ** 32);
  });

  const header = imx93.coreHeader(read(join(paths.core, "tee.bin")));

  test("is where the core's image is to be loaded", () => {
    assert.equal(header.magic, "OPTE");
    assert.deepEqual([header.version, header.architecture, header.paged], [1, 1, 0]);
    assert.equal(header.loadAddress, start);
    assert.equal(imx93.readElf(read(join(paths.core, "tee.elf"))).entry, start);
  });

  test("holds the core, with as much again for TAs", () => {
    assert.ok(header.memory < size / 2, `${header.memory} of ${size} bytes`);
  });

  test("gets the image without its header, which a boot container cannot skip", () => {
    assert.deepEqual(read(join(paths.core, "tee-raw.bin")), header.body);
    assert.equal(header.body.length, header.size);
  });
});

describe("the TA", () => {
  const file = read(paths.ta);
  const ta = imx93.signedTa(file);
  const elf = imx93.readElf(ta.image);
  const contract = text(root, "ta/super_relay_ta/include/super_relay_ta.h");
  const defines = text(root, "ta/super_relay_ta/user_ta_header_defines.h");
  const uuid = contract
    .match(/define SUPER_RELAY_TA_UUID \\\n\s*\{([^}]*)\}/)[1]
    .match(/[0-9a-f]+(?=[,\s}]|$)/g)
    .join("")
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  const key = process.env.SR_TA_SIGN_KEY ?? join(optee, "keys/ta-signing.pem");
  const published = readdirSync(join(built, "source/keys")).filter((name) => name.endsWith(".pem"));

  test("has the header of a signed TA: RSASSA-PSS and SHA-256", () => {
    assert.equal(ta.magic, 0x4f545348);
    assert.equal(ta.type, 1);
    assert.equal(ta.algorithm, 0x70414930);
    assert.deepEqual(ta.hash, createHash("sha256").update(ta.covered).digest());
    assert.equal(ta.size, ta.image.length);
  });

  test("is signed with this checkout's key, of 3072 bits or more", () => {
    assert.ok(imx93.isSignedBy(ta, text(key)));
    assert.ok(createPublicKey(text(key)).asymmetricKeyDetails.modulusLength >= 3072);
  });

  test("is not signed with another, nor with one published with OP-TEE", () => {
    assert.ok(published.length > 0);
    for (const name of published)
      assert.equal(imx93.isSignedBy(ta, text(built, "source/keys", name)), false);
    const other = generateKeyPairSync("rsa", {
      modulusLength: 3072,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    assert.equal(imx93.isSignedBy(ta, other.publicKey), false);
  });

  test("loses its signature with any byte, of the header or of the code", () => {
    for (const at of [8, 20 + ta.hash.length + ta.signature.length + 16, file.length - 1]) {
      const turned = Buffer.from(file);
      turned[at] ^= 1;
      assert.equal(imx93.isSignedBy(imx93.signedTa(turned), text(key)), false, `byte ${at}`);
    }
  });

  test("is trusted by the core, which holds that key's modulus", () => {
    const { n } = createPublicKey(text(key)).export({ format: "jwk" });
    const modulus = Buffer.from(n, "base64url");
    assert.ok(read(join(paths.core, "tee.elf")).includes(modulus));
  });

  test("is at version 0, which the first rollback protection begins with", () => {
    assert.equal(ta.version, 0);
  });

  test("has the contract's UUID, where the loader and where the signature looks", () => {
    assert.match(uuid, /^[0-9a-f-]{36}$/);
    assert.equal(ta.uuid, uuid);
    assert.equal(imx93.taHead(elf).uuid, uuid);
    assert.ok(paths.ta.endsWith(`${uuid}.ta`));
  });

  test("is one instance for all sessions, and stays", () => {
    const flag = { singleInstance: 1 << 2, multiSession: 1 << 3, keepAlive: 1 << 4 };
    const wanted = Object.values(flag).reduce((all, one) => all | one);
    assert.equal(imx93.taHead(elf).flags, wanted);
  });

  test("has the stack and the heap that its source asks for", () => {
    const framework = text(built, "os/export-ta_arm64/src/user_ta_header.c");
    const stack = imx93.macro(framework, "TA_FRAMEWORK_STACK_SIZE");
    assert.equal(imx93.taHead(elf).stack, imx93.macro(defines, "TA_STACK_SIZE") + stack);
    const { symbols } = imx93.readElf(read(paths.unstripped));
    const heap = symbols.find(({ name }) => name === "ta_heap");
    assert.equal(heap.size, imx93.macro(defines, "TA_DATA_SIZE"));
  });

  test("is a position-independent arm64 file without symbols", () => {
    assert.deepEqual([elf.class, elf.type, elf.machine], [2, 3, 183]);
    const names = elf.sections.map(({ name }) => name);
    for (const name of [".symtab", ".strtab", ".debug_info"])
      assert.ok(!names.includes(name), name);
  });

  test("imports nothing, and its code is not relocated", () => {
    const NEEDED = 1;
    const TEXTREL = 22;
    const R_AARCH64_RELATIVE = 1027;
    assert.deepEqual(elf.symbols.filter((s) => s.name && s.undefined), []);
    const tags = elf.dynamic.map(([tag]) => tag);
    assert.ok(tags.length > 0 && !tags.includes(NEEDED) && !tags.includes(TEXTREL));
    assert.ok(elf.relocations.length > 0);
    assert.ok(elf.relocations.every((type) => type === R_AARCH64_RELATIVE));
  });

  test("has no memory that can be written and executed, and no executable stack", () => {
    assert.ok(elf.segments.length >= 3);
    for (const { flags: access } of elf.segments) assert.notEqual(access & 3, 3);
  });

  test("has neither plaintext import nor test commands nor RNDR in it", () => {
    const names = new Set(imx93.readElf(read(paths.unstripped)).symbols.map(({ name }) => name));
    assert.ok(names.has("ta_entropy_features"), "the symbols are those of the TA");
    const wanted = Object.fromEntries(imx93.layerFlags(include, "TA"));
    assert.deepEqual(wanted, {
      CFG_SR_TA_RNDR: "n",
      CFG_SR_TA_TEE_RANDOM_TRUSTED: "y",
      CFG_SR_DEV_IMPORT: "n",
      CFG_SR_TEST_HOOKS: "n",
    });
    assert.ok(!existsSync(join(built, "ta/cmd_test.o")));
    const listing = spawnSync(
      "aarch64-linux-gnu-objdump",
      ["--disassemble", "--no-show-raw-insn", paths.unstripped],
      { encoding: "utf8", maxBuffer: 2 ** 28 },
    ).stdout;
    assert.match(listing, /<ta_cpu_random>:/);
    assert.doesNotMatch(listing, /\b(s3_3_c2_c4_[01]|rndrr?s?)\b/i);
  });
});

test("the dev kit for others holds no private key", () => {
  assert.ok(existsSync(join(built, "os/export-ta_arm64/mk/ta_dev_kit.mk")));
  assert.ok(!existsSync(join(built, "os/export-ta_arm64/keys")));
});
