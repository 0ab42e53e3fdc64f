// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// usage: node validate.js CACHE FILE...
//
// Checks the objects in files of YAML against the schemas of the oldest and the newest Kubernetes that is supported, and
// those of the Prometheus Operator against its CRDs. CACHE is what tests/deploy/fetch has filled; the npm packages are in
// the folder where this runs. A field that no schema knows is an error, too: the API server would drop it in silence.
//
// Prints a line for each file and version: "FILE VERSION COUNT", or "FILE VERSION KIND NAME: what is wrong".
"use strict";
const fs = require("fs");
const path = require("path");
const need = (name) => require(require.resolve(name, { paths: [process.cwd()] }));
const YAML = need("yaml");
const Ajv = need("ajv").default;

const [cache, ...files] = process.argv.slice(2);
const intOrString = { type: ["integer", "string"] };
const quantity = { type: ["number", "string"], pattern: "^[+-]?[0-9.]+([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?$" };

// As Kubernetes writes it: swagger.json of its source.
class Swagger {
  constructor(file) {
    const { definitions } = JSON.parse(fs.readFileSync(file));
    this.kinds = {};
    for (const [name, schema] of Object.entries(definitions)) {
      if (schema.properties) schema.additionalProperties = false;
      for (const k of schema["x-kubernetes-group-version-kind"] || [])
        this.kinds[`${k.group ? k.group + "/" : ""}${k.version} ${k.kind}`] = name;
    }
    definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] = intOrString;
    definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = quantity;
    this.ajv = new Ajv({ strict: false, validateFormats: false });
    this.ajv.addSchema({ $id: "swagger", definitions });
  }
  of(apiVersion, kind) {
    const name = this.kinds[`${apiVersion} ${kind}`];
    return name && this.ajv.getSchema(`swagger#/definitions/${name}`);
  }
}

// As it stands in the types that Kubernetes' own client for JavaScript has: a property a line, with a question mark if it
// may be missing.
class Client {
  constructor(folder) {
    this.folder = folder;
    this.definitions = { IntOrString: intOrString };
    this.ajv = new Ajv({ strict: false });
  }
  type(text, property) {
    const list = /^Array<(.*)>$/s.exec(text);
    if (list) return { type: "array", items: this.type(list[1], property) };
    const map = /^\{\s*\[key: string\]: (.*?);\s*\}$/s.exec(text);
    if (map && ["limits", "requests", "capacity", "allocatable"].includes(property)) return { additionalProperties: quantity };
    if (map) return { type: "object", additionalProperties: this.type(map[1], property) };
    if (["string", "boolean"].includes(text)) return property === "sizeLimit" ? quantity : { type: text };
    if (text === "number") return { type: "number" };
    if (text === "Date") return { type: "string" };
    if (text === "any" || text === "object") return {};
    return this.model(text) && { $ref: `#/definitions/${text}` };
  }
  model(name) {
    if (this.definitions[name]) return this.definitions[name];
    const text = fs.readFileSync(path.join(this.folder, "models", `${name}.d.ts`), "utf8");
    const schema = (this.definitions[name] = { type: "object", additionalProperties: false, properties: {}, required: [] });
    for (const [, key, may, type] of text.matchAll(/^ {4}'(\w+)'(\??): (\{[^]*?\n {4}\}|[^;]+);/gm)) {
      const property = key.replace(/^_/, "");
      schema.properties[property] = this.type(type, property);
      if (!may) schema.required.push(property);
    }
    return schema;
  }
  of(apiVersion, kind) {
    const parts = ("core/" + apiVersion).split("/").slice(-2);
    const capital = (word) => word[0].toUpperCase() + word.slice(1);
    const group = parts[0].replace(".k8s.io", "").split(".").map(capital).join("");
    const version = capital(parts[1]);
    const is = (...file) => fs.existsSync(path.join(this.folder, ...file));
    if (!is("apis", `${group}${version}Api.js`) || !is("models", `${version}${kind}.d.ts`)) return undefined;
    this.model(version + kind);
    return this.ajv.compile({ definitions: this.definitions, $ref: `#/definitions/${version}${kind}` });
  }
}

// As the Prometheus Operator's CRDs have it. The models let any field pass.
class Operator {
  constructor() {
    const addSchema = Ajv.prototype.addSchema;
    const refuseUnknown = (schema) => {
      if (!schema || typeof schema !== "object") return schema;
      Object.values(schema).forEach(refuseUnknown);
      if (schema.properties && schema.type === "object" && schema.additionalProperties === undefined)
        schema.additionalProperties = false;
      return schema;
    };
    Ajv.prototype.addSchema = function (schema, id) {
      return addSchema.call(this, refuseUnknown(schema), id);
    };
  }
  of(apiVersion, kind) {
    const model = need(`@kubernetes-models/prometheus-operator/${apiVersion}`)[kind];
    const check = (object) => {
      try {
        new model(object).validate();
      } catch (error) {
        check.errors = error.errors || [{ instancePath: "", message: error.message }];
        return false;
      }
      return true;
    };
    return model && check;
  }
}

const kubernetes = { "1.20": new Swagger(path.join(cache, "1.20", "swagger.json")), 1.36: new Client(path.join(cache, "1.36")) };
const operator = new Operator();

function problem(object, version) {
  const source = object.apiVersion.startsWith("monitoring.coreos.com/") ? operator : kubernetes[version];
  const check = source.of(object.apiVersion, object.kind);
  if (!check) return `there is no ${object.apiVersion} ${object.kind}`;
  if (check(object)) return undefined;
  return check.errors.map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params || {})}`).join("; ");
}

let failed = false;
for (const file of files)
  for (const version of Object.keys(kubernetes)) {
    const name = `${path.basename(file, ".yaml")} ${version}`;
    const objects = YAML.parseAllDocuments(fs.readFileSync(file, "utf8"), { version: "1.1" })
      .map((document) => document.toJS())
      .filter((object) => object);
    const wrong = objects
      .map((object) => [`${object.kind} ${object.metadata && object.metadata.name}`, problem(object, version)])
      .filter(([, why]) => why);
    for (const [object, why] of wrong) console.log(`${name} ${object}: ${why}`);
    if (!wrong.length) console.log(`${name} ${objects.length}`);
    failed ||= wrong.length > 0;
  }
process.exit(failed ? 1 : 0);
