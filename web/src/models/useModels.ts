/** The service's models. */
import { useCallback } from "react";
import type { Model } from "../api/types";
import { useService } from "../app/service";
import { type Loaded, useLoaded } from "../ui/useLoaded";

export function useModels(): Loaded<Model[]> {
  const service = useService();
  const load = useCallback(
    async (signal: AbortSignal) => (await service.models(signal)).models,
    [service],
  );
  return useLoaded(load);
}
