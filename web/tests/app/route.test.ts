import { describe, expect, it } from "vitest";
import { firstPage, menu, pageOf } from "../../src/app/route";

describe("pageOf", () => {
  it.each([
    ["", "photo"],
    ["#/", "photo"],
    ["#/live", "live"],
    ["#models", "models"],
    ["#/audience", "audience"],
    ["#/tally", "tally"],
    ["#/constructor", null],
  ])("of %j is %j", (hash, page) => {
    expect(pageOf(hash, "photo")).toBe(page);
  });

  it("without one is where the service begins", () => {
    expect(pageOf("", "audience")).toBe("audience");
    expect(pageOf("#/photo", "audience")).toBe("photo");
  });
});

it.each([
  ["audience", "audience"],
  ["nothing", "photo"],
])("a document that names %j begins with %j", (named, page) => {
  expect(firstPage(named)).toBe(page);
});

it("the menu begins there, too, and has each page once but the tally", () => {
  expect(menu("audience")).toEqual(["audience", "photo", "live", "classify", "models"]);
  expect(menu("photo")).toEqual(["photo", "live", "classify", "models", "audience"]);
});
