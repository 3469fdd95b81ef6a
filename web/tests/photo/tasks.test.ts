import { describe, expect, it } from "vitest";
import type { Card } from "../../src/api/types";
import { wantedTasks } from "../../src/photo/tasks";

const task = (name: string, shown: boolean) =>
  ({ name, default: shown, kind: "classification" }) as Card["tasks"][number];
const card = (...tasks: Card["tasks"]) => ({ tasks }) as Card;

describe("wantedTasks", () => {
  const both = card(task("age", true), task("race", false), task("mood", false));

  it("leaves the choice to the model where race is off", () => {
    expect(wantedTasks(both, false)).toBeUndefined();
  });

  it("adds race, and nothing else, where it is on", () => {
    expect(wantedTasks(both, true)).toEqual(["age", "race"]);
  });

  it("asks for no race that the model does not read", () => {
    expect(wantedTasks(card(task("age", true)), true)).toBeUndefined();
    expect(wantedTasks(undefined, true)).toBeUndefined();
  });
});
