/** The pictures of the page and how far their reading is. */
import type { Failure } from "../api/failure";
import type { Picture } from "../api/types";

export type Outcome =
  | { state: "waiting" | "reading" }
  | { state: "read"; picture: Picture }
  | { state: "failed"; failure: Failure };

export interface Item {
  id: number;
  name: string;
  file: File;
  /** An address of the picture within this page. */
  url: string;
  outcome: Outcome;
}

export type Change =
  | { type: "add"; items: Item[] }
  | { type: "outcome"; id: number; outcome: Outcome }
  | { type: "again"; id?: number }
  | { type: "remove"; id: number }
  | { type: "clear" };

/** The items after a change; new ones come first. */
export function changed(items: Item[], change: Change): Item[] {
  switch (change.type) {
    case "add":
      return [...change.items, ...items];
    case "outcome":
      return items.map((item) =>
        item.id === change.id ? { ...item, outcome: change.outcome } : item,
      );
    case "again":
      return items.map((item) =>
        change.id === undefined || item.id === change.id
          ? { ...item, outcome: { state: "waiting" } }
          : item,
      );
    case "remove":
      return items.filter((item) => item.id !== change.id);
    case "clear":
      return [];
  }
}
