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

// What cameras counted.
export type Estimate = Schemas["Estimate"];
export type AudienceRow = Schemas["AudienceRow"];
export type Audience = Schemas["AudienceResult"];
export type LiveTotal = Schemas["LiveTotal"];
export type LiveAudience = Schemas["LiveResult"];
export type Area = Schemas["AreaResult"];
export type Camera = Schemas["CameraResult"];
export type RunningTally = Schemas["RunningTally"];
export type Tallies = Schemas["TallyList"];
export type Door = Schemas["DoorResult"];
export type TallyResult = Schemas["FinishedTally"];
export type PrivacyStatement = Schemas["PrivacyResult"];
