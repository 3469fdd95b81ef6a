/** Results as CSV, a row for each face, and as JSON. */
import type { Face, Picture } from "../api/types";

export interface Read {
  name: string;
  picture: Picture;
}

type Cell = string | number | null;

const LEADING = ["picture", "face", "x", "y", "width", "height", "score"];

/** The faces as a table; a picture without faces gets a row of its own. */
export function toCsv(read: Read[]): string {
  const rows = read.flatMap(({ name, picture }) =>
    picture.faces.length
      ? picture.faces.map((face, n) => rowOf(name, n + 1, face))
      : [new Map<string, Cell>([["picture", name]])],
  );
  const header = [...new Set([...LEADING, ...rows.flatMap((row) => [...row.keys()])])];
  const cells = rows.map((row) => header.map((column) => row.get(column) ?? null));
  return [header, ...cells].map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}

export function toJson(read: Read[]): string {
  const pictures = read.map(({ name, picture }) => ({ name, ...picture }));
  return `${JSON.stringify({ pictures }, null, 2)}\n`;
}

function rowOf(name: string, number: number, face: Face): Map<string, Cell> {
  const { box, score } = face;
  return new Map<string, Cell>([
    ["picture", name],
    ["face", number],
    ["x", box?.x ?? null],
    ["y", box?.y ?? null],
    ["width", box?.width ?? null],
    ["height", box?.height ?? null],
    ["score", score],
    ...attributeCells(face),
  ]);
}

function attributeCells(face: Face): Map<string, Cell> {
  const cells = new Map<string, Cell>();
  for (const [task, value] of Object.entries(face.attributes)) {
    switch (value.kind) {
      case "age":
        cells.set(task, value.years).set(`${task}_low`, value.low).set(`${task}_high`, value.high);
        cells.set(`${task}_level`, value.level).set(`${task}_group`, value.group);
        break;
      case "classification":
        cells.set(task, value.label).set(`${task}_probability`, value.probability);
        for (const [label, share] of Object.entries(value.probabilities)) {
          cells.set(`${task}_${label}`, share);
        }
        break;
      case "regression":
        cells.set(task, value.value);
    }
  }
  return cells;
}

function quoted(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  // A table program would run such text as a formula; names of files come from outside.
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
