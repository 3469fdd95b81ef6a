/** Ages from distributions: the estimate, its interval, and the name of its group. */

import { clamp } from "./rounding";

const LEVEL = 0.9;
const SMALLEST = 2.2250738585072014e-308;

/** Names of age groups with the first age of each. */
export const GROUPS = [
  ["child", 0],
  ["teen", 13],
  ["youth", 18],
  ["adult", 36],
  ["senior", 60],
] as const;

/** Years that intervals of people of at least `from_age` need at both ends: see the card. */
export interface Margin {
  readonly level: number;
  readonly from_age: number;
  readonly margin: number;
}

export interface AgeValue {
  readonly kind: "age";
  readonly years: number;
  readonly low: number;
  readonly high: number;
  readonly level: number;
  readonly group: string;
  readonly distribution: null;
}

/**
 * Return the age that a distribution says.
 *
 * @param distribution Probabilities of the ages 0, 1, 2, ... years.
 * @param margins The card's, by rising `from_age`.
 */
export function readAge(distribution: ArrayLike<number>, margins: readonly Margin[]): AgeValue {
  const years = expected(distribution);
  const margin = meanMargin(distribution, margins);
  const low = quantile(distribution, (1 - LEVEL) / 2) - margin;
  const high = quantile(distribution, (1 + LEVEL) / 2) + margin;
  return {
    kind: "age",
    years,
    low: Math.max(0, Math.min(low, years)),
    high: Math.max(high, years),
    level: LEVEL,
    group: groupOf(years),
    distribution: null,
  };
}

/** Return the mean age of a distribution, in years. */
export function expected(distribution: ArrayLike<number>): number {
  let sum = 0;
  for (let age = 0; age < distribution.length; age++) sum += age * distribution[age]!;
  return sum;
}

/**
 * Return the age below which a share of a distribution lies, in years.
 *
 * The probability of an age is spread evenly from half a year before to half a year after it.
 */
export function quantile(distribution: ArrayLike<number>, share: number): number {
  const cumulative = new Float64Array(distribution.length);
  let sum = 0;
  for (let age = 0; age < cumulative.length; age++) cumulative[age] = sum += distribution[age]!;
  const wanted = share * sum;
  const reached = cumulative.findIndex((below) => below >= wanted);
  const upper = reached < 0 ? cumulative.length - 1 : reached;
  const below = upper > 0 ? cumulative[upper - 1]! : 0;
  const mass = Math.max(cumulative[upper]! - below, SMALLEST);
  return Math.max(0, upper - 0.5 + clamp((wanted - below) / mass, 0, 1));
}

/** Return the mean of the margins over a distribution; ages below the first edge take the first. */
function meanMargin(distribution: ArrayLike<number>, margins: readonly Margin[]): number {
  const known = margins.filter((margin) => margin.level === LEVEL);
  let sum = 0;
  let whole = 0;
  for (let age = 0; age < distribution.length; age++) {
    const chosen = known.findLast((margin) => margin.from_age <= age) ?? known[0];
    sum += distribution[age]! * (chosen?.margin ?? 0);
    whole += distribution[age]!;
  }
  return sum / whole;
}

/** Return the name of the group that an age falls into. */
export function groupOf(years: number): string {
  const [name] = GROUPS.findLast(([, first]) => first <= years) ?? GROUPS[0];
  return name;
}
