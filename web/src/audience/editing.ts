/** Drawing areas: what each step makes of the polygons, and what is wrong with them. */
import type { Area } from "../api/types";

export type Point = readonly [number, number];

export interface Editing {
  areas: readonly Area[];
  /** Which area is worked on. */
  selected: number | null;
  /** The corners of an area that is being drawn. */
  drawing: readonly Point[] | null;
  /** Earlier states, the oldest first, for undo. */
  past: readonly (readonly Area[])[];
  /** What the last change was about: changes about the same thing are undone together. */
  about: string;
}

export type Edit =
  | { do: "rectangle"; name: string }
  | { do: "draw" }
  | { do: "place"; point: Point }
  | { do: "close"; name: string }
  | { do: "cancel" }
  | { do: "select"; area: number | null }
  | { do: "move"; area: number; corner: number; point: Point }
  | { do: "settle" }
  | { do: "split"; area: number; corner: number; point?: Point }
  | { do: "drop-corner"; area: number; corner: number }
  | { do: "rename"; area: number; name: string }
  | { do: "ignore"; area: number; ignore: boolean }
  | { do: "raise"; area: number }
  | { do: "remove"; area: number }
  | { do: "undo" };

export const FEWEST = 3;
const MOST = 100;
const DEPTH = 100;
/** The name of what is counted where no area is drawn. */
export const WHOLE = "whole view";

export function begin(areas: readonly Area[]): Editing {
  return { areas, selected: areas.length ? 0 : null, drawing: null, past: [], about: "" };
}

/** What a step makes of the areas. */
export function edit(state: Editing, step: Edit): Editing {
  const { areas, drawing } = state;
  switch (step.do) {
    case "rectangle":
      return added(state, step.name, [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]]);
    case "draw":
      return { ...state, drawing: [], selected: null };
    case "place":
      if (!drawing || drawing.length >= MOST) return state;
      return { ...state, drawing: [...drawing, clamped(step.point)] };
    case "close":
      if (!drawing || drawing.length < FEWEST) return state;
      return added({ ...state, drawing: null }, step.name, drawing);
    case "cancel":
      return { ...state, drawing: null };
    case "select":
      return { ...state, selected: step.area, about: "" };
    case "settle":
      return { ...state, about: "" };
    case "move": {
      const about = `move ${step.area} ${step.corner}`;
      const place = clamped(step.point);
      return changed(state, about, reshaped(areas, step.area, (corners) =>
        corners.map((corner, n) => (n === step.corner ? place : corner)),
      ));
    }
    case "split":
      return changed(state, "", reshaped(areas, step.area, (corners) => {
        if (corners.length >= MOST) return corners;
        const place = step.point ? clamped(step.point) : middle(corners, step.corner);
        return corners.toSpliced(step.corner + 1, 0, place);
      }));
    case "drop-corner":
      return changed(state, "", reshaped(areas, step.area, (corners) =>
        corners.length > FEWEST ? corners.toSpliced(step.corner, 1) : corners,
      ));
    case "rename":
      return changed(state, `rename ${step.area}`, replaced(areas, step.area, { name: step.name }));
    case "ignore":
      return changed(state, "", replaced(areas, step.area, { ignore: step.ignore }));
    case "raise": {
      const [above, raised] = [areas[step.area - 1], areas[step.area]];
      if (!above || !raised) return state;
      const swapped = areas.toSpliced(step.area - 1, 2, raised, above);
      return { ...changed(state, "", swapped), selected: step.area - 1 };
    }
    case "remove": {
      const left = areas.toSpliced(step.area, 1);
      const selected = left.length ? Math.min(step.area, left.length - 1) : null;
      return { ...changed(state, "", left), selected };
    }
    case "undo": {
      if (drawing?.length) return { ...state, drawing: drawing.slice(0, -1) };
      const previous = state.past.at(-1);
      if (!previous) return state;
      const selected = state.selected !== null && state.selected < previous.length
        ? state.selected
        : previous.length - 1;
      return {
        ...state,
        areas: previous,
        past: state.past.slice(0, -1),
        selected: previous.length ? selected : null,
        about: "",
      };
    }
  }
}

/** The middle of the edge that begins at a corner. */
export function middle(corners: readonly Point[], corner: number): [number, number] {
  const [x0, y0] = corners[corner] ?? [0, 0];
  const [x1, y1] = corners[(corner + 1) % corners.length] ?? [0, 0];
  return [(x0 + x1) / 2, (y0 + y1) / 2];
}

export type AreaProblem = "unnamed" | "letters" | "reserved" | "same-name" | "flat";

/** What is wrong with each area; null where nothing is. */
export function problemsOf(areas: readonly Area[]): (AreaProblem | null)[] {
  const names = areas.map(({ name }) => name.trim());
  return areas.map(({ polygon }, n) => {
    const name = names[n] ?? "";
    if (!name) return "unnamed";
    // eslint-disable-next-line no-control-regex -- those are what a name may not hold
    if (name.length > 60 || /[\u0000-\u001f\u007f-\u009f/]/.test(name)) return "letters";
    if (name === WHOLE) return "reserved";
    if (names.indexOf(name) !== n) return "same-name";
    return Math.abs(surface(polygon)) < 1e-4 ? "flat" : null;
  });
}

/** A polygon's signed area (the shoelace formula). */
export function surface(polygon: readonly Point[]): number {
  return polygon.reduce((sum, [x1, y1], n) => {
    const [x0, y0] = polygon.at(n - 1) ?? [0, 0];
    return sum + (x0 * y1 - x1 * y0) / 2;
  }, 0);
}

/** The areas as they are sent: names without spaces around them, corners not finer than a pixel. */
export function tidy(areas: readonly Area[]): Area[] {
  const round = (value: number) => Math.round(value * 10_000) / 10_000;
  return areas.map(({ name, polygon, ignore }) => ({
    name: name.trim(),
    polygon: polygon.map(([x, y]) => [round(x), round(y)]),
    ignore,
  }));
}

function clamped([x, y]: Point): [number, number] {
  return [Math.min(1, Math.max(0, x)), Math.min(1, Math.max(0, y))];
}

function added(state: Editing, name: string, corners: readonly Point[]): Editing {
  const area: Area = { name, polygon: corners.map(clamped), ignore: false };
  const areas = [...state.areas, area];
  return { ...changed(state, "", areas), selected: areas.length - 1 };
}

function changed(state: Editing, about: string, areas: readonly Area[]): Editing {
  if (areas === state.areas) return state;
  const goesOn = about !== "" && about === state.about;
  const past = goesOn ? state.past : [...state.past, state.areas].slice(-DEPTH);
  return { ...state, areas, past, about };
}

function replaced(areas: readonly Area[], index: number, part: Partial<Area>): readonly Area[] {
  return areas.map((area, n) => (n === index ? { ...area, ...part } : area));
}

function reshaped(
  areas: readonly Area[],
  index: number,
  shape: (corners: [number, number][]) => [number, number][],
): readonly Area[] {
  const area = areas[index];
  if (!area) return areas;
  const polygon = shape(area.polygon);
  return polygon === area.polygon ? areas : replaced(areas, index, { polygon });
}
