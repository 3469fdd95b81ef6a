import { describe, expect, it } from "vitest";
import type { Card, Metric } from "../../src/api/types";
import { grouped, overall } from "../../src/models/metrics";

const metric = (name: string, by = "", group = ""): Metric => ({
  task: "age",
  name,
  value: 1,
  pictures: 10,
  by,
  group,
});
const card = (...metrics: Metric[]) => ({ metrics, confusions: [] }) as unknown as Card;

describe("the figures of a card", () => {
  const all = card(
    metric("mae"),
    metric("mae", "age_group", "senior"),
    metric("mae", "age_group", "child"),
    metric("bias", "age_group", "child"),
    metric("mae", "gender", "male"),
  );

  it("are parted into those of all pictures and those of groups", () => {
    expect(overall(all, "age")).toHaveLength(1);
    expect(overall(all, "gender")).toEqual([]);
  });

  it("are grouped by what they were grouped by, ages by age", () => {
    const found = grouped(all, "age");
    expect(found?.figure).toBe("mae");
    expect(found?.groups.map(([by, metrics]) => [by, metrics.map(({ group }) => group)])).toEqual([
      ["age_group", ["child", "senior"]],
      ["gender", ["male"]],
    ]);
  });

  it("may be missing", () => {
    expect(grouped(card(metric("mae")), "age")).toBeNull();
  });
});
