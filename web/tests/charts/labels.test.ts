import { expect, it } from "vitest";
import { labelled } from "../../src/charts/labels";

const slots = Array.from({ length: 24 }, (_, n) => {
  const name = `${String(n).padStart(2, "0")}:00`;
  return { key: name, short: name, long: name };
});

it("all have a label where there is room", () => {
  expect(labelled(slots, 2000)).toHaveLength(24);
});

it("fewer have one where there is none, the first always", () => {
  const few = labelled(slots, 300);
  expect(few[0]).toBe("00:00");
  expect(few.length).toBeLessThanOrEqual(300 / 45);
  expect(few.length).toBeGreaterThan(3);
});
