/** Which model reads the camera's frames. */
import type { Model } from "../api/types";
import type { EngineName } from "../app/settings";

/**
 * Return the service's model of faces; for this browser the smaller one that the service offers in
 * its place, where it offers one.
 */
export function liveModel(models: readonly Model[], engine: EngineName): Model | undefined {
  const model = models.find(({ kind }) => kind === "face");
  if (engine === "server" || !model?.small) return model;
  return models.find(({ name }) => name === model.small) ?? model;
}
