import { expect, it } from "vitest";
import type { Camera } from "../../src/api/types";
import { unlikeShare, untranslated } from "../../src/audience/notes";
import { knownPlaces, placeKey, placeName, placeOf, placesOf } from "../../src/audience/places";
import { dictionaries } from "../../src/texts";
import { row } from "./rows";

const camera = (name: string, ...areas: [string, boolean][]): Camera => ({
  name,
  source: "0",
  state: "live",
  since: "2026-03-02T08:00:00Z",
  reason: "",
  width: 640,
  height: 480,
  rate: 10,
  frames: 1,
  dropped: 0,
  damaged: 0,
  losses: 0,
  failed: 0,
  present: 0,
  areas: areas.map(([area, ignore]) => ({ name: area, polygon: [], ignore })),
});

it("a camera without counted areas has its whole view", () => {
  const cameras = [camera("door", ["hall", false], ["poster", true]), camera("shop", ["tv", true])];
  expect(placesOf(cameras)).toEqual([
    { camera: "door", area: "hall" },
    { camera: "shop", area: "whole view" },
  ]);
});

it("places of old totals are known, each once", () => {
  const rows = [row({ camera: "door", area: "hall" }), row({ camera: "attic", area: "a" }), row()];
  const live = {
    time: "",
    k: 5,
    totals: [],
    cameras: [camera("door", ["hall", false])],
    recorder: null,
    problem: "",
  };
  expect(knownPlaces(live, rows).map(placeKey)).toEqual(["attic/a", "door/hall"]);
});

it("a key names its place", () => {
  expect(placeOf(placeKey({ camera: "a b", area: "ü" }))).toEqual({ camera: "a b", area: "ü" });
  expect(placeOf("")).toBeNull();
});

it("only the whole view is translated", () => {
  const name = (area: string) => placeName({ camera: "cửa", area }, dictionaries.vi);
  expect(name("whole view")).toBe("toàn khung hình (cửa)");
  expect(name("entrance")).toBe("entrance (cửa)");
});

it("notes that the page says itself are not said twice", () => {
  const warning = "the calibration was measured with the network 1a, in use is 2b";
  expect(
    untranslated([
      "visits, not people: whoever comes twice, or past two cameras, counts twice",
      "door, hall: not calibrated here",
      "door, hall: ages are read 4 years too old here (2 to 6); corrected totals allow for it",
      "11% of the visits were read as no mix of ages would be, if faces look as in the calibration",
      "door, hall: 82% of the people who pass are seen (75% to 89%), by 81 taps",
      warning,
    ]),
  ).toEqual([warning]);
});

it("the warning of faces unlike those of the calibration tells its share", () => {
  const warning =
    "11% of the visits were read as no mix of ages would be, if faces look as in the calibration " +
    "(p = 0.010): corrected totals may be wrong.";
  expect(unlikeShare(["visits, not people", warning])).toBe(11);
  expect(unlikeShare(["visits, not people"])).toBeNull();
});
