import { describe, expect, it } from "vitest";
import { agesData, beside, comparable, timeData } from "../../src/audience/data";
import { hides } from "../../src/charts/chart";
import { NONE } from "../../src/charts/figures";
import { dictionaries } from "../../src/texts";
import { row } from "./rows";

const reader = { texts: dictionaries.en, language: "en", zone: "Europe/Berlin" } as const;
const corrected = { value: 18, low: 12, high: 25 };
const DAY = { from: "2026-03-02", to: "2026-03-02" };

describe("agesData", () => {
  const rows = [
    row({ age: "adult", visits: 20, corrected }),
    row({ age: "child", visits: null, hidden: true }),
  ];
  const data = agesData(rows, ["child", "adult"], reader);

  it("puts raw and corrected side by side, in the groups' order", () => {
    expect(data.slots.map(({ short }) => short)).toEqual(["Child", "Adult"]);
    expect(data.series.map(({ name }) => name)).toEqual(["as read", "corrected"]);
    expect(data.series[1]?.figures[1]).toEqual({ ...corrected, hidden: false });
  });

  it("hides in each series what is hidden", () => {
    expect(data.series.map(({ figures }) => figures[0])).toEqual([
      { ...NONE, hidden: true },
      { ...NONE, hidden: true },
    ]);
    expect(hides(data)).toEqual({ whole: true, part: false });
  });

  it("tells who passed only where a tally does", () => {
    const tallied = rows.map((one) => ({ ...one, passed: one.corrected }));
    expect(agesData(tallied, ["child", "adult"], reader).series).toHaveLength(3);
  });
});

describe("timeData", () => {
  const rows = [
    row({ start: "2026-03-02T08:00:00Z", visits: 9 }),
    row({ start: "2026-03-02T10:00:00Z", visits: 7, hidden: true }),
  ];

  it("has hours of the store's zone, and nothing where nobody came", () => {
    const data = timeData(rows, { step: "hour", days: DAY, group: "" }, reader);
    expect(data.slots.map(({ short }) => short)).toEqual(["09:00", "10:00", "11:00"]);
    expect(data.series).toHaveLength(1);
    expect(data.series[0]?.figures[1]).toEqual(NONE);
    expect(hides(data)).toEqual({ whole: false, part: true });
  });

  it("of one age group takes its rows only", () => {
    const aged = rows.flatMap((one) => [
      { ...one, age: "adult", corrected },
      { ...one, age: "child", visits: 99 },
    ]);
    const data = timeData(aged, { step: "hour", days: DAY, group: "adult" }, reader);
    expect(data.series.map(({ name }) => name)).toEqual(["as read", "corrected"]);
    expect(data.series[0]?.figures[0]?.value).toBe(9);
  });
});

describe("comparing", () => {
  const hours = (day: number, visits: Record<number, number>) =>
    timeData(
      Object.entries(visits).map(([hour, n]) =>
        row({ start: new Date(Date.UTC(2026, 2, day, Number(hour))).toISOString(), visits: n }),
      ),
      { step: "hour", days: DAY, group: "" },
      { ...reader, zone: "UTC" },
    );
  const values = (data: ReturnType<typeof beside>) =>
    data.series.map(({ figures }) => figures.map(({ value }) => value));

  it("puts equal times of day beside each other", () => {
    const here = comparable(hours(2, { 9: 1, 10: 2 }), null);
    const there = comparable(hours(1, { 8: 5, 9: 6 }), null);
    const data = beside(here, there, ["a", "b"], "raw");
    expect(data.slots.map(({ short }) => short)).toEqual(["08:00", "09:00", "10:00"]);
    expect(values(data)).toEqual([
      [null, 1, 2],
      [5, 6, null],
    ]);
  });

  it("keeps both of the hours that come twice when clocks go back", () => {
    const rows = [0, 1, 2].map((hour) =>
      row({ start: new Date(Date.UTC(2026, 9, 25, hour)).toISOString(), visits: hour + 5 }),
    );
    const days = { from: "2026-10-25", to: "2026-10-25" };
    const data = comparable(timeData(rows, { step: "hour", days, group: "" }, reader), null);
    expect(data.slots.map(({ short }) => short)).toEqual(["02:00", "02:00", "03:00"]);
    expect(values(beside(data, data, ["a", "a"], "raw"))).toEqual([
      [5, 6, 7],
      [5, 6, 7],
    ]);
  });

  it("numbers days, more than nine in their order", () => {
    const days = (from: string, to: string) =>
      comparable(
        timeData([], { step: "day", days: { from, to }, group: "" }, reader),
        (n) => `Day ${n}`,
      );
    const data = beside(
      days("2026-03-01", "2026-03-02"),
      days("2026-02-01", "2026-02-12"),
      ["a", "b"],
      "raw",
    );
    expect(data.slots.map(({ short }) => short)).toEqual(
      Array.from({ length: 12 }, (_, n) => String(n + 1)),
    );
    expect(data.slots.at(-1)?.long).toBe("Day 12");
  });

  it("keeps the groups' order", () => {
    const groups = ["child", "adult"];
    const ages = agesData([row({ age: "adult", corrected })], groups, reader);
    const data = beside(ages, ages, ["a", "b"], "corrected");
    expect(data.slots.map(({ key }) => key)).toEqual(groups);
    expect(values(data)).toEqual([
      [null, 18],
      [null, 18],
    ]);
  });
});
