/** From a network's numbers to what they mean, shaped as in the service's answers. */

import { readAge, type AgeValue } from "./ages";
import type { Task } from "./card";
import { clamp } from "./rounding";

export interface ClassValue {
  readonly kind: "classification";
  readonly label: string;
  readonly probability: number;
  readonly probabilities: Readonly<Record<string, number>>;
}

export interface NumberValue {
  readonly kind: "regression";
  readonly value: number;
  readonly unit: string;
}

export type AttributeValue = AgeValue | ClassValue | NumberValue;

/** Return what a task's output says of one face. */
export function attributeOf(task: Task, numbers: Float32Array): AttributeValue {
  if (task.kind === "age") return readAge(numbers, task.intervals);
  if (task.kind === "regression") {
    return { kind: "regression", value: numbers[0]!, unit: task.unit };
  }
  // Single precision may miss 0 and 1 by a hair.
  const shares = task.labels.map((_, index) => clamp(numbers[index]!, 0, 1));
  const best = numbers.indexOf(Math.max(...numbers));
  return {
    kind: "classification",
    label: task.labels[best]!,
    probability: shares[best]!,
    probabilities: Object.fromEntries(task.labels.map((label, index) => [label, shares[index]!])),
  };
}
