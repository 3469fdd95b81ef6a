import { describe, expect, it } from "vitest";
import type { Box } from "../../src/api/types";
import { Smoother, overlap } from "../../src/live/smoothing";
import { BOX, age, face, gender } from "../faces";

const FAR: Box = { x: 300, y: 200, width: 40, height: 50 };
const ageNow = (smoother: Smoother, years: number, now: number) => {
  const value = smoother.update([face({ age: age(years) })], now)[0]?.face.attributes["age"];
  return value?.kind === "age" ? value : null;
};

describe("overlap", () => {
  it.each<[Box, number]>([
    [BOX, 1],
    [FAR, 0],
    [{ ...BOX, x: 30 }, 1 / 3],
    [{ ...BOX, x: 50 }, 0],
  ])("of a box with %j is %d", (other, share) => {
    expect(overlap(BOX, other)).toBeCloseTo(share);
    expect(overlap(other, BOX)).toBeCloseTo(share);
  });
});

describe("Smoother", () => {
  it("keeps a face's id while it moves, and gives another face another", () => {
    const smoother = new Smoother();
    expect(smoother.update([face({})], 0).map(({ id }) => id)).toEqual([1]);
    const moved = face({}, { ...BOX, x: 16 });
    expect(smoother.update([face({}, FAR), moved], 0.1).map(({ id }) => id)).toEqual([1, 2]);
  });

  it("does not mix two faces that change their order", () => {
    const smoother = new Smoother();
    const [near, far] = [face({ age: age(20) }), face({ age: age(70) }, FAR)];
    smoother.update([near, far], 0);
    const tracks = smoother.update([far, near], 0.1);
    expect(tracks.map(({ face: one }) => one.attributes["age"])).toEqual([
      expect.objectContaining({ years: 20 }),
      expect.objectContaining({ years: 70 }),
    ]);
  });

  it("shows a face a little longer than it is seen, then no more", () => {
    const smoother = new Smoother();
    smoother.update([face({})], 0);
    expect(smoother.update([], 0.4)).toHaveLength(1);
    expect(smoother.update([], 0.6)).toHaveLength(0);
    expect(smoother.update([face({})], 0.7)[0]?.id).toBe(2);
  });

  it("begins with the mean of what was seen", () => {
    const smoother = new Smoother();
    ageNow(smoother, 20, 0);
    expect(ageNow(smoother, 40, 0.05)?.years).toBeCloseTo(30);
    expect(ageNow(smoother, 60, 0.1)?.years).toBeCloseTo(40);
  });

  it("comes to a new estimate in the end, and names the group of the age it shows", () => {
    const smoother = new Smoother();
    for (let n = 0; n < 50; n += 1) ageNow(smoother, 20, n / 20);
    const soon = ageNow(smoother, 70, 2.55);
    expect(soon?.years).toBeLessThan(25);
    expect(soon?.group).toBe("youth");
    let late = soon;
    for (let n = 0; n < 200; n += 1) late = ageNow(smoother, 70, 2.6 + n / 20);
    expect(late?.years).toBeCloseTo(70, 0);
    expect(late?.group).toBe("senior");
  });

  it("keeps a label that is hardly less probable than another", () => {
    const smoother = new Smoother();
    const shown = [0.6, 0.4, 0.48, 0.46].map((female, n) => {
      const value = smoother.update([face({ gender: gender(female) })], n / 20)[0];
      const found = value?.face.attributes["gender"];
      return found?.kind === "classification" && found.label;
    });
    expect(shown).toEqual(["female", "female", "female", "female"]);
  });

  it("leaves out faces without a box", () => {
    expect(new Smoother().update([face({}, null)], 0)).toEqual([]);
  });
});
