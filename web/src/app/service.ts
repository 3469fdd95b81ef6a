/** The service that the settings name. */
import { useMemo } from "react";
import { Service } from "../api/service";
import { useSettings } from "./settings";

export function useService(): Service {
  const { url, key } = useSettings();
  return useMemo(() => new Service({ url, key }), [url, key]);
}
