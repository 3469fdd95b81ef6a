import { describe, expect, it } from "vitest";
import {
  NONE,
  errorBar,
  figureOf,
  figureText,
  highest,
  stayText,
  stepText,
  totalOf,
} from "../../src/charts/figures";
import { dictionaries } from "../../src/texts";
import { row } from "../audience/rows";

const words = dictionaries.en.audience;
const text = (...given: Parameters<typeof figureOf>) =>
  figureText(figureOf(...given), words, "en");

describe("a hidden total", () => {
  it.each([null, 0])("is called hidden, never %j", (visits) => {
    expect(text(row({ hidden: true, visits }), "visits")).toBe("hidden");
  });

  it("hides its corrected total, too", () => {
    const corrected = { value: 2.8, low: 0.8, high: 8.3 };
    expect(text(row({ hidden: true, visits: 0, corrected }), "corrected")).toBe("hidden");
  });

  it("of which parts are shown is at least so many", () => {
    expect(text(row({ hidden: true, visits: 1200 }), "visits")).toBe("≥ 1,200");
  });

  it("is told from none, and from a true zero", () => {
    expect(text(undefined, "visits")).toBe("none");
    expect(text(row({ visits: 0 }), "visits")).toBe("0");
  });
});

describe("figureText", () => {
  it("has the interval beside it", () => {
    const corrected = { value: 82.7, low: 60.3, high: 100.4 };
    expect(text(row({ corrected }), "corrected")).toBe("83 (60–100)");
    expect(text(row({ corrected, hidden: true }), "corrected")).toBe("≥ 83 (60–100)");
  });
});

describe("totalOf", () => {
  it("adds what is shown, and says that more is hidden", () => {
    const rows = [row({ visits: 7 }), row({ visits: null, hidden: true }), row({ visits: 5 })];
    expect(figureText(totalOf(rows), words, "en")).toBe("≥ 12");
  });

  it("of hidden ones alone is hidden, and of none none", () => {
    expect(totalOf([row({ visits: null, hidden: true })])).toEqual({ ...NONE, hidden: true });
    expect(totalOf([])).toEqual(NONE);
  });
});

describe("errorBar", () => {
  it("goes from end to end, holds the value, and never below nothing", () => {
    expect(errorBar({ value: 5, low: 3, high: 9, hidden: false })).toEqual([3, 9]);
    expect(errorBar({ value: 5, low: -2, high: 4, hidden: false })).toEqual([0, 5]);
    expect(errorBar({ ...NONE, value: 5 })).toBeNull();
    expect(errorBar({ ...NONE, low: 1, high: 2 })).toBeNull();
  });

  it("fits below the scale's end", () => {
    expect(highest([{ value: 5, low: 3, high: 9, hidden: false }, { ...NONE, value: 7 }])).toBe(9);
    expect(highest([])).toBe(1);
  });
});

describe("stepText", () => {
  it.each([
    [0, 5, "< 5"],
    [0, 1, "0"],
    [1250, 5, "1,250"],
  ])("of %j in steps of %j is %j", (value, k, expected) => {
    expect(stepText(value, k, "en")).toBe(expected);
  });
});

describe("stayText", () => {
  it.each([
    [null, "–"],
    [4.25, "4.3 s"],
    [59.6, "60 s"],
    [150, "2.5 min"],
  ])("of %j is %j", (seconds, expected) => {
    expect(stayText(seconds, "en", words.stays)).toBe(expected);
  });
});
