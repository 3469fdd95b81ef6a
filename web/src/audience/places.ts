/** Places: the areas of all cameras. */
import type { AudienceRow, Camera, LiveAudience } from "../api/types";
import type { Texts } from "../texts";
import { WHOLE } from "./editing";

export interface Place {
  camera: string;
  area: string;
}

/** A place as one text, for choices; names hold no slash. */
export function placeKey({ camera, area }: Place): string {
  return `${camera}/${area}`;
}

export function placeOf(key: string): Place | null {
  const [camera, area] = key.split("/");
  return camera && area ? { camera, area } : null;
}

/** The areas of cameras that count; the whole view of those without. */
export function placesOf(cameras: readonly Camera[]): Place[] {
  return cameras.flatMap(({ name, areas }) => {
    const counted = areas.filter(({ ignore }) => !ignore).map((area) => area.name);
    return (counted.length ? counted : [WHOLE]).map((area) => ({ camera: name, area }));
  });
}

/** All places that are watched, or have totals. */
export function knownPlaces(live: LiveAudience | null, rows: readonly AudienceRow[]): Place[] {
  const found = [
    ...placesOf(live?.cameras ?? []),
    ...(live?.totals ?? []),
    ...rows.flatMap(({ camera, area }) => (camera && area ? [{ camera, area }] : [])),
  ];
  const keys = new Map(found.map((place) => [placeKey(place), place]));
  return [...keys.keys()].sort().flatMap((key) => placeOf(key) ?? []);
}

/** An area's name in the reader's language: only the whole view has one of mien's. */
export function areaName(area: string, texts: Texts): string {
  return area === WHOLE ? texts.audience.wholeView : area;
}

export function placeName({ camera, area }: Place, texts: Texts): string {
  return texts.audience.place(areaName(area, texts), camera);
}
