import { describe, expect, it } from "vitest";

import { checkedSummary, chosenTasks, type ModelSummary, type Task } from "../../src/engine/card";
import { Model } from "../../src/engine/model";
import type { Input, Network } from "../../src/engine/network";
import type { Pixels } from "../../src/engine/pixels";

const task = (part: Partial<Task> & Pick<Task, "name" | "kind">): Task => ({
  labels: [],
  ages: 0,
  unit: "",
  default: true,
  intervals: [],
  ...part,
});

const TASKS = [
  task({ name: "age", kind: "age", ages: 3 }),
  task({ name: "gender", kind: "classification", labels: ["male", "female"] }),
  task({ name: "race", kind: "classification", labels: ["a", "b"], default: false }),
  task({ name: "weight", kind: "regression", unit: "kg" }),
];

const SUMMARY: ModelSummary = {
  name: "tiny",
  kind: "face",
  bytes: 1,
  file: "/v1/models/tiny/file",
  card: {
    input: { size: 1, landmarks: [...Array(5)].map((_, k) => [k / 5, k / 5]) },
    tasks: TASKS,
  },
};

/** Answers each crop by its one red value, in hundredths. */
const network: Network = {
  outputs: TASKS.map(({ name }) => name),
  run: ({ data }: Input, wanted) => {
    const reds = [...data].filter((_, index) => index % 3 === 0).map((red) => red / 100);
    const rows: Record<string, number[]> = {
      age: reds.flatMap((red) => [0, 1 - red, red]),
      gender: reds.flatMap((red) => [1 - red, red]),
      race: reds.flatMap((red) => [red, 1 - red]),
      weight: reds,
    };
    return Promise.resolve(wanted.map((name) => Float32Array.from(rows[name]!)));
  },
};

const crop = (red: number): Pixels => ({
  data: Uint8Array.of(red, 0, 0),
  width: 1,
  height: 1,
  channels: 3,
});

describe("Model", () => {
  it("tells what each crop's numbers mean", async () => {
    const model = new Model(network, SUMMARY, chosenTasks(TASKS, undefined));
    const [first, second] = await model.read([crop(25), crop(75)]);
    expect(Object.keys(first!)).toEqual(["age", "gender", "weight"]);
    expect(first!["age"]).toMatchObject({ kind: "age", years: 1.25, group: "child" });
    expect(second!["gender"]).toEqual({
      kind: "classification",
      label: "female",
      probability: 0.75,
      probabilities: { male: 0.25, female: 0.75 },
    });
    expect(second!["weight"]).toEqual({ kind: "regression", value: 0.75, unit: "kg" });
  });

  it("reads a crowd in parts, in order", async () => {
    const model = new Model(network, SUMMARY, chosenTasks(TASKS, ["weight"]));
    const crops = Array.from({ length: 130 }, (_, red) => crop(red));
    const values = (await model.read(crops)).map((found) => found["weight"]);
    expect(values).toHaveLength(130);
    expect(values[129]).toMatchObject({ value: Math.fround(1.29) });
  });

  it("reads no crop, and no task", async () => {
    expect(await new Model(network, SUMMARY, TASKS).read([])).toEqual([]);
    expect(await new Model(network, SUMMARY, []).read([crop(1)])).toEqual([{}]);
  });

  it("refuses a network that lacks an output, or answers no numbers", async () => {
    expect(() => new Model({ ...network, outputs: ["age"] }, SUMMARY, TASKS)).toThrow(/no output/);
    const broken = { ...network, run: () => Promise.resolve([Float32Array.of(NaN)]) };
    const model = new Model(broken, SUMMARY, chosenTasks(TASKS, ["weight"]));
    await expect(model.read([crop(1)])).rejects.toThrow(/finite numbers/);
  });
});

describe("the card", () => {
  it("passes as the service gives it", () => {
    expect(checkedSummary(SUMMARY, "tiny")).toBe(SUMMARY);
  });

  it.each([null, {}, { kind: "face" }, { ...SUMMARY, card: { input: {}, tasks: [] } }, "text"])(
    "is refused when it is none: %j",
    (found) => {
      expect(() => checkedSummary(found, "tiny")).toThrow(/no model card/);
    },
  );

  it("is refused when the model reads whole pictures", () => {
    expect(() => checkedSummary({ ...SUMMARY, kind: "picture" }, "tiny")).toThrow(/whole pictures/);
  });

  it("names its tasks when another is asked for", () => {
    expect(() => chosenTasks(TASKS, ["age", "mood"])).toThrow(/"mood".*age, gender, race, weight/);
    expect(chosenTasks(TASKS, ["race", "race"]).map(({ name }) => name)).toEqual(["race"]);
  });
});
