// SPDX-License-Identifier: Apache-2.0
// The power of the emulated machine is cut, again and again, while the TA makes, rotates and
// deletes keys, changes a policy and signs. It boots from the same disk, and the TA begins with
// the host's log: what was answered is there, what was not is there whole or not at all, in the
// order in which it was asked for, and no budget was gained.
//
// SR_POWER_CUTS says how often, 50 by default, on two machines at a time.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";

import { sleep, workspace } from "../e2e/support/processes.mjs";
import { Guest, packOverlay } from "./support/guest.mjs";
import { machineFiles } from "./support/machine.mjs";
import * as ta from "./support/ta_wire.mjs";

const { COMMAND, SUCCESS } = ta;
const MACHINES = 2;
const CUTS = Number(process.env.SR_POWER_CUTS ?? 50);
/** Sent at once; the cut comes before the last of them is answered, or soon after. */
const OPERATIONS = 6;
/** About what BEGIN takes, with the TA's loading. */
const EARLY_MS = 400;
const KEYS_WANTED = 12;
const BUDGET = 1_000_000n;
const COST = 20_000n;
const POLICED = "policed";

/** With a machine for each of ours it boots soonest. */
const ONE_CPU = { SR_OPTEE_CPUS: "1" };
const overlay = await packOverlay("power.cpio", machineFiles());
const below = (n) => Math.floor(Math.random() * n);
const pick = (list) => list[below(list.length)];

/** What the host knows of the TA, and what it cannot know since the answer was lost. */
class Model {
  keys = new Map(); // id -> public key, in hex
  version = 0;
  spent = 0n;
  /** Operations that were asked for and not answered, in that order. */
  unsure = [];
  made = 0;
  counts = { answered: 0, unanswered: 0, done: 0 };

  next = () => `k${++this.made}`;

  answered(operation, answer) {
    this.counts.answered++;
    if (operation.adds) this.keys.set(operation.adds, answer.publicKey);
    if (operation.removes) this.keys.delete(operation.removes);
    if (operation.version) this.version = operation.version;
    if (operation.cost && answer.item === SUCCESS) this.spent += operation.cost;
  }

  /** Whether an operation without an answer was done, as far as keys and policy show it. */
  wasDone({ adds, removes, version }, found, policy) {
    if (adds) return found.has(adds);
    if (removes) return !found.has(removes);
    return version ? policy.version >= version : undefined;
  }

  /** found: id -> public key. Takes over what is, once it has been judged. */
  judge(found, policy) {
    let ended = false;
    for (const operation of this.unsure) {
      const done = this.wasDone(operation, found, policy);
      if (done === undefined) continue;
      assert.ok(!(done && ended), `${operation.what} was done, and one before it was not`);
      ended ||= !done;
      this.counts.done += done;
      if (done) this.answered(operation, { publicKey: found.get(operation.adds) });
    }
    assert.deepEqual(new Map([...found].sort()), new Map([...this.keys].sort()));
    assert.equal(policy.version, this.version);
    assert.ok(policy.spent >= this.spent, `${policy.spent} of ${this.spent} are counted`);
    assert.ok(this.spent <= BUDGET * BigInt(this.version || 1));
    this.counts.unanswered += this.unsure.length;
    this.unsure = [];
  }
}

// ---- operations ---------------------------------------------------------------------

function randomOperation(model, operator, planned) {
  const others = [...model.keys.keys()].filter((id) => id !== POLICED && !planned.gone.has(id));
  const kinds = ["policy", "spend", "spend", "spend", "checkpoint", "rotate"];
  kinds.push(...(others.length < KEYS_WANTED ? ["generate", "generate"] : ["delete", "delete"]));
  if (others.length > 2) kinds.push("delete");
  switch (pick(kinds)) {
    case "generate": {
      const adds = model.next();
      return [COMMAND.GENERATE, ta.newKey(adds, ta.USAGE_DIGEST), { what: "generate", adds }];
    }
    case "rotate": {
      const adds = model.next();
      return [COMMAND.ROTATE, ta.rotation(POLICED, adds), { what: "rotate", adds }];
    }
    case "delete": {
      const removes = pick(others);
      planned.gone.add(removes);
      return [COMMAND.DELETE, ta.keyId(removes), { what: "delete", removes }];
    }
    case "policy": {
      const version = ++planned.version;
      const key = Buffer.from(model.keys.get(POLICED), "hex");
      const statement = operator.policy(POLICED, key, version, BUDGET * BigInt(version));
      return [COMMAND.SET_POLICY, statement, { what: "policy", version }];
    }
    case "spend":
      return [COMMAND.SIGN_SPONSORSHIP, ta.spending(POLICED, COST), { what: "spend", cost: COST }];
    default:
      // behind others that the host has not taken it is refused
      return [
        COMMAND.CHECKPOINT,
        Buffer.from([1]),
        { what: "checkpoint", mayBe: ta.EXCESS_DATA },
      ];
  }
}

/** Sends them all; each leaves the unsure ones when its answer comes. */
function sendOperations(wire, model, operator) {
  const planned = { gone: new Set(), version: model.version };
  const failures = [];
  const answers = [];
  for (let i = 0; i < OPERATIONS; i++) {
    const [command, payload, operation] = randomOperation(model, operator, planned);
    model.unsure.push(operation);
    const answer = wire.call(command, payload).then((got) => {
      model.unsure.splice(model.unsure.indexOf(operation), 1);
      if (got.result === SUCCESS) model.answered(operation, got);
      else if (got.result !== operation.mayBe)
        failures.push(`${operation.what}: ${got.result.toString(16)}`);
      if (operation.cost && ![SUCCESS, ta.OVERFLOW].includes(got.item))
        failures.push(`spend: ${got.item}`);
    });
    answers.push(answer.catch((error) => wire.cut || failures.push(error.message)));
  }
  return { failures, all: Promise.all(answers) };
}

// ---- a life of one machine ------------------------------------------------------------

/** What there must be, whatever of it an earlier cut has left. */
async function setUp(wire, model, operator) {
  const { result } = await wire.call(COMMAND.PROVISION, operator.provisioning());
  assert.ok([SUCCESS, ta.ACCESS_CONFLICT].includes(result), result.toString(16));
  if (!model.keys.has(POLICED)) {
    const made = await wire.call(COMMAND.GENERATE, ta.newKey(POLICED, ta.USAGE_SPONSOR));
    assert.equal(made.result, SUCCESS);
    model.keys.set(POLICED, made.publicKey);
  }
  if (model.version === 0) {
    const key = Buffer.from(model.keys.get(POLICED), "hex");
    const set = await wire.call(COMMAND.SET_POLICY, operator.policy(POLICED, key, 1, BUDGET));
    assert.equal(set.result, SUCCESS);
    model.version = 1;
  }
}

async function judge(wire, model) {
  const listed = await wire.call(COMMAND.LIST, ta.keyId(""));
  assert.deepEqual([listed.result, listed.more], [SUCCESS, 0]);
  for (const { id, algorithm } of listed.keys) assert.equal(algorithm, 1, `${id} is damaged`);
  const found = new Map(listed.keys.map(({ id, publicKey }) => [id, publicKey]));
  const policy = found.has(POLICED)
    ? await wire.call(COMMAND.GET_POLICY, ta.keyId(POLICED))
    : { version: 0, spent: 0n };
  model.judge(found, policy);
}

async function cut(guest, wire) {
  wire.cut = true;
  await guest.kill9();
}

/**
 * A session that has begun. A cut while OP-TEE makes its directory of objects for the first time
 * leaves one that it takes for damaged: it says so once, and removes it. There was nothing in it.
 */
async function begin(guest, machine) {
  const { log, counts } = machine;
  const wire = new ta.TaWire(guest, log);
  const begun = await wire.begin().catch((error) => ({ error }));
  if (begun.error && log.sequence === 0n && counts.tornDirectories++ === 0) {
    assert.match(begun.error.message, /no session: 0xf0100001/);
    return begin(guest, machine);
  }
  if (begun.error) throw begun.error;
  assert.equal(begun.result, SUCCESS, "BEGIN with the host's log");
  return wire;
}

/** One boot, and the cut while it begins. */
async function liveShortly({ state, log }) {
  const guest = await Guest.boot({ state, overlay, env: ONE_CPU });
  const wire = new ta.TaWire(guest, log);
  const begun = wire.begin().catch(() => {});
  await Promise.race([sleep(below(EARLY_MS)), begun]);
  await cut(guest, wire);
}

/** One boot: begin, judge, work, cut. */
async function live(machine) {
  const { state, model, operator, pace } = machine;
  const guest = await Guest.boot({ state, overlay, env: ONE_CPU });
  try {
    const wire = await begin(guest, machine);
    await judge(wire, model);
    await setUp(wire, model, operator);
    const began = Date.now();
    const work = sendOperations(wire, model, operator);
    await Promise.race([sleep(below(1.2 * OPERATIONS * pace.ms)), work.all]);
    const answered = OPERATIONS - model.unsure.length;
    pace.ms = (3 * pace.ms + (Date.now() - began) / Math.max(answered, 1)) / 4;
    await cut(guest, wire);
    await work.all;
    assert.deepEqual(work.failures, []);
  } finally {
    if (guest.child.running) await guest.kill9();
  }
}

/** Once more, whole: what is left after all can be used. */
async function lastLife(machine) {
  const { state, log, model, operator } = machine;
  const guest = await Guest.boot({ state, overlay, env: ONE_CPU });
  try {
    const wire = await begin(guest, machine);
    await judge(wire, model);
    await setUp(wire, model, operator);
    let item = SUCCESS;
    for (let i = 0; item === SUCCESS && i < 5000; i++) {
      ({ item } = await wire.call(COMMAND.SIGN_SPONSORSHIP, ta.spending(POLICED, COST)));
      if (item === SUCCESS) model.spent += COST;
    }
    assert.equal(item, ta.OVERFLOW);
    assert.ok(model.spent <= BUDGET * BigInt(model.version));
    const checkpoint = await wire.call(COMMAND.CHECKPOINT, Buffer.from([1]));
    assert.equal(checkpoint.sequence, log.sequence);
    assert.deepEqual(checkpoint.head, log.head);
  } finally {
    if (guest.child.running) await guest.shutdown();
  }
}

async function surviveCuts(t, name, cuts) {
  const machine = {
    state: join(workspace, name),
    log: new ta.HostLog(),
    model: new Model(),
    operator: new ta.Operator(),
    pace: { ms: 400 }, // an operation takes, about
    counts: { tornDirectories: 0 },
  };
  for (let i = 0; i < cuts; i++) await (i % 10 === 0 ? liveShortly(machine) : live(machine));
  await lastLife(machine);
  const { answered, unanswered, done } = machine.model.counts;
  const told =
    `${name}: ${cuts} cuts; ${answered - done} operations answered, ${unanswered} not, ` +
    `${done} of these done all the same; ${machine.log.records} audit records in one chain; ` +
    `${machine.counts.tornDirectories} directories cut when they were first made`;
  assert.ok(cuts < 10 || (answered > cuts && unanswered > cuts / 2), `in the middle? ${told}`);
  t.diagnostic(told);
}

describe("the power of the machine is cut", { timeout: 1_800_000, concurrency: MACHINES }, () => {
  for (let i = 0; i < MACHINES; i++) {
    const cuts = Math.floor((CUTS + i) / MACHINES);
    test(`${cuts} times on machine ${i + 1}: old state or new, and no key is lost`, (t) =>
      surviveCuts(t, `power-${i + 1}`, cuts));
  }
});
