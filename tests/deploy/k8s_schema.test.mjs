// SPDX-License-Identifier: Apache-2.0
// The rendered manifests against the schemas of Kubernetes 1.36 and of the Prometheus operator,
// made strict: a field that is not there is an error, as with a server's strict validation.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import Ajv from "ajv";

import { nameOf, ofKind, parse, podsOf, read, RENDERED, SCHEMAS } from "./support/kubernetes.mjs";

const SWAGGER = join(SCHEMAS, "kubernetes-1.36-swagger.json");
const CRDS = ["servicemonitors", "podmonitors", "prometheusrules"];
const GVK = "x-kubernetes-group-version-kind";
const QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const META = "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

const eachOf = (map, change) =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));

/** A schema in which what it does not name is not allowed. */
function strict(schema) {
  if (schema === null || typeof schema !== "object") return schema;
  const made = { ...schema };
  if (made.properties) {
    made.properties = eachOf(made.properties, strict);
    if (!made["x-kubernetes-preserve-unknown-fields"]) made.additionalProperties ??= false;
  }
  for (const key of ["items", "additionalProperties"]) if (made[key]) made[key] = strict(made[key]);
  for (const key of ["allOf", "anyOf", "oneOf"])
    if (made[key]) made[key] = made[key].map((each) => ({ ...each }));
  if (made.format === "int-or-string" || made["x-kubernetes-int-or-string"]) {
    delete made.anyOf;
    made.type = ["integer", "string"];
  }
  return made;
}

// Patterns in CustomResourceDefinitions are Go's.
const goPattern = (pattern, flags) =>
  new RegExp(pattern.replace("(?i)", ""), pattern.includes("(?i)") ? `${flags}i` : flags);
goPattern.code = "goPattern";

/** Validators by "apiVersion kind", made as they are asked for. */
function compileSchemas() {
  const swagger = eachOf(JSON.parse(readFileSync(SWAGGER, "utf8")).definitions, strict);
  Object.assign(swagger[QUANTITY], { type: ["string", "number"] });
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    validateFormats: false,
    inlineRefs: false,
    code: { regExp: goPattern },
  });
  ajv.addSchema({ $id: "kubernetes", definitions: swagger });
  const known = new Map();
  for (const [name, { [GVK]: kinds = [] }] of Object.entries(swagger))
    for (const { group, version, kind } of kinds)
      known.set(`${group ? `${group}/` : ""}${version} ${kind}`, {
        $ref: `kubernetes#/definitions/${name}`,
      });
  for (const crd of CRDS) {
    const [{ spec }] = parse(readFileSync(join(SCHEMAS, `crd-${crd}.yaml`), "utf8"));
    for (const { name, schema } of spec.versions) {
      const made = strict(schema.openAPIV3Schema);
      made.properties.metadata = { $ref: `kubernetes${META}` };
      known.set(`${spec.group}/${name} ${spec.names.kind}`, made);
    }
  }
  return { ajv, known };
}

let schemas;

/** What is wrong with an object, in one line each. */
function errorsOf(object) {
  schemas ??= compileSchemas();
  const schema = schemas.known.get(`${object.apiVersion} ${object.kind}`);
  if (!schema) return [`there is no ${object.apiVersion} ${object.kind}`];
  const validate = schemas.ajv.compile(schema);
  if (validate(object)) return [];
  return validate.errors.map(
    ({ instancePath, message, params }) =>
      `${nameOf(object)}${instancePath}: ${message} ${JSON.stringify(params)}`,
  );
}

const available = existsSync(SWAGGER);

test("the schemas are here, or it is said that they are not", (context) => {
  if (available) return;
  const line = `NOT CHECKED against the schemas of Kubernetes: there is no ${SWAGGER}`;
  context.diagnostic(line);
  console.error(line);
});

if (available) {
  for (const file of Object.keys(RENDERED))
    describe(`${file}, by the schemas of Kubernetes 1.36`, () => {
      for (const object of parse(read(file)))
        test(nameOf(object), () => assert.deepEqual(errorsOf(object), []));
    });

  const [file] = Object.keys(RENDERED);
  const pod = (objects) => podsOf(objects)[0].spec;
  const deployment = (objects) => ofKind(objects, "Deployment")[0];
  const monitor = (objects) => ofKind(objects, "ServiceMonitor")[0];
  const SPOILT = [
    ["a field that is none", (o) => (pod(o).containerz = []), /containerz/],
    ["a field deep inside", (o) => (pod(o).containers[0].readinessProb = {}), /"readinessProb"/],
    ["a wrong type", (o) => (pod(o).terminationGracePeriodSeconds = "60"), /integer/],
    ["a field that is missing", (o) => delete pod(o).containers, /containers/],
    ["another version", (o) => (deployment(o).apiVersion = "apps/v2"), /no apps\/v2/],
    ["a field of a monitor", (o) => (monitor(o).spec.endpoint = []), /endpoint/],
    ["a monitor's metadata", (o) => (monitor(o).metadata.label = {}), /label/],
  ];
  describe("the strict schemas notice", () => {
    for (const [what, change, said] of SPOILT)
      test(what, () => {
        const objects = parse(read(file));
        change(objects);
        assert.match(objects.flatMap(errorsOf).join("\n"), said);
      });

    test("take a number where a quantity or a port may be one", () => {
      const objects = parse(read(file));
      pod(objects).containers[0].resources.limits.cpu = 2;
      pod(objects).containers[0].livenessProbe.httpGet.port = 3000;
      assert.deepEqual(errorsOf(deployment(objects)), []);
    });
  });
}
