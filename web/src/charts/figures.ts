/** What is shown of a total: a number, at least a number, or that it is hidden; never a false zero. */
import type { AudienceRow, Estimate } from "../api/types";
import type { Language } from "../texts";
import { count, decimal } from "../ui/numbers";

export interface Figure {
  /** Null where it is hidden, or where there is none. */
  value: number | null;
  /** Ends of its 90 % interval. */
  low: number | null;
  high: number | null;
  /** Whether it, or a part of it, is hidden: beside a value it means "or more". */
  hidden: boolean;
}

/** Nothing was counted. */
export const NONE: Figure = { value: null, low: null, high: null, hidden: false };
const HIDDEN: Figure = { ...NONE, hidden: true };

export type Kind = "visits" | "corrected" | "passed";

/** One of a row's totals. */
export function figureOf(row: AudienceRow | undefined, kind: Kind): Figure {
  if (!row) return NONE;
  // "0 or more" says nothing but that it is small.
  if (row.hidden && !row.visits) return HIDDEN;
  if (kind === "visits") return { ...NONE, value: row.visits, hidden: row.hidden };
  return ofEstimate(row[kind], row.hidden);
}

export function ofEstimate(estimate: Estimate | null | undefined, hidden = false): Figure {
  return estimate ? { ...estimate, hidden } : NONE;
}

/** The total of rows that have no part in common. */
export function totalOf(rows: readonly AudienceRow[]): Figure {
  const known = rows.map((row) => figureOf(row, "visits"));
  const values = known.flatMap(({ value }) => (value === null ? [] : [value]));
  const hidden = known.some((figure) => figure.hidden);
  if (values.length === 0) return hidden ? HIDDEN : NONE;
  return { ...NONE, value: values.reduce((sum, value) => sum + value, 0), hidden };
}

/** Words for what numbers cannot say. */
export interface FigureWords {
  hidden: string;
  none: string;
  atLeast: (value: string) => string;
}

/** A figure in words, with its interval. */
export function figureText(figure: Figure, words: FigureWords, language: Language): string {
  if (figure.value === null) return figure.hidden ? words.hidden : words.none;
  const value = count(Math.round(figure.value), language);
  const text = figure.hidden ? words.atLeast(value) : value;
  const ends = intervalText(figure, language);
  return ends ? `${text} (${ends})` : text;
}

function intervalText({ low, high }: Figure, language: Language): string {
  if (low === null || high === null) return "";
  return `${count(Math.round(low), language)}–${count(Math.round(high), language)}`;
}

/** Where an error bar goes, in the chart's units; null where there is no interval. */
export function errorBar({ value, low, high }: Figure): [number, number] | null {
  if (value === null || low === null || high === null) return null;
  return [Math.max(0, Math.min(low, value)), Math.max(high, value)];
}

/** The highest point of all figures, for a scale to end at. */
export function highest(figures: readonly Figure[]): number {
  return Math.max(1, ...figures.map(({ value, high }) => Math.max(value ?? 0, high ?? 0)));
}

/** A live total, which moves in steps of k: below the first step it is no zero. */
export function stepText(value: number, k: number, language: Language): string {
  return value === 0 && k > 1 ? `< ${count(k, language)}` : count(value, language);
}

/** A stay: seconds below two minutes, minutes above. */
export function stayText(
  seconds: number | null,
  language: Language,
  words: { seconds: (n: string) => string; minutes: (n: string) => string; none: string },
): string {
  if (seconds === null) return words.none;
  if (seconds < 120) return words.seconds(decimal(seconds, language, seconds < 10 ? 1 : 0));
  return words.minutes(decimal(seconds / 60, language, 1));
}
