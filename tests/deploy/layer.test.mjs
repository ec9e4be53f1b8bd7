// SPDX-License-Identifier: Apache-2.0
// The Yocto layer, as far as it can be tested without bitbake: that what it names is there, and
// that it fits the project. layer_recipes.test.mjs asks what the recipes do.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, test } from "node:test";

import { root, run } from "../e2e/support/processes.mjs";
import {
  Recipe,
  filesOf,
  layer,
  localFiles,
  parse,
  pathOf,
  readLayer,
  recipe,
} from "./support/recipes.mjs";

const LINTER = join(root, "build/tools/bin/oelint-adv");
const RECIPES = filesOf(".bb");
const APPENDS = filesOf(".bbappend");
const project = (path) => readFileSync(join(root, path), "utf8");
const relay = recipe("super-relay");
const ta = recipe("super-relay-ta");
const provisioning = recipe("super-relay-provisioning");
const images = ["super-relay-image", "super-relay-commissioning-image"].map((n) => recipe(n));
const libraries = ["libsecp256k1", "libsodium", "llhttp", "yyjson"].map((name) => recipe(name));

/** Where bitbake would look for a recipe's files. */
function directories(path, of) {
  const here = join(layer, dirname(path));
  const { BP, BPN } = of.known;
  const own = [BP, BPN, "files"].map((name) => join(here, name));
  return /^super-relay(-ta|-provisioning)?_/.test(basename(path))
    ? [join(here, "../../.."), ...own]
    : own;
}

describe("the layer", () => {
  const conf = parse("conf/layer.conf");
  const value = (name) => conf.find((item) => item.variable === name)?.value.trim();

  test("is for scarthgap and for the current release", () => {
    assert.equal(value("LAYERSERIES_COMPAT_superrelay"), "scarthgap wrynose");
  });

  test("needs no layer but those that its recipes build from", () => {
    assert.deepEqual(value("LAYERDEPENDS_superrelay").split(" "), ["core"]);
    assert.equal(value("LAYERRECOMMENDS_superrelay"), "freescale-layer openembedded-layer");
  });

  test("has each library that openembedded-core has not, for builds without other layers", () => {
    const core = ["curl", "libuv", "openssl"];
    // OP-TEE comes with the machine, by meta-freescale or meta-arm
    const machine = ["optee-client", "optee-os-tadevkit", "python3-cryptography-native"];
    const ours = libraries.map((of) => of.known.PN);
    for (const name of [...relay.words("DEPENDS"), ...ta.words("DEPENDS")])
      assert.ok([...core, ...machine, ...ours].includes(name), name);
  });

  test("has a libsodium whose known fault the relay does not meet", () => {
    const sources = readdirSync(join(root, "src"), { recursive: true });
    const fault = /is_valid_point|ed25519_pk_to_curve25519/;
    for (const name of sources.filter((path) => /\.[ch]$/.test(path)))
      assert.doesNotMatch(project(`src/${name}`), fault, name);
  });

  test("has nothing of its own that could be taken for another layer's OP-TEE", () => {
    for (const path of RECIPES) assert.doesNotMatch(basename(path), /^optee/);
  });

  test("reads what changes meta-freescale only where that layer is", () => {
    assert.doesNotMatch(value("BBFILES"), /bbappend/);
    assert.equal(
      value("BBFILES_DYNAMIC"),
      "freescale-layer:${LAYERDIR}/recipes-*/*/*.bbappend",
    );
    for (const path of APPENDS) assert.match(path, /^recipes-[^/]+\/[^/]+\/[^/]+$/);
    for (const path of RECIPES) assert.match(path, /^recipes-[^/]+\/[^/]+\/[^/]+$/);
  });

  test("gives way to other layers' recipes of the same library", () => {
    assert.ok(Number(value("BBFILE_PRIORITY_superrelay")) < 5);
  });

  test("has what yocto-check-layer asks for beside the recipes", () => {
    const text = readLayer("README.md");
    // naming another such file would skip that tool's test
    assert.doesNotMatch(text, /readme/i);
    for (const word of [/maintainer/i, /patch/i, /## Dependencies/]) assert.match(text, word);
    assert.ok(readLayer("SECURITY.md").length > 0);
    assert.equal(readLayer("COPYING"), project("LICENSE"));
  });

  test("says of each patch what upstream thinks of it", () => {
    const status = /^Upstream-Status: (Pending|Denied|Submitted|Backport|Inappropriate)\b.*$/m;
    for (const path of filesOf(".patch")) assert.match(readLayer(path), status, path);
  });

  test("makes none of the known mistakes", () => {
    for (const path of filesOf(".bb", ".bbappend", ".inc", ".conf", ".in", ".mount")) {
      const text = readLayer(path);
      assert.doesNotMatch(text, /mx8mq/, path);
      assert.doesNotMatch(text, /\/dev\/teepriv/, path);
      assert.doesNotMatch(text, /chown/, path);
      assert.doesNotMatch(text, /seek=2048/, path);
      assert.doesNotMatch(text, /\$\{AUTOREV\}/, path);
      // bitbake follows literal names alone: it would not build anew when the variable changes
      assert.doesNotMatch(text, /getVar\([^)]*\+/, path);
    }
  });

  test("describes every variable that can be set, and no other", () => {
    const conf = readLayer("conf/superrelay.conf");
    const weak = [...conf.matchAll(/^(SUPERRELAY_\w+) \?\?=/gm)].map(([, name]) => name);
    const inRecipes = [...RECIPES, ...filesOf(".inc")]
      .flatMap((path) => [...readLayer(path).matchAll(/^(SUPERRELAY_\w+) \?=/gm)])
      .map(([, name]) => name);
    for (const page of [readLayer("README.md"), project("docs/yocto.md")]) {
      const named = new Set(page.match(/\bSUPERRELAY_\w+/g));
      // not for local.conf: the factory's container has one more
      named.delete("SUPERRELAY_OPTEE_FLAGS");
      assert.deepEqual([...named].sort(), [...new Set([...weak, ...inRecipes])].sort());
    }
  });
});

describe("every recipe", () => {
  for (const path of [...RECIPES, ...APPENDS]) {
    const of = new Recipe(path);

    test(`${basename(path)}: its files are there`, () => {
      const where = directories(path, of);
      for (const word of localFiles(of)) {
        const found = where.find((directory) => existsSync(join(directory, pathOf(word))));
        assert.ok(found, `${word} in ${where.join(" or ")}`);
      }
    });

    test(`${basename(path)}: what others publish is fixed to a commit or a hash`, () => {
      for (const word of of.words("SRC_URI").filter((uri) => !uri.startsWith("file://"))) {
        if (word.startsWith("https://")) {
          assert.match(word, new RegExp(`/${of.known.BP}\\.tar\\.gz$`));
          const sum = of.items.find((item) => item.flag === "sha256sum");
          assert.match(sum?.value ?? "", /^[0-9a-f]{64}$/);
          continue;
        }
        assert.match(word, /^git:\/\/.*;protocol=https;(branch=|nobranch=1)/);
        assert.match(of.value("SRCREV"), /^[0-9a-f]{40}$/);
        assert.match(word, new RegExp(`;destsuffix=${of.known.BP}$`));
      }
    });
  }

  for (const path of RECIPES)
    test(`${basename(path)}: has a licence, and its text's hash`, () => {
      const of = new Recipe(path);
      assert.notEqual(of.value("LICENSE"), "");
      if (of.inherited.includes("core-image")) return;
      const sums = of.words("LIC_FILES_CHKSUM");
      assert.ok(sums.length > 0);
      for (const word of sums) assert.match(word, /^file:\/\/.*;md5=[0-9a-f]{32}$/);
    });

  test("of ours has the hash of this project's licence", () => {
    const md5 = createHash("md5").update(project("LICENSE")).digest("hex");
    for (const of of [relay, ta, provisioning])
      assert.ok(of.words("LIC_FILES_CHKSUM").includes(`file://LICENSE;md5=${md5}`));
  });

  test("of ours that needs the TEE is skipped on machines without", () => {
    for (const of of [relay, ta, provisioning, ...images]) {
      assert.ok(of.inherited.includes("features_check"));
      assert.equal(of.value("REQUIRED_MACHINE_FEATURES"), "optee");
    }
    for (const of of [relay, ta, provisioning])
      assert.equal(of.value("PACKAGE_ARCH"), "${MACHINE_ARCH}");
  });

  test("of ours has the project's version", () => {
    const [, version] = /^ {2}version: '(.*)',$/m.exec(project("meson.build"));
    for (const of of [relay, ta, provisioning]) assert.equal(of.known.PV, version);
  });
});

describe("what the project is built from", () => {
  const taken = localFiles(relay).map(pathOf);

  test("is all that meson reads", () => {
    for (const [, path] of project("meson.build").matchAll(/^ *subdir\('(.*)'\)$/gm)) {
      const file = join(path, "meson.build");
      assert.ok(taken.some((name) => file === name || file.startsWith(`${name}/`)), path);
    }
    for (const name of ["meson.build", "meson_options.txt", "LICENSE", "config"])
      assert.ok(taken.includes(name), name);
  });

  test("is all that the TA reads", () => {
    assert.deepEqual(localFiles(ta).map(pathOf), taken);
    const outside = new Set();
    for (const name of ["eth", "secp256k1"]) {
      const text = project(`ta/super_relay_ta/lib/${name}/sub.mk`);
      for (const [, above] of text.matchAll(/(?:\.\.\/)+(\w+)/g)) outside.add(above);
    }
    assert.deepEqual([...outside], ["src"]);
    assert.ok(taken.includes("src"));
  });

  test("lands in the directory that bitbake expects, in every release", () => {
    for (const of of [relay, ta, provisioning, recipe("super-relay-state")])
      for (const word of localFiles(of)) assert.match(word, new RegExp(`;subdir=${of.known.BP}$`));
    for (const of of [relay, ta, provisioning, ...libraries])
      assert.equal(of.items.some((item) => item.variable === "S"), false);
  });
});

describe("oelint-adv", { timeout: 60_000 }, () => {
  for (const release of ["scarthgap", "wrynose"])
    test(`finds nothing, for ${release}`, async (context) => {
      if (!existsSync(LINTER)) {
        context.diagnostic(`LEFT OUT: ${LINTER} is not there, the recipes were not linted`);
        return;
      }
      const files = [...RECIPES, ...APPENDS].map((path) => join("meta-superrelay", path));
      // the one that is left out asks the network whether each HOMEPAGE answers
      const options = ["--quiet", "--mode=all", "--relpaths", "--release", release];
      options.push("--suppress=oelint.vars.homepageping");
      const { status, stdout, stderr } = await run(LINTER, [...options, ...files]);
      assert.equal(status, 0, stdout + stderr);
    });
});
