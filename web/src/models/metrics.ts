/** The figures of a card, sorted for what the page shows of them. */
import type { Card, Confusion, Metric } from "../api/types";

/** What a task's figure for groups is: the error of an age, the share that is right of a class. */
export interface Grouped {
  figure: string;
  /** Whether more is worse. */
  error: boolean;
  /** By what the pictures are grouped -> one figure a group, in the card's order. */
  groups: [string, Metric[]][];
}

const ORDER = ["child", "teen", "youth", "adult", "senior"];
const MAIN: readonly (readonly [string, boolean])[] = [
  ["mae", true],
  ["accuracy", false],
];

/** Figures over all pictures of a task. */
export function overall(card: Card, task: string): Metric[] {
  return card.metrics.filter((metric) => metric.task === task && !metric.by);
}

/** The main figure by groups; null where the card has none. */
export function grouped(card: Card, task: string): Grouped | null {
  for (const [figure, error] of MAIN) {
    const found = card.metrics.filter(
      (metric) => metric.task === task && metric.name === figure && metric.by,
    );
    if (found.length === 0) continue;
    const by = [...new Set(found.map((metric) => metric.by))];
    return {
      figure,
      error,
      groups: by.map((name) => [name, sorted(found.filter((metric) => metric.by === name))]),
    };
  }
  return null;
}

/** Age groups by age; others as they come. */
function sorted(metrics: Metric[]): Metric[] {
  return metrics.toSorted((a, b) => ORDER.indexOf(a.group) - ORDER.indexOf(b.group));
}

export function confusionOf(card: Card, task: string): Confusion | null {
  return card.confusions.find((confusion) => confusion.task === task) ?? null;
}

const YEARS = ["mae", "balanced_mae", "median", "bias", "width"];

/** Whether a figure counts years; others are shares. */
export function inYears(name: string): boolean {
  return YEARS.includes(name);
}
