import { describe, expect, it } from "vitest";
import { type Item, changed } from "../../src/photo/items";
import { picture } from "../faces";

const item = (id: number, state: "waiting" | "reading" = "waiting"): Item => ({
  id,
  name: `${id}.jpg`,
  file: new File([], `${id}.jpg`),
  url: `blob:${id}`,
  outcome: { state },
});

describe("changed", () => {
  it("puts new pictures first", () => {
    const items = changed([item(1)], { type: "add", items: [item(2), item(3)] });
    expect(items.map(({ id }) => id)).toEqual([2, 3, 1]);
  });

  it("keeps an outcome with its picture", () => {
    const outcome = { state: "read", picture: picture() } as const;
    const items = changed([item(1), item(2)], { type: "outcome", id: 2, outcome });
    expect(items.map((one) => one.outcome.state)).toEqual(["waiting", "read"]);
  });

  it("lets one wait again, or all", () => {
    const items = [item(1, "reading"), item(2, "reading")];
    expect(changed(items, { type: "again", id: 1 }).map((one) => one.outcome.state)).toEqual([
      "waiting",
      "reading",
    ]);
    expect(changed(items, { type: "again" }).every((one) => one.outcome.state === "waiting")).toBe(
      true,
    );
  });

  it("removes", () => {
    expect(changed([item(1), item(2)], { type: "remove", id: 1 }).map(({ id }) => id)).toEqual([2]);
    expect(changed([item(1)], { type: "clear" })).toEqual([]);
  });
});
