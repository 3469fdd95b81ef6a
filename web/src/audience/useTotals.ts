/** The totals of a question; those of the question before stay until the new ones are there. */
import { useCallback } from "react";
import type { Failure } from "../api/failure";
import type { Audience, AudienceRow } from "../api/types";
import type { Days, Dimension } from "../api/watch";
import { useWatch } from "../app/watch";
import { useKept } from "../ui/useKept";
import { useLoaded } from "../ui/useLoaded";
import { rowsOf } from "./data";
import type { Step } from "./period";
import { placeOf } from "./places";

export interface Asking {
  days: Days;
  /** A place's key; empty for all. */
  place: string;
  /** An age group; empty for all. */
  group: string;
  step: Step;
}

/** What was asked, with the answers to it: never those to another question. */
export interface Answered extends Asking {
  /** One row for each area. */
  areas: AudienceRow[];
  /** One row for each age group. */
  ages: AudienceRow[];
  /** One row for each hour, day or week. */
  time: AudienceRow[];
  apart: Audience["apart"];
  /** What must stand beside the figures. */
  notes: string[];
}

export interface Totals {
  answered: Answered | null;
  busy: boolean;
  failure: Failure | null;
  retry: () => void;
}

/** @param turn Changed to ask again. */
export function useTotals({ days: { from, to }, place, group, step }: Asking, turn: number): Totals {
  const service = useWatch();
  const load = useCallback(
    async (signal: AbortSignal): Promise<Answered & { turn: number }> => {
      const days = { from, to };
      const where: Dimension[] = place ? ["camera", "area"] : [];
      const by = group ? (["age", step] as const) : ([step] as const);
      const [areas, ages, time] = await Promise.all([
        service.audience(days, ["camera", "area"], signal),
        service.audience(days, [...where, "age"], signal),
        service.audience(days, [...where, ...by], signal),
      ]);
      const inside = ({ rows }: Audience) => rowsOf(rows, placeOf(place));
      return {
        days,
        place,
        group,
        step,
        areas: inside(areas),
        ages: inside(ages),
        time: inside(time),
        apart: areas.apart,
        // Those of the age groups, for only they are corrected.
        notes: ages.notes,
        turn,
      };
    },
    [service, from, to, place, group, step, turn],
  );
  const { value, failure, retry } = useLoaded(load);
  return { answered: useKept(value), busy: !value && !failure, failure, retry };
}
