// SPDX-License-Identifier: Apache-2.0
// For `node --import`: the end-to-end tests get support/guest_test.mjs in the place of node:test.
import { register } from "node:module";

const replacement = new URL("guest_test.mjs", import.meta.url).href;
const HOOKS = `
export async function resolve(specifier, context, next) {
  const byTest = /\\/tests\\/e2e\\/[^/]+\\.test\\.mjs$/.test(context.parentURL ?? "");
  if (specifier !== "node:test" || !byTest) return next(specifier, context);
  return { url: ${JSON.stringify(replacement)}, shortCircuit: true };
}
`;

register(`data:text/javascript,${encodeURIComponent(HOOKS)}`);
