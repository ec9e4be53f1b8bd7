// SPDX-License-Identifier: Apache-2.0
// What the recipes of the Yocto layer do: what they install, what they depend on, what they change
// of other layers, and that their refusals refuse.
import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";

import { root, run, workspace } from "../e2e/support/processes.mjs";
import {
  BOARD,
  filesOf,
  localFiles,
  parse,
  pathOf,
  readLayer,
  recipe,
} from "./support/recipes.mjs";

const UUID = "12345678-5b69-11d4-9fee-00c04f4c3456";
const APPENDS = filesOf(".bbappend");
const project = (path) => readFileSync(join(root, path), "utf8");
const relay = recipe("super-relay");
const ta = recipe("super-relay-ta");
const secp256k1 = recipe("libsecp256k1");

describe("the relay's recipe", () => {
  const RECIPE_OF = { libllhttp: "llhttp", libcurl: "curl", libcrypto: "openssl", threads: null };

  test("depends on each library that meson.build asks for, and on OP-TEE's header", () => {
    const wanted = [...project("meson.build").matchAll(/ dependency\('(\w+)'/g)]
      .map(([, name]) => (name in RECIPE_OF ? RECIPE_OF[name] : name))
      .filter(Boolean);
    assert.ok(wanted.length >= 7);
    assert.deepEqual(relay.words("DEPENDS").sort(), [...wanted, "optee-client"].sort());
  });

  test("gives meson options that it has", () => {
    const options = project("meson_options.txt");
    for (const word of relay.words("EXTRA_OEMESON")) {
      const [, name] = /^-D(\w+)=/.exec(word);
      assert.ok(name === "werror" || options.includes(`option('${name}'`), word);
    }
  });

  test("pulls in what is only loaded or asked at run time", () => {
    assert.deepEqual(relay.words("RDEPENDS").sort(), [
      "ca-certificates",
      "optee-client",
      "super-relay-ta",
    ]);
  });

  test("enables the unit that the project has, and makes its user as the unit expects it", () => {
    assert.ok(["systemd", "useradd", "meson"].every((name) => relay.inherited.includes(name)));
    const unit = relay.value("SYSTEMD_SERVICE");
    const text = project(`systemd/${unit}`);
    const [, user] = /^User=(.*)$/m.exec(text);
    const parameters = relay.value("USERADD_PARAM");
    assert.ok(parameters.endsWith(` ${user}`));
    assert.match(parameters, /--groups tee,teeclnt .*\/nologin/);
    const groups = relay.value("GROUPADD_PARAM").split("; ");
    assert.deepEqual(groups, ["--system tee", "--system teeclnt", `--system --gid 801 ${user}`]);
  });

  test("gives its user and group a number that no image changes", () => {
    // the operator's signature holds the group's, and the state on the partition belongs to both
    assert.match(relay.value("USERADD_PARAM"), /^--system --uid 801 --gid super-relay /);
  });

  /** Runs do_install after meson's, with the given variables: the directory of the package. */
  async function install(of, variables = {}) {
    const package_ = mkdtempSync(join(workspace, "package-"));
    const none = { SUPERRELAY_ENVIRONMENT: "" };
    const paths = { S: root, D: package_, sysconfdir: "/etc", ...none, ...variables };
    const script = of.body("do_install").replace(/\$\{(\w+)\}/g, (whole, name) =>
      name in paths ? paths[name] : of.expand(whole),
    );
    const { status, stderr } = await run("sh", ["-euc", script]);
    assert.equal(status, 0, stderr);
    return package_;
  }

  test("installs the board's configuration, and another machine's own", async () => {
    const at = "etc/super-relay/config.toml";
    const board = await install(relay);
    assert.equal(readFileSync(join(board, at), "utf8"), project("config/imx93-config.toml"));
    const other = await install(recipe("super-relay", { board: false }));
    assert.equal(readFileSync(join(other, at), "utf8"), project("config/optee-config.toml"));
    assert.equal(existsSync(join(other, "etc/super-relay/environment")), false);
    assert.deepEqual(relay.words("CONFFILES"), ["${sysconfdir}/super-relay/config.toml"]);
  });

  test("installs variables so that root alone reads them", async () => {
    const file = join(workspace, "variables");
    writeFileSync(file, "ETH_NODE_URL=https://node.example\n", { mode: 0o644 });
    const installed = await install(relay, { SUPERRELAY_ENVIRONMENT: file });
    const mode = statSync(join(installed, "etc/super-relay/environment")).mode & 0o777;
    assert.equal(mode, 0o600);
  });

  test("the TA's installs the TA where OP-TEE looks for it, for reading alone", async () => {
    const build = mkdtempSync(join(workspace, "build-"));
    writeFileSync(join(build, `${UUID}.ta`), "compiled");
    const variables = { B: build, nonarch_base_libdir: "/usr/lib", SUPERRELAY_SIGNED_TA: "" };
    const own = join(await install(ta, variables), `usr/lib/optee_armtz/${UUID}.ta`);
    assert.equal(readFileSync(own, "utf8"), "compiled");
    assert.equal(statSync(own).mode & 0o777, 0o444);

    const signed = join(workspace, "signed.ta");
    writeFileSync(signed, "signed offline");
    const given = await install(ta, { ...variables, SUPERRELAY_SIGNED_TA: signed });
    const offline = join(given, `usr/lib/optee_armtz/${UUID}.ta`);
    assert.equal(readFileSync(offline, "utf8"), "signed offline");
  });
});

describe("the TA's recipe", () => {
  const flags = ta.words("EXTRA_OEMAKE");

  test("gives the Makefile all that it asks for", () => {
    const makefile = project("ta/super_relay_ta/Makefile");
    for (const name of ["TA_DEV_KIT_DIR", "CROSS_COMPILE", "SECP256K1_DIR"]) {
      assert.match(makefile, new RegExp(`^# +${name} `, "m"));
      assert.ok(flags.some((word) => word.startsWith(`${name}=`)), name);
    }
    assert.ok(flags.includes("TA_DEV_KIT_DIR=${STAGING_INCDIR}/optee/export-user_ta"));
    assert.ok(flags.includes("CROSS_COMPILE=${HOST_PREFIX}"));
    assert.ok(makefile.includes(`BINARY = ${UUID}`));
    assert.equal(ta.value("TA_UUID"), UUID);
  });

  test("finds libsecp256k1's sources where its recipe puts them", () => {
    assert.ok(flags.includes("SECP256K1_DIR=${STAGING_DATADIR}/libsecp256k1/source"));
    assert.match(secp256k1.body("do_install"), /\$\{D\}\$\{datadir\}\/libsecp256k1\/source\//);
    assert.ok(ta.words("DEPENDS").includes("libsecp256k1"));
    assert.match(secp256k1.value("EXTRA_OECMAKE"), /-DSECP256K1_ENABLE_MODULE_RECOVERY=ON/);
  });

  test("has the dev kit, and Python as OP-TEE's scripts want it", () => {
    for (const name of ["optee-os-tadevkit", "python3-cryptography-native"])
      assert.ok(ta.words("DEPENDS").includes(name), name);
    assert.ok(ta.inherited.includes("python3native"));
    assert.equal(ta.value("OPENSSL_MODULES"), "${STAGING_LIBDIR_NATIVE}/ossl-modules");
    assert.ok(ta.words("CFLAGS").includes("--sysroot=${STAGING_DIR_HOST}"));
    assert.deepEqual(ta.words("RDEPENDS"), ["optee-client"]);
    assert.deepEqual(ta.words("FILES"), ["${nonarch_base_libdir}/optee_armtz"]);
    for (const name of ["INHIBIT_PACKAGE_STRIP", "INHIBIT_PACKAGE_DEBUG_SPLIT"])
      assert.equal(ta.value(name), "1", `${name}: stripping breaks the signature`);
  });

  test("trusts OP-TEE's generator on the i.MX 93 alone", () => {
    assert.ok(flags.includes("CFG_SR_TA_TEE_RANDOM_TRUSTED=y"));
    assert.ok(flags.includes("CFG_SR_TA_RNDR=n"), "the Cortex-A55 has no RNDR");
    const elsewhere = recipe("super-relay-ta", { board: false }).value("EXTRA_OEMAKE");
    assert.doesNotMatch(elsewhere, /CFG_SR_/);
  });

  const key = join(workspace, "key.pem");
  writeFileSync(key, "");
  /** Runs the check of keys with these variables; those that are not given are empty. */
  function check(variables) {
    const script = ta.body("superrelay_check_ta_key").replace(
      /\$\{(SUPERRELAY_\w+)\}/g,
      (_, name) => variables[name] ?? "",
    );
    const tools = 'bbfatal() { echo "$*" >&2; exit 1; }; bbwarn() { echo "warning: $*" >&2; }';
    return run("sh", ["-euc", `${tools}\n${script}`]);
  }
  const refused = {
    "nothing was chosen": [{}, /no key signs the Trusted Application: set SUPERRELAY_TA_SIGN_KEY/],
    "a public key without a TA": [{ SUPERRELAY_TA_PUBLIC_KEY: key }, /needs SUPERRELAY_SIGNED_TA/],
    "a TA without a public key": [{ SUPERRELAY_SIGNED_TA: key }, /needs SUPERRELAY_TA_PUBLIC_KEY/],
    "private and public key": [
      { SUPERRELAY_TA_SIGN_KEY: key, SUPERRELAY_TA_PUBLIC_KEY: key, SUPERRELAY_SIGNED_TA: key },
      /the private key has no business here/,
    ],
    "a key that is not there": [{ SUPERRELAY_TA_SIGN_KEY: `${key}.no` }, /is no file/],
  };
  for (const [what, [variables, reason]] of Object.entries(refused))
    test(`refuses ${what}`, async () => {
      const { status, stderr } = await check(variables);
      assert.equal(status, 1);
      assert.match(stderr, reason);
    });

  test("takes a private key, a TA signed offline, or warns of the published key", async () => {
    const own = { SUPERRELAY_TA_SIGN_KEY: key };
    const offline = { SUPERRELAY_TA_PUBLIC_KEY: key, SUPERRELAY_SIGNED_TA: key };
    for (const variables of [own, offline])
      assert.deepEqual(await check(variables), { status: 0, signal: null, stdout: "", stderr: "" });
    const { status, stderr } = await check({ SUPERRELAY_TEST_KEYS: "1" });
    assert.equal(status, 0);
    assert.match(stderr, /^warning: .*this image protects no keys$/m);
  });

  test("asks before it compiles", () => {
    assert.match(ta.body("do_compile"), /^ *superrelay_check_ta_key\n *oe_runmake /);
  });
});

describe("what is changed of meta-freescale", () => {
  const os = recipe("optee-os");
  const kit = recipe("optee-os-tadevkit");
  const client = recipe("optee-client");

  test("is changed for the i.MX 93 alone", () => {
    for (const path of APPENDS)
      for (const { variable, flag, overrides, name } of parse(path)) {
        if (flag) continue;
        const found = variable ? variable.split(":") : overrides;
        assert.ok(found.includes(BOARD), `${path}: ${variable ?? name}`);
      }
  });

  test("is any version's, since releases have different ones", () => {
    assert.deepEqual(APPENDS.map((path) => basename(path)), [
      "optee-client_%.bbappend",
      "optee-os-tadevkit_%.bbappend",
      "optee-os_%.bbappend",
    ]);
  });

  test("OP-TEE is built for this board, for production, with RPMB and a key of the device", () => {
    assert.equal(os.value("OPTEEMACHINE"), "imx-mx93evk");
    const flags = os.words("EXTRA_OEMAKE");
    for (const flag of [
      "CFG_INSECURE=n",
      "CFG_IMX_ELE=y",
      "CFG_RPMB_FS=y",
      "CFG_RPMB_FS_DEV_ID=0",
      "CFG_RPMB_WRITE_KEY=n",
      "CFG_RPMB_TESTKEY=n",
      "CFG_TZDRAM_START=0x96000000",
    ])
      assert.ok(flags.includes(flag), flag);
    const names = flags.filter((word) => word.startsWith("CFG_")).map((word) => word.split("=")[0]);
    assert.equal(new Set(names).size, names.length, "no flag stands twice");
  });

  test("OP-TEE and its dev kit have the same flags, sources and check, but for the key", () => {
    for (const name of ["OPTEEMACHINE", "SRC_URI", "FILESEXTRAPATHS"])
      assert.equal(kit.value(name), os.value(name), name);
    const keys = /SUPERRELAY_TA_SIGN_KEY|SUPERRELAY_TA_PUBLIC_KEY/;
    assert.match(os.value("EXTRA_OEMAKE"), keys);
    assert.doesNotMatch(kit.value("EXTRA_OEMAKE"), keys, "its export holds a copy of the key");
    const plain = (of) => of.words("EXTRA_OEMAKE").filter((word) => /^CFG_\w+=\w+$/.test(word));
    assert.deepEqual(plain(kit), plain(os));
  });

  test("an OP-TEE whose keys can be guessed is neither compiled nor handed on", () => {
    for (const of of [os, kit]) {
      assert.ok(localFiles(of).map(pathOf).includes("check-optee.sh"));
      assert.match(of.body("do_compile"), /^ *bash \$\{SUPERRELAY_CHECK\} source \$\{S\}$/m);
    }
    const lines = os.body("do_compile").split("\n").map((line) => line.trim());
    assert.ok(lines.includes("bash ${SUPERRELAY_CHECK} core ${OBJDUMP} ${B}/core/tee.elf"));
    assert.ok(lines.includes("bash ${SUPERRELAY_CHECK} key ${PYTHON} ${S} ${B}/core"));
    const check = readLayer("recipes-security/optee-imx/files/check-optee.sh");
    for (const mode of ["source:2", "core:3", "key:4"])
      assert.ok(check.includes(`\n${mode})`), mode);
  });

  test("every patch is applied", () => {
    const applied = localFiles(os).map(pathOf).filter((name) => name.endsWith(".patch"));
    assert.deepEqual(applied, filesOf(".patch").map((path) => basename(path)));
  });

  test("tee-supplicant emulates no RPMB, and is refused when it would", async () => {
    const options = client.words("EXTRA_OECMAKE");
    for (const option of ["-DRPMB_EMU=OFF", "-DCFG_TA_TEST_PATH=OFF"])
      assert.ok(options.includes(option), option);
    const build = mkdtempSync(join(workspace, "cmake-"));
    const script = client.body("do_configure").replaceAll("${B}", build);
    const configure = () => run("sh", ["-euc", `bbfatal() { exit 1; }\n${script}`]);
    writeFileSync(join(build, "build.ninja"), "DEFINES = -DCFG_GP_SOCKETS=1\n");
    assert.equal((await configure()).status, 0);
    writeFileSync(join(build, "build.ninja"), "DEFINES = -DCFG_GP_SOCKETS=1 -DRPMB_EMU=1\n");
    assert.equal((await configure()).status, 1);
  });

  test("a tee-supplicant that emulates all the same is not packaged", async () => {
    const package_ = mkdtempSync(join(workspace, "supplicant-"));
    const script = client.body("do_install").replaceAll("${D}", package_);
    const install = () => run("sh", ["-euc", `bbfatal() { exit 1; }\n${script}`]);
    const program = join(package_, "tee-supplicant");
    writeFileSync(program, "\u007fELF\0Could not open /dev/mmcblk%urpmb\0");
    assert.equal((await install()).status, 0);
    writeFileSync(program, "\u007fELF\0Emulating more than 1 RPMB partition is not supported\0");
    assert.equal((await install()).status, 1);
  });

  test("tee-supplicant writes below what the state's partition is mounted at", () => {
    const parent = "-DCFG_TEE_FS_PARENT_PATH=${localstatedir}/lib/tee";
    assert.ok(client.words("EXTRA_OECMAKE").includes(parent));
  });

  test("the device for clients is the group's that the relay's user is in", () => {
    assert.equal(client.value("TEE_GROUP_NAME"), "tee");
    assert.match(relay.value("USERADD_PARAM"), /--groups tee,teeclnt /);
  });
});
