/** The service's notes: what the page says in its own words, and the rest as it stands. */

const OWN_WORDS = [
  /^visits, not people/,
  /: not calibrated here$/,
  /of the people who pass are seen/,
  /: ages are read \d+ years too /,
  /: the newest tally differs from earlier ones/,
  /^small totals are hidden/,
  /^the day that is not over is told/,
];

const UNLIKE = /^(\d+)% of the visits were read as no mix of ages would be/;

/**
 * The share of visits that no mix of ages explains, in percent; null where there is no such
 * warning.
 */
export function unlikeShare(notes: readonly string[]): number | null {
  const shares = notes.flatMap((note) => UNLIKE.exec(note)?.[1] ?? []);
  return shares.length ? Number(shares[0]) : null;
}

/** Notes that the page has no words of its own for. */
export function untranslated(notes: readonly string[]): string[] {
  return notes.filter((note) => ![...OWN_WORDS, UNLIKE].some((known) => known.test(note)));
}
