// SPDX-License-Identifier: Apache-2.0
// The rendered manifests are what kustomize makes of k8s/, and k8s/ is in step with the rest.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { kustomize, ofKind, parse, podsOf, read, RENDERED, root } from "./support/kubernetes.mjs";

const HEAD = /^(#.*\n)+---\n/;
const HINT = "./dev k8s render brings it into step";
const [, version] = /^ {2}version: '([^']+)'/m.exec(read("meson.build"));

for (const [file, overlay] of Object.entries(RENDERED))
  describe(file, () => {
    const text = read(file);

    test("is what kustomize renders, byte for byte", () => {
      assert.match(text, HEAD);
      assert.ok(text.replace(HEAD, "") === kustomize(overlay), `${file}: ${HINT}`);
    });

    test("says what it is made from", () => {
      const [head] = HEAD.exec(text);
      assert.match(head, /^# SPDX-License-Identifier: Apache-2\.0$/m);
      assert.ok(head.includes(overlay), head);
    });

    test("runs this version's image", () => {
      const [{ spec }] = podsOf(parse(text));
      assert.equal(spec.containers[0].image.split(":")[1], version);
    });

    test("hands the relay the shipped configuration, and each variable that it needs", () => {
      const objects = parse(text);
      const config = read("config/optee-config.toml");
      const maps = ofKind(objects, "ConfigMap").map(({ data }) => data);
      assert.ok(maps.some((data) => data["config.toml"] === config), HINT);
      const [{ spec }] = podsOf(objects);
      const given = new Set(spec.containers[0].env.map(({ name }) => name));
      for (const data of maps) for (const name of Object.keys(data)) given.add(name);
      const needed = [...config.matchAll(/^[^#\n]*\$\{(\w+)\}/gm)].map(([, name]) => name);
      assert.deepEqual(needed.sort(), ["ETH_NODE_URL", "SR_PAYMASTER"]);
      for (const name of needed) assert.ok(given.has(name), name);
      const known = new Set([...config.matchAll(/\$\{(\w+)/g)].map(([, name]) => name));
      const idle = [...given].filter((name) => !known.has(name) && name !== "config.toml");
      assert.deepEqual(idle, [], "variables that the configuration does not know");
    });
  });

describe("k8s/", () => {
  const copy = mkdtempSync(join(tmpdir(), "super-relay-k8s-"));
  after(() => rmSync(copy, { recursive: true }));
  cpSync(join(root, "k8s"), join(copy, "k8s"), { recursive: true });
  const check = () =>
    spawnSync("bash", [join(root, "scripts/dev/k8s.sh"), "check", join(copy, "k8s")], {
      cwd: root,
      encoding: "utf8",
    });

  test("is in step, as ./dev k8s check says", () => {
    const { status, stderr } = check();
    assert.equal(status, 0, stderr);
  });

  test("is noticed where it is not", () => {
    for (const file of Object.keys(RENDERED)) {
      const before = readFileSync(join(copy, file));
      writeFileSync(join(copy, file), `${before}# more\n`);
      const { status, stderr } = check();
      writeFileSync(join(copy, file), before);
      assert.equal(status, 1);
      assert.ok(stderr.includes(file.split("/").at(-1)), stderr);
    }
  });

  test("takes an overlay of one's own, as the documentation has it", () => {
    const page = read("docs/kubernetes.md");
    const [, example] = /```yaml\n# kustomization\.yaml\n([^]*?)```/.exec(page);
    mkdirSync(join(copy, "own"));
    const text = example.replace("../SuperRelay/k8s", "../k8s");
    writeFileSync(join(copy, "own/kustomization.yaml"), text);
    const objects = parse(kustomize("own", copy));
    const [{ spec }] = podsOf(objects);
    const [{ image, envFrom }] = spec.containers;
    assert.equal(image, `registry.example.org/super-relay-optee:${version}`);
    const map = ofKind(objects, "ConfigMap").find(
      ({ metadata }) => metadata.name === envFrom[0].configMapRef.name,
    );
    assert.deepEqual(Object.keys(map.data).sort(), [
      "SR_LOG_LEVEL",
      "SR_NETWORK",
      "SR_PAYMASTER",
      "SR_PAYMASTER_SIGNER",
    ]);
    assert.equal(map.data.SR_PAYMASTER, "0x…");
  });

  test("is clean under yamllint", () => {
    const { status, stdout, error } = spawnSync("yamllint", ["--strict", "k8s"], {
      cwd: root,
      encoding: "utf8",
    });
    assert.equal(error, undefined, "yamllint is not installed");
    assert.equal(status, 0, stdout);
  });

  test("has nothing that kustomize needs looser restrictions for", () => {
    const text = execFileSync("bash", ["-c", "cat k8s/base/*.yaml k8s/*/*/*.yaml"], { cwd: root });
    assert.doesNotMatch(String(text), /\.\.\/\.\.\/\.\./);
  });
});
