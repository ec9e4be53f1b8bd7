// SPDX-License-Identifier: Apache-2.0
// The machine that a run of tests shares, as its runner has written it down.
import { readFileSync } from "node:fs";

/** { agentPort, qmp, state, pid } of the running machine. */
export function currentGuest() {
  const path = process.env.SR_GUEST;
  if (!path) throw new Error("SR_GUEST names no machine: tests/optee/run.mjs starts one");
  return JSON.parse(readFileSync(path, "utf8"));
}
