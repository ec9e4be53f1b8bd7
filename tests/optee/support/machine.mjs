// SPDX-License-Identifier: Apache-2.0
// What lies over the root file system of a test's machine, from the build.
import { basename, join } from "node:path";

import { root } from "../../e2e/support/processes.mjs";
import { testFiles } from "./guest.mjs";
import { LEFT_OUT_PROGRAMS } from "./left_out.mjs";

const BUILT = join(root, "build/optee/arm64/tests");
/** What leads the TA by hand, beside its test programs. */
const HELPERS = ["guest-agent", "ta-hook", "ta-wire"];
const LIBRARIES = "usr/lib/aarch64-linux-gnu";
/** The TA's test build: another UUID, and commands that end it. */
export const TEST_TA = "12345678-5b69-11d4-9fee-00c04f4c3457";

/**
 * Path in the machine -> file here. names: the TA's test programs; testTa: the directory where its
 * test build lies.
 */
export function machineFiles(names = [], testTa = join(root, "build/optee/ta-test")) {
  const programs = names
    .filter((name) => !(name in LEFT_OUT_PROGRAMS))
    .map((name) => join(BUILT, `test-ta-${name}`));
  const ta = `usr/lib/optee_armtz/${TEST_TA}.ta`;
  const library = `${LIBRARIES}/libcmocka.so.0`;
  return {
    ...testFiles([...HELPERS.map((name) => join(BUILT, "optee", name)), ...programs]),
    [ta]: join(testTa, basename(ta)),
    [library]: join(root, "build/optee/sysroot", library),
  };
}
