// SPDX-License-Identifier: Apache-2.0
// The images of the Yocto layer: the one for service, into which nobody can log in, and the one to
// commission boards with, which must not be taken for it; and the state that both leave alone.
import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";

import { root, run, workspace } from "../e2e/support/processes.mjs";
import { filesOf, localFiles, pathOf, readLayer, recipe } from "./support/recipes.mjs";

const project = (path) => readFileSync(join(root, path), "utf8");
const image = recipe("super-relay-image");
const commissioning = recipe("super-relay-commissioning-image");
const provisioning = recipe("super-relay-provisioning");
const STATE = "recipes-superrelay/super-relay-state/files";
const REFUSES = 'bbfatal() { echo "$*" >&2; exit 1; }; bbwarn() { echo "$*" >&2; }';

/** A root file system, and what a function of an image says of it. */
function fileSystem(passwords) {
  const path = mkdtempSync(join(workspace, "rootfs-"));
  for (const directory of ["etc", "usr/sbin"]) mkdirSync(join(path, directory), { recursive: true });
  writeFileSync(join(path, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  const lines = Object.entries(passwords).map(([name, value]) => `${name}:${value}:15069::::::\n`);
  writeFileSync(join(path, "etc/shadow"), lines.join(""));
  return path;
}

function ask(of, name, path) {
  const paths = { IMAGE_ROOTFS: path, sysconfdir: "/etc", sbindir: "/usr/sbin" };
  const body = of.body(name).replace(/\$\{(\w+)\}/g, (_, variable) => paths[variable]);
  assert.notEqual(body, "", name);
  return run("sh", ["-euc", `${REFUSES}\n${body}`]);
}

describe("the image for service", () => {
  test("has relay, TA and state, a read-only root, and no way to log in", () => {
    const packages = image.words("IMAGE_INSTALL");
    for (const name of ["super-relay", "super-relay-ta", "super-relay-state", "optee-client"])
      assert.ok(packages.includes(name), name);
    assert.ok(!packages.includes("super-relay-provisioning"));
    assert.deepEqual(image.words("IMAGE_FEATURES"), ["read-only-rootfs"]);
    const removed = image.items.find((item) => item.variable === "IMAGE_FEATURES:remove").value;
    for (const name of ["debug-tweaks", "empty-root-password", "allow-empty-password"])
      assert.ok(removed.split(" ").includes(name), name);
  });

  test("is refused when an account has no password, however that came about", async () => {
    assert.ok(image.words("IMAGE_QA_COMMANDS").includes("superrelay_check_logins"));
    const closed = fileSystem({ root: "*", "super-relay": "!" });
    assert.equal((await ask(image, "superrelay_check_logins", closed)).stderr, "");
    for (const passwords of [{ root: "" }, { root: "*", guest: "" }]) {
      const open = fileSystem(passwords);
      const { status, stderr } = await ask(image, "superrelay_check_logins", open);
      assert.equal(status, 1);
      assert.match(stderr, /an account without a password/);
    }
    const old = fileSystem({ root: "*" });
    writeFileSync(join(old, "etc/passwd"), "root::0:0:root:/root:/bin/sh\n");
    assert.equal((await ask(image, "superrelay_check_logins", old)).status, 1);
  });

  test("is refused with what makes keys on a board", async () => {
    const path = fileSystem({ root: "*" });
    writeFileSync(join(path, "usr/sbin/super-relay-provision"), "");
    const { status, stderr } = await ask(image, "superrelay_check_logins", path);
    assert.equal(status, 1);
    assert.match(stderr, /super-relay-commissioning-image alone/);
  });

  test("of another machine has neither the partition nor what needs it", () => {
    for (const name of ["super-relay-image", "super-relay-commissioning-image"]) {
      const other = recipe(name, { board: false });
      assert.equal(other.value("WKS_FILE"), "");
      assert.ok(!other.words("IMAGE_FEATURES").includes("read-only-rootfs"));
      assert.ok(!other.words("IMAGE_INSTALL").includes("super-relay-state"));
    }
  });

  test("has a recipe for every package of ours, and so has the other", () => {
    const names = filesOf(".bb").map((path) => basename(path).split(/_|\.bb/)[0]);
    for (const of of [image, commissioning])
      for (const name of of.words("IMAGE_INSTALL").filter((word) => word.startsWith("super-relay")))
        assert.ok(names.includes(name), name);
  });
});

describe("the image to commission boards with", () => {
  const packages = commissioning.words("IMAGE_INSTALL");

  test("has all that the image for service has, and what makes keys", () => {
    for (const name of [...image.words("IMAGE_INSTALL"), "super-relay-provisioning"])
      assert.ok(packages.includes(name), name);
    assert.equal(commissioning.value("WKS_FILE"), image.value("WKS_FILE"));
    assert.notEqual(image.value("WKS_FILE"), "");
  });

  test("lets root in at the console, by features of both releases, and has no server for it", () => {
    const features = commissioning.words("IMAGE_FEATURES");
    assert.deepEqual(features, ["empty-root-password", "allow-empty-password"]);
    const removed = commissioning.items
      .find((item) => item.variable === "IMAGE_FEATURES:remove").value.split(" ");
    for (const name of ["allow-root-login", "ssh-server-dropbear", "ssh-server-openssh"])
      assert.ok(removed.includes(name), name);
  });

  test("is refused with a server that would let root in", async () => {
    assert.ok(commissioning.words("IMAGE_QA_COMMANDS").includes("superrelay_check_servers"));
    const path = fileSystem({ root: "" });
    assert.equal((await ask(commissioning, "superrelay_check_servers", path)).stderr, "");
    for (const server of ["sshd", "dropbear"]) {
      const served = fileSystem({ root: "" });
      writeFileSync(join(served, "usr/sbin", server), "");
      const { status, stderr } = await ask(commissioning, "superrelay_check_servers", served);
      assert.equal(status, 1);
      assert.match(stderr, /anybody could log in/);
    }
  });

  test("says at its build, before and after each log-in what it is", async () => {
    assert.ok(commissioning.value("ROOTFS_POSTPROCESS_COMMAND").includes("superrelay_mark_image"));
    const path = fileSystem({ root: "" });
    writeFileSync(join(path, "etc/issue"), "a distribution \\n \\l\n");
    const { status, stderr } = await ask(commissioning, "superrelay_mark_image", path);
    assert.equal(status, 0);
    assert.match(stderr, /root has no password/);
    for (const name of ["issue", "issue.net", "motd"]) {
      const text = readFileSync(join(path, "etc", name), "utf8");
      assert.match(text, /^COMMISSIONING IMAGE: root has no password\. Not for service/m);
    }
    assert.match(readFileSync(join(path, "etc/issue"), "utf8"), /^a distribution/);
  });

  test("is not built where what runs the relay as its user would be missing", () => {
    for (const of of [commissioning, provisioning]) {
      assert.ok(of.inherited.includes("features_check"));
      assert.equal(of.value("REQUIRED_DISTRO_FEATURES"), "pam");
    }
  });
});

describe("what makes keys on a board", () => {
  async function install() {
    const path = mkdtempSync(join(workspace, "provisioning-"));
    const paths = { S: root, D: path, sbindir: "/usr/sbin", datadir: "/usr/share" };
    const body = provisioning.body("do_install");
    const script = body.replace(/\$\{(\w+)\}/g, (_, variable) => paths[variable]);
    const { status, stderr } = await run("sh", ["-euc", script]);
    assert.equal(status, 0, stderr);
    return path;
  }

  test("is installed whole: it shows all its steps from there", { timeout: 60_000 }, async () => {
    const path = await install();
    const command = join(path, "usr/sbin/super-relay-provision");
    const { status, stdout, stderr } = await run(command, ["--dry-run"]);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^== 6 of 6, /m);
    assert.equal(statSync(command).mode & 0o777, 0o755);
    assert.equal(readlinkSync(command), "../share/super-relay/provision.sh");
    const board = readdirSync(join(root, "scripts/board")).sort();
    assert.deepEqual(readdirSync(join(path, "usr/share/super-relay/board")).sort(), board);
  });

  test("is taken from the checkout", () => {
    const taken = localFiles(provisioning).map(pathOf);
    for (const name of ["scripts/provision.sh", "scripts/board", "LICENSE"])
      assert.ok(taken.includes(name), name);
  });

  test("comes with the programs that it calls", () => {
    const PACKAGE = { runuser: "util-linux-runuser", flock: "util-linux-flock", sed: "sed" };
    Object.assign(PACKAGE, { mmc: "mmc-utils", grep: "grep", "super-relay": "super-relay" });
    const board = filesIn("scripts/board").map((name) => project(`scripts/board/${name}`));
    const text = [project("scripts/provision.sh"), ...board].join("\n");
    const needed = provisioning.words("RDEPENDS");
    const [, own] = /^for tool in (.*); do$/m.exec(text);
    for (const program of [...own.split(" "), ...Object.keys(PACKAGE)]) {
      assert.match(text, new RegExp(`\\b${program} `), program);
      assert.ok(needed.includes(PACKAGE[program] ?? "coreutils"), program);
    }
    assert.ok(needed.includes("bash"));
    const glibc = provisioning.items.find((item) => /RDEPENDS.*libc-glibc/.test(item.variable));
    assert.match(text, /\bgetent /);
    assert.equal(glibc.value.trim(), "glibc-utils");
  });

  function filesIn(path) {
    return readdirSync(join(root, path)).filter((name) => name.endsWith(".sh"));
  }
});

describe("the state", () => {
  const wks = readLayer(`recipes-superrelay/images/${image.value("WKS_FILE")}`);
  const parts = wks.split("\n").filter((line) => line.startsWith("part "));
  const [boot, kernel, rootfs, state] = parts;

  test("is on the partition that is mounted at /var/lib", () => {
    // the one name that all releases of meta-freescale deploy it under
    assert.match(boot, /--source rawcopy .*"file=imx-boot" .*--align \$\{IMX_BOOT_SEEK\}/);
    assert.match(rootfs, /^part \/ .*--exclude-path=var\/lib\//);
    assert.match(state, /^part \/var\/lib .*--change-directory=var\/lib .*--label superrelay /);
    assert.match(state, /--no-fstab-update/);
    const mount = readLayer(`${STATE}/var-lib.mount`);
    assert.match(mount, /^What=\/dev\/disk\/by-label\/superrelay$/m);
    assert.match(mount, /^Where=\/var\/lib$/m);
    assert.match(mount, /^RequiredBy=local-fs\.target$/m);
  });

  test("begins at one place in all images, which the documentation names", () => {
    const sizes = [kernel, rootfs, state].map((part) => {
      assert.match(part, /--align 8192( |$)/);
      return Number(/--fixed-size (\d+)( |$)/.exec(part)?.[1]);
    });
    // the first begins at 8 MiB, and each of these sizes is a multiple of the alignment
    for (const size of sizes) assert.equal(size % 8, 0);
    const begin = 8 + sizes[0] + sizes[1];
    assert.match(wks, new RegExp(`^# .*begins at ${begin} MiB`, "m"));
    const page = project("docs/yocto.md");
    const named = [...page.matchAll(/head -c (\d+)M\b/g)].map(([, number]) => Number(number));
    assert.ok(named.length > 0);
    for (const number of named) assert.equal(number, begin);
    assert.match(page, new RegExp(`\\b${begin} MiB\\b`));
  });

  test("is not taken from tee-supplicant by being late, or by another image's numbers", () => {
    const of = recipe("super-relay-state");
    const unit = readLayer(`${STATE}/tee-supplicant.conf`);
    assert.match(unit, /^RequiresMountsFor=\/var\/lib\/tee$/m);
    assert.match(unit, /^StateDirectory=tee$/m);
    assert.match(of.body("do_install"), /\/tee-supplicant@\.service\.d\/50-super-relay\.conf/);
    assert.deepEqual(localFiles(of).map(pathOf), readdirSync(join(root, "meta-superrelay", STATE)));
  });

  test("has its counter where a tee-supplicant that is not root reaches it", () => {
    const of = recipe("super-relay-state");
    const rules = readLayer(`${STATE}/rpmb.rules`).split("\n").filter((line) => /^[A-Z]/.test(line));
    assert.deepEqual(rules, ['KERNEL=="mmcblk[0-9]*rpmb", GROUP="teepriv", MODE="0660"']);
    assert.equal(of.value("GROUPADD_PARAM"), "--system teepriv");
    assert.ok(of.inherited.includes("useradd"));
    assert.match(of.body("do_install"), /\/udev\/rules\.d\/80-super-relay-rpmb\.rules/);
    assert.match(of.value("FILES"), /\$\{nonarch_base_libdir\}\/udev/);
  });

  // The unit of optee-client, as far as it matters here: udev starts it before anything is mounted.
  const SUPPLICANT = `[Unit]
DefaultDependencies=no
After=dev-%i.device
Wants=dev-%i.device
Conflicts=shutdown.target
Before=sysinit.target shutdown.target
[Service]
ExecStart=/bin/true
`;

  test("systemd understands the mount and the settings, and finds an order for them", async () => {
    const units = join(workspace, "mount-units");
    const files = {
      "var-lib.mount": readLayer(`${STATE}/var-lib.mount`),
      "var-volatile-lib.service": "[Service]\nExecStart=/bin/true\n",
      "var-volatile-lib.service.d/50-super-relay.conf": readLayer(`${STATE}/volatile-lib.conf`),
      "tee-supplicant@.service": SUPPLICANT,
      "tee-supplicant@.service.d/50-super-relay.conf": readLayer(`${STATE}/tee-supplicant.conf`),
    };
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(units, name, ".."), { recursive: true });
      writeFileSync(join(units, name), text);
    }
    const env = { SYSTEMD_UNIT_PATH: `${units}:`, SYSTEMD_LOG_COLOR: "0" };
    const names = ["var-lib.mount", "var-volatile-lib.service", "tee-supplicant@teepriv0.service"];
    for (const name of names) {
      const args = ["verify", "--man=no", join(units, name)];
      assert.equal((await run("systemd-analyze", args, { env })).stderr, "", name);
    }
  });
});
