/** What the engine needs of a model's card, checked before use. */

import type { Margin } from "./ages";
import { EngineError } from "./errors";
import type { Point } from "./view";

export interface Task {
  readonly name: string;
  readonly kind: "age" | "classification" | "regression";
  readonly labels: readonly string[];
  readonly ages: number;
  readonly unit: string;
  readonly default: boolean;
  readonly intervals: readonly Margin[];
}

/** A model of the service, as GET /v1/models/{name} shows it. */
export interface ModelSummary {
  readonly name: string;
  readonly kind: "face" | "picture";
  readonly bytes: number;
  readonly file: string;
  readonly card: {
    readonly input: { readonly size: number; readonly landmarks: readonly Point[] };
    readonly tasks: readonly Task[];
  };
}

const LARGEST_SIZE = 4096;
const LANDMARKS = 5;

/**
 * Return what a service said of a model that reads faces.
 *
 * @throws EngineError It is something else, or a model of whole pictures.
 */
export function checkedSummary(found: unknown, name: string): ModelSummary {
  const summary = found as Partial<ModelSummary> | null;
  if (summary?.kind === "picture") {
    throw new EngineError(
      "missing",
      `The model "${name}" reads whole pictures. Choose a model that reads faces.`,
    );
  }
  const input = summary?.card?.input;
  const tasks = summary?.card?.tasks;
  const whole =
    Number.isInteger(input?.size) &&
    input!.size >= 1 &&
    input!.size <= LARGEST_SIZE &&
    Array.isArray(input!.landmarks) &&
    input!.landmarks.length === LANDMARKS &&
    Array.isArray(tasks) &&
    tasks.every((task: Task) => typeof task.name === "string" && outputsOf(task) >= 1);
  if (!whole) {
    throw new EngineError(
      "service",
      `The service's answer on the model "${name}" is no model card. Is it a mien service?`,
    );
  }
  return summary as ModelSummary;
}

/** Return how many numbers a task's output has for one face. */
export function outputsOf(task: Task): number {
  if (task.kind === "age") return task.ages;
  return task.kind === "classification" ? task.labels.length : 1;
}

/**
 * Return the tasks to read.
 *
 * @param tasks The card's.
 * @param names Names of those wanted; undefined for those that the card names so.
 * @throws EngineError There is no such task.
 */
export function chosenTasks(tasks: readonly Task[], names: readonly string[] | undefined): Task[] {
  if (names === undefined) return tasks.filter((task) => task.default);
  return [...new Set(names)].map((name) => {
    const task = tasks.find((known) => known.name === name);
    if (task) return task;
    const have = tasks.map((known) => known.name).join(", ");
    throw new EngineError("missing", `The model has no task "${name}". It has: ${have}.`);
  });
}
