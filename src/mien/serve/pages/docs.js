// Shows /openapi.json for people: operations by tag, and the schemas they use.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function element(name, content = [], attributes = {}) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...[content].flat());
  return made;
}

function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return element("a", name, { href: `#schema-${name}` });
  }
  const options = schema.anyOf || schema.oneOf;
  if (options) return parted(options.map(typeOf), " or ");
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (schema.type === "array") return parted(["list of", typeOf(schema.items || {})], " ");
  if (schema.additionalProperties && schema.additionalProperties !== true)
    return parted(["text →", typeOf(schema.additionalProperties)], " ");
  return [schema.type, schema.format && `(${schema.format})`].filter(Boolean).join(" ") || "any";
}

function parted(items, separator) {
  const made = element("span");
  items.forEach((item, index) => made.append(index ? separator : "", item));
  return made;
}

function table(rows) {
  return element(
    "table",
    rows.map((cells) => element("tr", cells.map((cell) => element("td", [cell ?? ""])))),
  );
}

function code(text) {
  return element("code", text);
}

function fields(schema) {
  const required = new Set(schema.required || []);
  return table(
    Object.entries(schema.properties || {}).map(([name, field]) => [
      code(name),
      typeOf(field),
      required.has(name) ? "required" : "",
      field.description || "",
    ]),
  );
}

function content(entries) {
  return Object.entries(entries || {}).flatMap(([type, { schema }]) => [
    element("p", [code(type), " ", typeOf(schema)]),
    ...(schema?.properties ? [fields(schema)] : []),
  ]);
}

function operation(method, path, told) {
  const inside = element("div", [], { class: "inside" });
  if (told.description) inside.append(element("p", told.description, { class: "prose" }));
  if (told.parameters?.length) {
    const rows = told.parameters.map((one) => [
      code(one.name),
      typeOf(one.schema),
      one.required ? "required" : one.in,
      one.description || one.schema?.description || "",
    ]);
    inside.append(element("h3", "Parameters"), table(rows));
  }
  if (told.requestBody) inside.append(element("h3", "Body"), ...content(told.requestBody.content));
  inside.append(element("h3", "Answers"));
  for (const [status, answer] of Object.entries(told.responses))
    inside.append(element("p", [code(status), ` ${answer.description}`]), ...content(answer.content));
  const line = [
    element("span", method.toUpperCase(), { class: "method" }),
    code(path),
    ` ${told.summary || ""}`,
  ];
  return element("details", [element("summary", line), inside], { id: told.operationId });
}

function schemaBlock([name, schema]) {
  const inside = element("div", [], { class: "inside" });
  if (schema.description) inside.append(element("p", schema.description, { class: "prose" }));
  inside.append(fields(schema));
  if (schema.example) inside.append(element("pre", JSON.stringify(schema.example, null, 2)));
  return element("details", [element("summary", code(name)), inside], { id: `schema-${name}` });
}

function show(found) {
  const place = document.getElementById("document");
  const groups = new Map();
  for (const [path, item] of Object.entries(found.paths))
    for (const method of METHODS.filter((known) => item[known])) {
      const tag = item[method].tags?.[0] || "other";
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(method, path, item[method]));
    }
  place.replaceChildren(element("p", found.info.description, { class: "prose" }));
  for (const [tag, made] of groups) place.append(element("h2", tag), ...made);
  place.append(element("h2", "schemas"));
  place.append(...Object.entries(found.components.schemas).map(schemaBlock));
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  target.open = true;
  target.scrollIntoView();
}

async function start() {
  try {
    const answer = await fetch("/openapi.json");
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    show(await answer.json());
    openTarget();
  } catch (error) {
    const told = `The OpenAPI document could not be read: ${error.message}`;
    document.getElementById("document").replaceChildren(element("p", told));
  }
}

window.addEventListener("hashchange", openTarget);
start();
