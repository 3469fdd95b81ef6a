import { describe, expect, it } from "vitest";
import { pageOf } from "../../src/app/route";

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
    expect(pageOf(hash)).toBe(page);
  });
});
