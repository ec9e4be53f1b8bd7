// SPDX-License-Identifier: Apache-2.0
// Whoever is refused something on a bench finds the name of it in the documentation, and whoever
// reads of a refusal there finds it in the scripts.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { root } from "./support/board.mjs";

const read = (name) => readFileSync(join(root, name), "utf8");

/** The names that a script refuses by, and those that it hands to what refuses. */
function refusals(name) {
  const text = read(name).replace(/\\\n\s*/g, "");
  const found = [...text.matchAll(/\brefuse\s+([a-z]+(?:-[a-z]+)*)\s+["']/g),
    ...text.matchAll(/\bconf_must [A-Z_]+ \w ([a-z-]+) /g)];
  return found.map(([, refusal]) => refusal);
}

/** The first column of the tables that begin with a column of names. */
const documented = (name) =>
  [...read(name).matchAll(/^\| name \|.*\n((?:\|.*\n)+)/gm)]
    .flatMap(([, rows]) => rows.split("\n"))
    .flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)])
    .map(([, refusal]) => refusal);

const board = readdirSync(join(root, "scripts/board")).map((name) => `scripts/board/${name}`);
const OF_PROVISIONING = ["closed.sh", "record.sh", "relay.sh"];
const isOf = (names) => (name) => names.some((end) => name.endsWith(end));
const common = refusals("scripts/board/lib.sh");

const pages = {
  "docs/secure-boot.md": ["scripts/secure-boot-imx93.sh",
    ...board.filter((name) => !isOf([...OF_PROVISIONING, "lib.sh"])(name))],
  "docs/provisioning.md": ["scripts/provision.sh", ...board.filter(isOf(OF_PROVISIONING))],
};

describe("every refusal", { timeout: 30_000 }, () => {
  for (const [page, scripts] of Object.entries(pages))
    test(`is in ${page}, and it has no other`, () => {
      const names = new Set(scripts.flatMap(refusals));
      const listed = new Set(documented(page));

      assert.ok(names.size > 10, [...names].join(" "));
      assert.deepEqual([...names].filter((name) => !listed.has(name)), []);
      const known = new Set([...names, ...common]);
      assert.deepEqual([...listed].filter((name) => !known.has(name)), []);
    });

  test("of both scripts is in one page at least", () => {
    const listed = Object.keys(pages).flatMap(documented);

    assert.ok(common.length > 2);
    assert.deepEqual(common.filter((name) => !listed.includes(name)), []);
  });
});
