/** Rows for tests. */
import type { AudienceRow } from "../../src/api/types";

export function row(part: Partial<AudienceRow> = {}): AudienceRow {
  return {
    start: null,
    camera: null,
    area: null,
    age: null,
    hidden: false,
    visits: 20,
    corrected: null,
    adjusted: null,
    passed: null,
    dwell: null,
    dwell_p90: null,
    peak: null,
    ...part,
  };
}
