// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// usage: node validate.js < documents.yaml
//
// Checks objects of Kubernetes against their schemas, which npm's kubernetes-models has made
// from Kubernetes' own OpenAPI document and the Prometheus Operator's CRDs. A field that no schema knows is an error, too: the API
// server would drop it in silence. Prints "KIND NAME" for each object, or what is wrong.
"use strict";
const fs = require("fs");
const path = require("path");

// The packages are where the script is run, not where it lies.
const need = (name) => require(require.resolve(name, { paths: [process.cwd()] }));
const YAML = need("yaml");
const Ajv = need("ajv").default;

// The schemas as they are let any field pass.
function refuseUnknown(schema) {
  if (!schema || typeof schema !== "object") return schema;
  for (const part of Object.values(schema)) refuseUnknown(part);
  if (schema.properties && schema.type === "object" && schema.additionalProperties === undefined)
    schema.additionalProperties = false;
  return schema;
}
const addSchema = Ajv.prototype.addSchema;
Ajv.prototype.addSchema = function (schema, id) {
  return addSchema.call(this, refuseUnknown(schema), id);
};

// Which package has the models of an API version.
function modelsOf(apiVersion) {
  const operator = apiVersion.startsWith("monitoring.coreos.com/");
  return need(path.posix.join(operator ? "@kubernetes-models/prometheus-operator" : "kubernetes-models", apiVersion));
}

let failed = false;
for (const document of YAML.parseAllDocuments(fs.readFileSync(0, "utf8"))) {
  const object = document.toJS();
  const name = `${object.kind} ${object.metadata && object.metadata.name}`;
  try {
    if (document.errors.length) throw document.errors[0];
    const model = modelsOf(object.apiVersion)[object.kind];
    if (!model) throw new Error(`no schema of ${object.apiVersion} ${object.kind}`);
    new model(object).validate();
    console.log(name);
  } catch (error) {
    const details = error.errors ? error.errors.map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`) : [error.message];
    console.error(`${name}: ${details.join("; ")}`);
    failed = true;
  }
}
process.exit(failed ? 1 : 0);
