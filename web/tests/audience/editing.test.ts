import { describe, expect, it } from "vitest";
import type { Area } from "../../src/api/types";
import { type Edit, begin, edit, problemsOf, surface, tidy } from "../../src/audience/editing";

const SQUARE: [number, number][] = [
  [0.2, 0.2],
  [0.6, 0.2],
  [0.6, 0.6],
  [0.2, 0.6],
];
const area = (name: string, part: Partial<Area> = {}): Area => ({
  name,
  polygon: SQUARE,
  ignore: false,
  ...part,
});

function after(areas: Area[], ...steps: Edit[]) {
  return steps.reduce(edit, begin(areas));
}

describe("drawing", () => {
  const corners = [[0, 0], [1, 0], [1, 1]] as const;
  const places = corners.map((point): Edit => ({ do: "place", point }));

  it("makes an area of the corners, and works on it", () => {
    const state = after([area("a")], { do: "draw" }, ...places, { do: "close", name: "b" });
    expect(state.areas[1]).toEqual({ name: "b", polygon: corners, ignore: false });
    expect(state.selected).toBe(1);
    expect(state.drawing).toBeNull();
  });

  it("does not close with fewer than three corners", () => {
    const state = after([], { do: "draw" }, ...places.slice(0, 2), { do: "close", name: "b" });
    expect(state.areas).toEqual([]);
    expect(state.drawing).toHaveLength(2);
  });

  it("takes back the last corner, then nothing of what was there before", () => {
    const state = after([area("a")], { do: "draw" }, ...places, { do: "undo" });
    expect(state.drawing).toHaveLength(2);
    expect(after([area("a")], { do: "draw" }, { do: "undo" }).areas).toHaveLength(1);
  });

  it("keeps corners within the picture", () => {
    const state = after([], { do: "draw" }, { do: "place", point: [-0.3, 1.7] });
    expect(state.drawing).toEqual([[0, 1]]);
  });
});

describe("corners", () => {
  const move = (x: number): Edit => ({ do: "move", area: 0, corner: 1, point: [x, 0.2] });

  it("move, and are undone as one drag", () => {
    const dragged = after([area("a")], move(0.7), move(0.8), move(2));
    expect(dragged.areas[0]?.polygon[1]).toEqual([1, 0.2]);
    expect(edit(dragged, { do: "undo" }).areas).toEqual([area("a")]);
  });

  it("are undone one by one when they were let go between", () => {
    const state = after([area("a")], move(0.7), { do: "settle" }, move(0.8), { do: "undo" });
    expect(state.areas[0]?.polygon[1]).toEqual([0.7, 0.2]);
  });

  it("come in the middle of an edge, also of the last", () => {
    const state = after([area("a")], { do: "split", area: 0, corner: 3 });
    expect(state.areas[0]?.polygon[4]).toEqual([0.2, 0.4]);
  });

  it("go, but for the last three", () => {
    const drop: Edit = { do: "drop-corner", area: 0, corner: 0 };
    const state = after([area("a")], drop, drop, drop);
    expect(state.areas[0]?.polygon).toHaveLength(3);
    // What changed nothing needs no undo.
    expect(state.past).toHaveLength(1);
  });

  it("are at most a hundred", () => {
    const splits = Array.from({ length: 120 }, (): Edit => ({ do: "split", area: 0, corner: 0 }));
    expect(after([area("a")], ...splits).areas[0]?.polygon).toHaveLength(100);
  });
});

describe("areas", () => {
  it("rise, for the first that holds a person counts", () => {
    const state = after([area("a"), area("b")], { do: "raise", area: 1 });
    expect(state.areas.map(({ name }) => name)).toEqual(["b", "a"]);
    expect(state.selected).toBe(0);
    expect(edit(state, { do: "raise", area: 0 })).toBe(state);
  });

  it("go, and what is worked on stays one that is there", () => {
    const state = after([area("a"), area("b")], { do: "remove", area: 1 });
    expect(state.selected).toBe(0);
    expect(edit(state, { do: "remove", area: 0 }).selected).toBeNull();
    expect(edit(state, { do: "undo" }).areas).toHaveLength(2);
  });

  it("are renamed and passed over; typing is undone as one", () => {
    const state = after(
      [area("a")],
      { do: "rename", area: 0, name: "p" },
      { do: "rename", area: 0, name: "po" },
      { do: "ignore", area: 0, ignore: true },
    );
    expect(state.areas[0]).toMatchObject({ name: "po", ignore: true });
    expect(edit(edit(state, { do: "undo" }), { do: "undo" }).areas[0]?.name).toBe("a");
  });
});

describe("problemsOf", () => {
  it.each([
    ["door", null],
    [" ", "unnamed"],
    ["a/b", "letters"],
    ["a\u0007b", "letters"],
    ["x".repeat(61), "letters"],
    ["whole view", "reserved"],
  ])("of the name %j is %j", (name, problem) => {
    expect(problemsOf([area(name)])).toEqual([problem]);
  });

  it("finds a name that is there already, and corners on one line", () => {
    const flat = area("flat", { polygon: [[0, 0], [0.5, 0.5], [1, 1]] });
    expect(problemsOf([area("a"), area("a "), flat])).toEqual([null, "same-name", "flat"]);
  });
});

it("a polygon's area has a sign", () => {
  expect(surface(SQUARE)).toBeCloseTo(0.16);
  expect(surface([...SQUARE].reverse())).toBeCloseTo(-0.16);
});

it("what is sent is tidy", () => {
  const polygon: [number, number][] = [[1 / 3, 0.25], [1, 0], [1, 1]];
  expect(tidy([area(" a ", { polygon })])[0]).toEqual(
    area("a", { polygon: [[0.3333, 0.25], [1, 0], [1, 1]] }),
  );
});
