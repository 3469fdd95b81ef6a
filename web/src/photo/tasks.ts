/** Which tasks are asked for: what the model tells by itself, and race when it is switched on. */
import { useMemo } from "react";
import type { Service } from "../api/service";
import type { Card } from "../api/types";
import { useLoaded } from "../ui/useLoaded";

const RACE = "race";

/** The tasks to ask for; undefined for the model's own choice. */
export function wantedTasks(card: Card | undefined, race: boolean): string[] | undefined {
  if (!race || !card?.tasks.some(({ name }) => name === RACE)) return undefined;
  return card.tasks.filter((task) => task.default || task.name === RACE).map(({ name }) => name);
}

/** The same, of the service's model for faces. */
export function useFaceTasks(service: Service, race: boolean): string[] | undefined {
  const load = useMemo(
    () => (race ? async (signal: AbortSignal) => (await service.models(signal)).models : null),
    [service, race],
  );
  // Where this fails, reading the pictures meets the same trouble, and tells of it.
  const { value } = useLoaded(load);
  const card = value?.find(({ kind }) => kind === "face")?.card;
  return useMemo(() => wantedTasks(card, race), [card, race]);
}
