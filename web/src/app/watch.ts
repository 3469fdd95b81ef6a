/** The service that the settings name, as one that watches cameras. */
import { useMemo } from "react";
import { WatchService } from "../api/watch";
import { useSettings } from "./settings";

export function useWatch(): WatchService {
  const { url, key } = useSettings();
  return useMemo(() => new WatchService({ url, key }), [url, key]);
}
