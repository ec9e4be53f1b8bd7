// SPDX-License-Identifier: Apache-2.0
// The documentation names nothing that is not there: links and their anchors, files, subcommands
// and options. What it says to type is held against what the programs say of themselves.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, normalize, relative, resolve } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { parseAllDocuments } from "yaml";

import { workspace } from "../e2e/support/processes.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const binary = resolve(process.env.SUPER_RELAY_BIN ?? join(root, "build/super-relay"));
const read = (path) => readFileSync(join(root, path), "utf8");

const documents = [
  "README.md",
  "README.zh.md",
  "ARCHITECTURE.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** A document's lines, each with its number and whether it stands in a code block. */
function linesOf(path) {
  let inside = false;
  return read(path)
    .split("\n")
    .map((text, i) => {
      const fence = /^\s*```/.test(text);
      const line = { text, number: i + 1, code: inside || fence };
      if (fence) inside = !inside;
      return line;
    });
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(path) {
  const seen = new Map();
  const anchors = new Set();
  for (const { text, code } of linesOf(path)) {
    const heading = !code && /^#{1,6}\s+(.*?)\s*#*$/.exec(text)?.[1];
    if (!heading) continue;
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const slug = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
      .replaceAll(" ", "-");
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    anchors.add(times ? `${slug}-${times}` : slug);
  }
  return anchors;
}

/** "document:line: what" of each thing that find says is wrong in a line. */
function complaints(paths, find) {
  const found = [];
  for (const path of paths) {
    for (const line of linesOf(path)) {
      for (const what of find(path, line)) found.push(`${path}:${line.number}: ${what}`);
    }
  }
  return found;
}

// ---- links ------------------------------------------------------------------------------

function brokenLinks(path, { text, code }) {
  const broken = [];
  if (code) return broken;
  const plain = text.replace(/`[^`]*`/g, (span) => " ".repeat(span.length));
  for (const [, target] of plain.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/i.test(target)) continue;
    const [file, anchor] = target.split("#");
    const full = file ? normalize(join(dirname(path), file)) : path;
    if (!existsSync(join(root, full))) broken.push(`${target}: there is no ${full}`);
    else if (anchor !== undefined && !anchorsOf(full).has(anchor))
      broken.push(`${target}: ${full} has no such heading`);
  }
  return broken;
}

// ---- files ------------------------------------------------------------------------------

const TREES = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !/^(\.|build$|node_modules$)/.test(entry.name))
  .map((entry) => entry.name);
// FOLDER, test_TOPIC.c: the reader's to fill in
const PLACEHOLDER = /[/_](?!README|COPYING|LICENSE)[A-Z]{4,}\b/;

/** Paths of the checkout in code spans and code blocks; those with a placeholder are none. */
function missingFiles(path, { text, code }) {
  const spans = code ? [text] : [...text.matchAll(/`([^`]+)`/g)].map(([, span]) => span);
  const missing = [];
  for (const span of spans) {
    for (const [word] of span.matchAll(/(?<![\w./~$-])[\w.-]+(?:\/[\w.@%+-]+)+\/?/g)) {
      if (!TREES.includes(word.split("/")[0]) || PLACEHOLDER.test(word)) continue;
      const name = word.replace(/[.,:]+$/, "");
      const at = span.indexOf(word) + word.length;
      if (/[*<{…$[]/.test(span[at] ?? "")) continue;
      // docs/threat-model.md names tests from where they lie
      const found = ["", dirname(path), "tests"].some((at) => existsSync(join(root, at, name)));
      if (!found) missing.push(name);
    }
  }
  return missing;
}

// ---- commands ---------------------------------------------------------------------------

/** The commands of a document's code blocks: continued lines joined, comments away. */
function commandsOf(path) {
  const commands = [];
  let pending = "";
  for (const { text, code, number } of linesOf(path)) {
    // a drawing is none
    if (!code || /^\s*```|[─│▶◀]/.test(text)) {
      pending = "";
      continue;
    }
    pending += text.replace(/\\$/, " ");
    if (text.endsWith("\\")) continue;
    const command = pending.replace(/(^|\s)#.*$/, "").trim();
    if (command) commands.push({ command, number });
    pending = "";
  }
  return commands;
}

const helps = new Map();
function helpOf(words) {
  const key = words.join(" ");
  if (!helps.has(key))
    helps.set(key, execFileSync(binary, [...words, "--help"], { encoding: "utf8", cwd: root }));
  return helps.get(key);
}

const MOVES = ["wrap", "backup-key", "backup", "restore", "migrate", "rotate"];

/** What a program's help does not know of a command's words. */
function unknownToRelay(words) {
  const [subcommand, second] = words;
  if (!subcommand || subcommand.startsWith("-")) return [];
  if (!new RegExp(`^  ${subcommand}\\s`, "m").test(helpOf([]))) return [subcommand];
  const moving = subcommand === "keys" && (MOVES.includes(second) || words.includes("--wrapped"));
  const help = helpOf(moving ? ["keys", "wrap"] : [subcommand]);
  const options = words.filter((word) => word.startsWith("--")).map((word) => word.split("=")[0]);
  const unknown = options.filter((option) => !new RegExp(`${option}\\b`).test(help));
  const commands = { keys: 1, operator: 1, policy: 1, audit: 1, config: 1, attest: 0 };
  if (commands[subcommand] && second && !second.startsWith("-")) {
    if (!new RegExp(`(^|\\s)${second}\\b`, "m").test(help)) unknown.push(second);
  }
  return unknown;
}

const scriptText = (name) => {
  const path = `scripts/dev/${name}.sh`;
  return existsSync(join(root, path)) ? read(path) : "";
};

function unknownToDev([name, ...words]) {
  const text = name ? scriptText(name) : "# Summary:";
  if (!text.includes("# Summary:")) return [name];
  const own = words.filter((word) => /^--?[a-z]/.test(word) || word === words[0]);
  // what a subcommand passes on to a program in a machine is that program's
  const asked = name === "optee" && words[0] === "keys" ? own.slice(0, 1) : own;
  return asked.filter((word) => /^[-a-z0-9]+$/.test(word) && !text.includes(word));
}

function unknownToScript(path, words) {
  if (!existsSync(join(root, path))) return [path];
  const text = read(path);
  return words
    .filter((word) => /^--[a-z]/.test(word))
    .map((word) => word.split("=")[0])
    .filter((word) => !text.includes(word));
}

/** The words of a shell command, roughly: quotes are words' own, and | ; & end it. */
const wordsOf = (text) => text.match(/"[^"]*"|'[^']*'|[^\s|;&<>()"']+/g) ?? [];

function unknownIn(command) {
  const unknown = [];
  for (const part of command.split(/\s*(?:\|\||\||;|&&|\$\()\s*/)) {
    const words = wordsOf(part);
    // a user or a group may have a program's name
    const at = (pattern) =>
      words.findIndex((word, i) => pattern.test(word) && !words[i - 1]?.startsWith("-"));
    const relay = at(/^(?:\S*\/)?super-relay$/);
    const dev = at(/^\.\/dev$/);
    const script = at(/^(?:\.\/)?scripts\/\S+\.sh$/);
    // so may an image, a unit or a directory
    if (relay >= 0 && !/\b(docker|podman|kubectl|systemctl|journalctl|install|chown)\b/.test(part))
      unknown.push(...unknownToRelay(words.slice(relay + 1)));
    if (dev >= 0) unknown.push(...unknownToDev(words.slice(dev + 1)));
    if (script >= 0)
      unknown.push(...unknownToScript(words[script].replace("./", ""), words.slice(script + 1)));
  }
  return unknown;
}

const wrongCommands = (path) =>
  commandsOf(path).flatMap(({ command, number }) =>
    unknownIn(command).map((what) => `${path}:${number}: '${what}' in: ${command}`),
  );

// ---- the tests --------------------------------------------------------------------------

describe("the documentation", { timeout: 60_000 }, () => {
  test("has no link that leads nowhere", () => {
    assert.deepEqual(complaints(documents, brokenLinks), []);
  });

  test("names no file of the checkout that is not there", () => {
    assert.deepEqual(complaints(documents, missingFiles), []);
  });

  test("has no command, subcommand or option that does not exist", () => {
    const wrong = documents.filter((path) => path !== "README.zh.md").flatMap(wrongCommands);

    assert.deepEqual(wrong, []);
  });

  test("has a page for each phase", () => {
    const headings = linesOf("docs/deployment.md")
      .filter(({ text, code }) => !code && text.startsWith("## "))
      .map(({ text }) => text);

    for (const phase of ["Phase 1", "Phase 2", "Phase 3"])
      assert.equal(headings.filter((text) => text.includes(phase)).length, 1, phase);
  });
});

describe("what docs/deployment.md gives to Kubernetes", { timeout: 60_000 }, () => {
  const page = read("docs/deployment.md");
  const kustomize = join(root, "build/tools/bin/kustomize");

  test("the overlay of one's own renders, with one's own values", () => {
    // it stands in a numbered step
    const steps = page.replace(/^ {3}/gm, "");
    const text = /```yaml\n(apiVersion: kustomize[\s\S]*?)```/.exec(steps)[1];
    const mine = join(workspace, "mine");
    mkdirSync(mine);
    writeFileSync(
      join(mine, "kustomization.yaml"),
      text.replace("../k8s/", `${relative(mine, join(root, "k8s"))}/`),
    );
    const rendered = execFileSync(kustomize, ["build", mine], { encoding: "utf8" });
    const documents = parseAllDocuments(rendered).map((document) => document.toJS());
    const of = (kind) => documents.filter((document) => document.kind === kind);

    const [{ image }] = of("Deployment")[0].spec.template.spec.containers;
    assert.match(image, /^registry\.example\.org\/super-relay-optee:/);
    const environment = of("ConfigMap").find(({ data }) => data.SR_PAYMASTER);
    assert.match(environment.data.SR_PAYMASTER, /a1$/);
    assert.equal(environment.data.SR_LOG_LEVEL, "info", "the rest of the overlay's stays");
  });

  test("the pod that brings a disk is one for this namespace and this volume", () => {
    const [document] = parseAllDocuments(/<<'END'\n([\s\S]*?)^END$/m.exec(page)[1]);
    assert.deepEqual(document.errors, []);
    const { spec } = document.toJS();
    const [container] = spec.containers;

    assert.equal(spec.securityContext.runAsNonRoot, true);
    assert.equal(spec.securityContext.seccompProfile.type, "RuntimeDefault");
    assert.equal(container.securityContext.allowPrivilegeEscalation, false);
    assert.deepEqual(container.securityContext.capabilities.drop, ["ALL"]);
    const { claimName } = spec.volumes[0].persistentVolumeClaim;
    const claims = parseAllDocuments(read("k8s/overlays/qemu/persistentvolumeclaim.yaml"));
    assert.ok(claims.some((claim) => claim.toJS().metadata.name === claimName));
  });
});

// The checks above pass when they find nothing: here is what they must find.
describe("these checks", () => {
  const line = (text, code = false) => ({ text, code, number: 1 });

  test("find a broken link, and no other", () => {
    assert.equal(brokenLinks("README.md", line("[a](docs/nowhere.md)")).length, 1);
    assert.equal(brokenLinks("docs/optee.md", line("[a](ta.md#nothing-of-that)")).length, 1);
    assert.equal(brokenLinks("docs/optee.md", line("[a](ta.md), `[b](c)`")).length, 0);
    assert.equal(brokenLinks("README.md", line("[a](https://example.org/x)")).length, 0);
    assert.equal(brokenLinks("README.md", line("[a](docs/nowhere.md)", true)).length, 0);
  });

  test("find a file that is missing, and no other", () => {
    assert.deepEqual(missingFiles("README.md", line("`scripts/nothing.sh`")), [
      "scripts/nothing.sh",
    ]);
    assert.deepEqual(missingFiles("README.md", line("cat config/nothing.toml", true)), [
      "config/nothing.toml",
    ]);
    for (const good of ["`config/dev.toml`", "`tests/*.mjs`", "`/etc/config/x`", "`a/b`"])
      assert.deepEqual(missingFiles("README.md", line(good)), [], good);
  });

  test("find a command that does not exist, and no other", () => {
    for (const [command, ...expected] of [
      ["super-relay keyss list", "keyss"],
      ["super-relay keys generte x", "generte"],
      ["super-relay node --configuration x", "--configuration"],
      ["sudo -u super-relay super-relay keys show k --jason", "--jason"],
      ["super-relay keys migrate k --too x", "--too"],
      ["./dev optee rune", "rune"],
      ["./dev runs", "runs"],
      ["scripts/sign_ta.sh digest --publik x", "--publik"],
      ["a=$(super-relay keys show k --json | jq -r .address)"],
      ["build/super-relay config check config/dev.toml"],
      ["./dev optee keys generate paymaster-key-001"],
      ["docker run --name super-relay super-relay keys list"],
    ])
      assert.deepEqual(unknownIn(command), expected, command);
  });
});
