import { describe, expect, it } from "vitest";

import { expected, groupOf, quantile, readAge } from "../../src/engine/ages";

/** All probability at the given ages, evenly. */
function at(...ages: number[]): Float32Array {
  const distribution = new Float32Array(101);
  for (const age of ages) distribution[age] = 1 / ages.length;
  return distribution;
}

describe("quantile", () => {
  it.each([
    { ages: [30], share: 0.5, years: 30 },
    { ages: [30], share: 0, years: 0 },
    { ages: [30], share: 1, years: 30.5 },
    { ages: [20, 40], share: 0.25, years: 20 },
    { ages: [20, 40], share: 0.75, years: 40 },
    { ages: [0], share: 0.25, years: 0 },
    { ages: [100], share: 1, years: 100.5 },
  ])("at $share of $ages is $years", ({ ages, share, years }) => {
    expect(quantile(at(...ages), share)).toBeCloseTo(years, 6);
  });
});

describe("readAge", () => {
  const margins = [
    { level: 0.9, from_age: 0, margin: 1 },
    { level: 0.5, from_age: 10, margin: 50 },
    { level: 0.9, from_age: 30, margin: 3 },
  ];

  it.each([
    { ages: [29], margin: 1 },
    { ages: [30], margin: 3 },
    { ages: [80], margin: 3 },
  ])("widens by the margin of the expected age: $ages", ({ ages, margin }) => {
    const { low, high, years } = readAge(at(...ages), margins);
    expect(high - years).toBeCloseTo(0.45 + margin, 6);
    expect(years - low).toBeCloseTo(0.45 + margin, 6);
  });

  it("takes the first margin below the first edge, and none where there is none", () => {
    const later = [{ level: 0.9, from_age: 50, margin: 7 }];
    expect(readAge(at(20), later).high).toBeCloseTo(27.45, 6);
    expect(readAge(at(20), []).high).toBeCloseTo(20.45, 6);
  });

  it("holds the expected age, and nothing below 0", () => {
    const narrow = [{ level: 0.9, from_age: 0, margin: -20 }];
    expect(readAge(at(40), narrow)).toMatchObject({ low: 40, years: 40, high: 40 });
    expect(readAge(at(1), [{ level: 0.9, from_age: 0, margin: 9 }]).low).toBe(0);
  });
});

it("expects the mean", () => {
  expect(expected(at(10, 20, 60))).toBeCloseTo(30, 5);
});

it.each([
  [0, "child"],
  [12.99, "child"],
  [13, "teen"],
  [18, "youth"],
  [36, "adult"],
  [60, "senior"],
  [100, "senior"],
])("puts %d years into the group %s", (years, group) => {
  expect(groupOf(years)).toBe(group);
});
