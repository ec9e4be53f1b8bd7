// SPDX-License-Identifier: Apache-2.0
// Random numbers of OP-TEE on the i.MX 93: the layer's patch seeds the generator from the
// enclave or ends the start, and what would not is refused before the build and after it.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { buildImx93, built, layer, optee, paths, text } from "./support/imx93.mjs";

buildImx93();

const ELE = "core/drivers/crypto/ele";
const CALLER = "core/tee/tee_cryp_utl.c";
const CROSS = "aarch64-linux-gnu-";
const support = fileURLToPath(new URL("support", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "imx93-random-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

let count = 0;
const place = (name) => join(scratch, `${name}${count++}`);
const seedSource = text(built, "source", ELE, "ele_seed.c");

/** Replaces what must be there, so that no mutant is the original. */
function replaced(source, from, to) {
  const changed = source.replace(from, to);
  assert.notEqual(changed, source, `nothing to replace: ${from}`);
  return changed;
}

function check(...args) {
  const run = spawnSync("bash", [paths.check, ...args], { encoding: "utf8" });
  assert.ok([0, 1].includes(run.status), run.stderr);
  return { refused: run.status === 1, reason: run.stderr };
}

/** A tree with no more than the driver and its caller in it; some of the driver's files given. */
function tree(files, caller = text(built, "source", CALLER)) {
  const top = place("tree");
  cpSync(join(built, "source", ELE), join(top, ELE), { recursive: true });
  mkdirSync(join(top, dirname(CALLER)), { recursive: true });
  writeFileSync(join(top, CALLER), caller);
  for (const [name, content] of Object.entries(files)) {
    if (content === null) rmSync(join(top, ELE, name));
    else writeFileSync(join(top, ELE, name), content);
  }
  return top;
}

const refusedSource = (files, reason) => {
  const { refused, reason: said } = check("source", tree(files));
  assert.ok(refused, "it was accepted");
  assert.match(said, reason);
};

describe("before the build", () => {
  const mutant = (from, to) => ({ "ele_seed.c": replaced(seedSource, from, to) });
  const submake = text(built, "source", ELE, "sub.mk");

  test("Debian's own source is refused", () => {
    const { refused, reason } = check("source", join(optee, "source/optee-os"));
    assert.ok(refused);
    assert.match(reason, /^check-optee: nothing in .* seeds the generator/);
  });

  test("with the layer's patch it is accepted", () => {
    assert.deepEqual(check("source", join(built, "source")), { refused: false, reason: "" });
  });

  test("a directory without the driver is refused", () => {
    assert.match(check("source", scratch).reason, /no driver of the EdgeLock Enclave/);
  });

  test("a seed that is not compiled is refused", () => {
    const commented = submake.replace(/^srcs-.*ele_seed\.c/m, "#$&");
    refusedSource({ "sub.mk": replaced(submake, /^.*ele_seed\.c\n/m, "") }, /nothing in/);
    refusedSource({ "sub.mk": commented }, /nothing in/);
    refusedSource({ "ele_seed.c": null }, /nothing in/);
  });

  test("a seed that is left out or commented out is refused", () => {
    const body = /void plat_rng_init\(void\)\n\{[^]*?\n\}\n/;
    refusedSource(mutant(body, "#if 0\n$&#endif\n"), /nothing in/);
    refusedSource(mutant(body, "#if 0\n#ifdef A\n#endif\n$&#endif\n"), /nothing in/);
    refusedSource(mutant(body, (it) => `/*\n${it.replace(/\/\*.*?\*\//g, "")}*/\n`), /nothing in/);
    refusedSource(mutant(body, (it) => it.replace(/^/gm, "// ")), /nothing in/);
  });

  test("a seed of the clock is refused", () => {
    const call = "crypto_rng_init(&seed, sizeof(seed))";
    refusedSource(mutant(`if (${call})`, "__plat_rng_init();\n\tif (0)"), /from the clock/);
    const timed = `tee_time_get_sys_time((void *)&seed) || ${call}`;
    refusedSource(mutant(call, timed), /from the clock/);
  });

  test("a seed of something else of the enclave's is refused", () => {
    refusedSource(mutant(/0xcd/, "0xda"), /does not ask/);
    refusedSource(mutant(/imx_ele_call\(&msg\)/g, "ask_nobody(&msg)"), /does not ask/);
  });

  test("random numbers that seed nothing are refused", () => {
    refusedSource(mutant(/crypto_rng_init\(.*?\)\)/, "memcmp(&seed, &seed, 1))"), /seed nothing/);
  });

  test("a start without random numbers is refused", () => {
    refusedSource(mutant(/panic\(\);/g, ""), /would start/);
  });

  test("another implementation is accepted, by its newer name and with the driver's helper", () => {
    const driver = text(optee, "source/optee-os", ELE, "ele.c");
    const own = `
void plat_init_soft_prng(void)
{
\tuint8_t bytes[48] = { };

\tif (imx_ele_rng_get_random(bytes, sizeof(bytes)) ||
\t    crypto_rng_init(bytes, sizeof(bytes)))
\t\tpanic("no seed");
}
`;
    const files = { "sub.mk": "srcs-y += ele.c\n", "ele.c": driver + own };
    const caller = text(built, "source", CALLER).replaceAll("plat_rng_init", "plat_init_soft_prng");
    assert.deepEqual(check("source", tree(files, caller)), { refused: false, reason: "" });
    assert.ok(check("source", tree({ ...files, "ele.c": driver }, caller)).refused);
    assert.ok(check("source", tree({}, caller)).refused, "the patch, which nobody would call");
    assert.ok(check("source", tree(files)).refused, "the newer name, which nobody calls");
    assert.ok(check("source", tree({}, "")).refused, "a caller that is not known");
  });
});

describe("after it", () => {
  const objdump = `${CROSS}objdump`;
  const core = join(paths.core, "tee.elf");

  // A core of a few functions, each a list of those that it calls.
  function smallCore(calls) {
    const file = place("core");
    const names = [...new Set(Object.entries(calls).flatMap(([name, list]) => [name, ...list]))];
    const body = (name) => (calls[name] ?? []).map((callee) => `${callee}();`).join(" ");
    const source = [
      ...names.map((name) => `void ${name}(void);`),
      ...names.map((name) => `void ${name}(void) { ${body(name)} __asm__ volatile(""); }`),
    ];
    writeFileSync(`${file}.c`, `${source.join("\n")}\n`);
    const options = ["-O1", "-fno-inline", "-fno-optimize-sibling-calls", "-nostdlib", "-static"];
    execFileSync(`${CROSS}gcc`, [...options, "-Wl,-e,0", "-o", file, `${file}.c`]);
    return file;
  }

  const SOUND = {
    tee_cryp_init: ["crypto_init", "plat_rng_init"],
    plat_rng_init: ["draw", "crypto_rng_init", "__do_panic"],
    draw: ["imx_ele_call"],
    imx_ele_call: ["imx_mu_call", "trace_printf"],
    trace_printf: ["tee_time_get_sys_time"],
    crypto_rng_read: ["aes"],
  };
  const verdict = (calls) => check("core", objdump, smallCore(calls));
  const refusedCore = (changes, reason) => {
    const { refused, reason: said } = verdict({ ...SOUND, ...changes });
    assert.ok(refused, "it was accepted");
    assert.match(said, reason);
  };

  test("the core is accepted that was built", () => {
    assert.deepEqual(check("core", objdump, core), { refused: false, reason: "" });
  });

  test("calls are followed: sound, by either name, and without a generator of its own", () => {
    assert.deepEqual(verdict(SOUND), { refused: false, reason: "" });
    const { plat_rng_init: seed, ...rest } = SOUND;
    const newer = { ...rest, tee_cryp_init: ["plat_init_soft_prng"], plat_init_soft_prng: seed };
    assert.equal(verdict(newer).refused, false);
    const hardware = {
      tee_cryp_init: ["crypto_init"],
      crypto_rng_read: ["hw_get_random_bytes"],
      hw_get_random_bytes: ["imx_ele_call"],
      imx_ele_call: ["imx_mu_call"],
    };
    assert.equal(verdict(hardware).refused, false);
    assert.ok(verdict({ ...hardware, hw_get_random_bytes: ["counter"] }).refused);
  });

  test("a core is refused that is seeded as OP-TEE is by default, under both its names", () => {
    const clock = ["tee_time_get_sys_time", "crypto_rng_init", "__do_panic"];
    refusedCore({ tee_cryp_init: ["__plat_rng_init"], __plat_rng_init: clock }, /nothing in/);
    refusedCore({ plat_rng_init: clock }, /not asked of the EdgeLock Enclave/);
  });

  test("a core is refused that is seeded by nothing, or by something else", () => {
    refusedCore({ tee_cryp_init: ["crypto_init"] }, /nothing in .* seeds/);
    refusedCore({ draw: ["counter"] }, /not asked of the EdgeLock Enclave/);
    refusedCore({ plat_rng_init: ["draw", "__do_panic"] }, /seed nothing/);
    refusedCore({ plat_rng_init: ["draw", "crypto_rng_init"] }, /does not end the start/);
    refusedCore({ draw: ["imx_ele_call", "tee_time_get_sys_time"] }, /from the clock/);
    refusedCore({ draw: ["imx_ele_call", "__plat_rng_init"] }, /from the clock/);
  });

  test("a file that is no core is refused", () => {
    assert.ok(check("core", objdump, paths.conf).refused);
  });

  const key = (directory) => check("key", "/usr/bin/python3", join(built, "source"), directory);

  test("a core that trusts a key published with OP-TEE is refused", () => {
    const directory = place("key");
    mkdirSync(directory);
    execFileSync("/usr/bin/python3", [
      join(built, "source/scripts/pem_to_pub_c.py"),
      ...["--prefix", "ta_pub_key", "--key", join(built, "source/keys/default_ta.pem")],
      ...["--out", join(directory, "ta_pub_key.c")],
    ]);
    assert.match(key(directory).reason, /published/);
    assert.equal(key(paths.core).refused, false);
    assert.ok(key(scratch).refused, "a core that is not there");
  });
});

describe("the seed", { concurrency: true }, () => {
  const HEADERS = `crypto/crypto.h drivers/imx_mu.h kernel/delay.h kernel/panic.h ele.h trace.h
    mm/core_memprot.h string_ext.h tee/cache.h tee/tee_cryp_utl.h types_ext.h util.h`;

  function compiled(source) {
    const directory = place("seed");
    for (const header of HEADERS.split(/\s+/)) {
      mkdirSync(dirname(join(directory, header)), { recursive: true });
      writeFileSync(join(directory, header), '#include "ele_seed_world.h"\n');
    }
    writeFileSync(join(directory, "seed.c"), source);
    const program = join(directory, "program");
    const options = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-g"];
    const places = [`-I${directory}`, `-I${support}`, `-DSEED_SOURCE="${directory}/seed.c"`];
    const sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    const file = join(support, "ele_seed.c");
    execFileSync("gcc", [...options, ...sanitizers, ...places, "-o", program, file]);
    return program;
  }

  const outcome = (program, enclave) =>
    execFileSync(program, [enclave], { encoding: "utf8", timeout: 20_000 });
  const program = compiled(seedSource);
  const bytes = (draw) =>
    Array.from({ length: 32 }, (_, i) => (draw * 32 + i).toString(16).padStart(2, "0")).join("");

  test("is two draws of 256 bits, of which nothing is left behind", () => {
    const seeded = `seeded: ${bytes(1)}${bytes(2)}\nbuffer wiped, memory wiped\n`;
    assert.equal(outcome(program, "good"), seeded);
  });

  test("waits for an enclave that is not ready, and asks anew what it did not answer", () => {
    assert.equal(outcome(program, "late"), outcome(program, "good"));
    const again = `seeded: ${bytes(3)}${bytes(4)}\nbuffer wiped, memory wiped\n`;
    assert.equal(outcome(program, "hiccup"), again);
  });

  for (const enclave of ["busy", "mute", "empty", "nowhere", "high"]) {
    test(`ends the start within half a second when there is none: ${enclave}`, () => {
      const said = outcome(program, enclave);
      assert.match(said, /^message: The enclave gives no random numbers\npanic after 500 ms/);
      assert.doesNotMatch(said, /seeded/);
    });
  }

  for (const enclave of ["silent", "constant", "short"]) {
    test(`ends the start when the enclave says it gave them, and did not: ${enclave}`, () => {
      const said = outcome(program, enclave);
      assert.match(said, /^message: The enclave's random numbers repeat themselves\npanic/);
    });
  }

  test("ends the start when the generator does not take it", () => {
    assert.match(outcome(program, "refused"), /does not take its seed\npanic/);
  });

  test("is not what it was without one of its steps", () => {
    const good = outcome(program, "good");
    const without = (from, to, enclave) =>
      outcome(compiled(replaced(seedSource, from, to)), enclave);
    const invalidation = /cache_operation\(TEE_CACHEINVALIDATE.*\n/;
    assert.notEqual(without(invalidation, "\n", "good"), good);
    assert.notEqual(without(/\tmemzero_explicit.*\n/, "", "good"), good);
    const doubtful = /if \(!draws_differ\(\)\)/;
    assert.match(without(doubtful, "if (!draws_differ() && 0)", "silent"), /seeded/);
    const patient = /if \(!trng_is_ready\(\)\)/;
    assert.match(without(patient, "if (!trng_is_ready() && 0)", "busy"), /seeded/);
  });
});

test("the patch leaves nothing of its own beside the tree", () => {
  const patch = readFileSync(
    join(layer, "files/0001-imx93-seed-the-generator-from-the-enclave.patch"),
    "utf8",
  );
  const touched = [...patch.matchAll(/^\+\+\+ b\/(.*)$/gm)].map(([, file]) => file);
  assert.deepEqual(touched, [`${ELE}/sub.mk`, `${ELE}/ele_seed.c`]);
  const added = patch.split("+++ b/")[2].split("\n").filter((line) => line.startsWith("+"));
  assert.equal(added.map((line) => `${line.slice(1)}\n`).join(""), seedSource);
});
