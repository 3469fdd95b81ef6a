import { describe, expect, it } from "vitest";
import {
  before,
  dateIn,
  daysOf,
  keyOf,
  lengthOf,
  slotsOf,
  stepsOf,
} from "../../src/audience/period";
import { row } from "./rows";

const CUSTOM = { from: "2026-01-01", to: "2026-01-02" };

describe("dateIn", () => {
  it.each([
    ["Europe/Berlin", "2026-03-02T23:30:00Z", "2026-03-03"],
    ["America/New_York", "2026-03-02T03:30:00Z", "2026-03-01"],
    ["Pacific/Auckland", "2026-03-02T12:00:00Z", "2026-03-03"],
  ])("in %s at %s is %s", (zone, moment, date) => {
    expect(dateIn(zone, new Date(moment))).toBe(date);
  });
});

describe("daysOf", () => {
  it.each([
    ["today", "2026-03-02", "2026-03-02"],
    ["yesterday", "2026-03-01", "2026-03-01"],
    ["week", "2026-02-24", "2026-03-02"],
    ["month", "2026-02-03", "2026-03-02"],
    ["custom", "2026-01-01", "2026-01-02"],
  ] as const)("of %s", (period, from, to) => {
    expect(daysOf(period, "2026-03-02", CUSTOM)).toEqual({ from, to });
  });
});

it("the period before is as long, and ends where the other begins", () => {
  expect(before({ from: "2026-03-01", to: "2026-03-07" })).toEqual({
    from: "2026-02-22",
    to: "2026-02-28",
  });
});

it.each([
  ["2026-03-01", "2026-03-01", 1],
  ["2026-03-02", "2026-03-01", 0],
  ["", "2026-03-01", 0],
])("from %j to %j are %d days", (from, to, days) => {
  expect(lengthOf({ from, to })).toBe(days);
});

it.each([
  ["2026-03-01", "2026-03-01", ["hour"]],
  ["2026-03-01", "2026-03-02", ["day", "hour"]],
  ["2026-03-01", "2026-03-28", ["day", "week"]],
  ["2026-01-01", "2026-12-31", ["week"]],
])("from %s to %s goes by %j", (from, to, steps) => {
  expect(stepsOf({ from, to })).toEqual(steps);
});

describe("slotsOf", () => {
  it("fills the hours between the first and the last", () => {
    const rows = ["2026-03-02T08:00:00Z", "2026-03-02T11:00:00Z"].map((start) => row({ start }));
    const slots = slotsOf("hour", { from: "2026-03-02", to: "2026-03-02" }, rows, "UTC");
    expect(slots.map(({ start }) => start.getUTCHours())).toEqual([8, 9, 10, 11]);
    expect(slotsOf("hour", CUSTOM, [], "UTC")).toEqual([]);
  });

  it.each(["Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago"])(
    "has each day once where clocks change, in %s",
    (zone) => {
      const days = { from: "2026-03-28", to: "2026-03-31" };
      const slots = slotsOf("day", days, [], zone);
      const dates = ["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"];
      expect(slots.map(({ key }) => key)).toEqual(dates);
      expect(slots.map(({ start }) => dateIn(zone, start))).toEqual(dates);
    },
  );

  it("has weeks from their Monday", () => {
    const slots = slotsOf("week", { from: "2026-03-04", to: "2026-03-16" }, [], "UTC");
    expect(slots.map(({ key }) => key)).toEqual(["2026-03-02", "2026-03-09", "2026-03-16"]);
  });

  it("finds a row by the local date of its start", () => {
    // Midnight of Berlin's 29th of March, when clocks go forward that night.
    expect(keyOf("2026-03-28T23:00:00Z", "day", "Europe/Berlin")).toBe("2026-03-29");
    expect(keyOf("2026-03-28T23:00:00+00:00", "hour", "Europe/Berlin")).toBe(
      "2026-03-28T23:00:00.000Z",
    );
  });
});
