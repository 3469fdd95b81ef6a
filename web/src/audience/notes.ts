/** The service's notes: those that the page says in its own words are left out. */

const OWN_WORDS = [
  /^visits, not people/,
  /: not calibrated here$/,
  /of the people who pass are seen/,
  /: the newest tally differs from earlier ones/,
  /^small totals are hidden/,
];

/** Notes that the page has no words of its own for. */
export function untranslated(notes: readonly string[]): string[] {
  return notes.filter((note) => !OWN_WORDS.some((known) => known.test(note)));
}
