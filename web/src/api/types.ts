/** The service's own words for what goes in and out, from its OpenAPI document. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Age = Schemas["AgeValue"];
export type ClassValue = Schemas["ClassValue"];
export type NumberValue = Schemas["NumberValue"];
export type Attribute = Age | ClassValue | NumberValue;
export type Box = Schemas["Box"];
/** A face, read by the service or in this browser. */
export type Face = Omit<Schemas["FaceResult"], "landmarks"> & {
  landmarks: readonly (readonly number[])[];
};
export type Picture = Schemas["PictureResult"];
export type Ranking = Schemas["RankingResult"];
export type Guess = Schemas["GuessResult"];
export type Model = Schemas["ModelSummary"];
export type ModelList = Schemas["ModelList"];
export type Card = Schemas["Card"];
export type Metric = Schemas["Metric"];
export type Confusion = Schemas["Confusion"];
export type Problem = Schemas["Problem"];
export type StreamStart = Schemas["StreamStart"];
export type StreamReady = Schemas["StreamReady"];
export type StreamResult = Schemas["StreamResult"];
export type StreamProblem = Schemas["StreamProblem"];

/** A value with its 90 % interval. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
}
/** One total; what is hidden is null, and beside a number it means "or more". */
export interface AudienceRow {
  start: string | null;
  camera: string | null;
  area: string | null;
  age: string | null;
  hidden: boolean;
  visits: number | null;
  corrected: Estimate | null;
  adjusted: number | null;
  passed: Estimate | null;
  dwell: number | null;
  dwell_p90: number | null;
  peak: number | null;
}
export interface Audience {
  from: string;
  to: string;
  by: string[];
  zone: string;
  k: number;
  groups: string[];
  corrected: boolean;
  rows: AudienceRow[];
  apart: { still: number; long: number };
  notes: string[];
}
export interface LiveTotal {
  camera: string;
  area: string;
  visits: number;
  ages: Record<string, number>;
  present: number;
}
export interface Recorder {
  waiting: number;
  held: number;
  lost: number;
  problem: string;
  since: string;
}
export interface LiveAudience {
  time: string;
  k: number;
  totals: LiveTotal[];
  cameras: Camera[];
  /** Null where no cameras are watched. */
  recorder: Recorder | null;
  /** Why the totals are old; empty while all is well. */
  problem: string;
}
export interface Area {
  name: string;
  /** Corners, 0 to 1 of the picture's width and height. */
  polygon: [number, number][];
  ignore: boolean;
}
export interface Camera {
  name: string;
  source: string;
  state: string;
  since: string;
  reason: string;
  width: number;
  height: number;
  rate: number;
  frames: number;
  dropped: number;
  damaged: number;
  losses: number;
  /** Frames that could not be worked on. */
  failed: number;
  present: number;
  areas: Area[];
}
export interface RunningTally {
  id: string;
  camera: string;
  area: string;
  started: string;
  counts: Record<string, number>;
}
/** What tallies say of one camera's area. */
export interface Door {
  camera: string;
  area: string;
  tallies: number;
  people: number;
  newest: string;
  capture: Estimate;
  captures: Record<string, Estimate>;
  bias: Record<string, Estimate>;
  drift: Estimate | null;
}
export interface Tallies {
  running: RunningTally[];
  doors: Door[];
  groups: string[];
}
export interface TallyResult {
  taps: Record<string, number>;
  people: number;
  visits: number;
  door: Door;
}
export interface PrivacyStatement {
  what: string;
  stored: {
    of_a_visit: string[];
    never: string[];
    keep_days: number | null;
    totals: string;
    outbox: string;
  };
  gender: boolean;
  expression: { purpose: string } | null;
  shown: { k: number; rule: string; live: string };
  cameras: { name: string; areas: string[] }[];
  schema: Record<string, { holds: string; columns: Record<string, string> }>;
}
