/** A model that reads faces: crops in, attributes out. */

import { attributeOf, type AttributeValue } from "./attributes";
import { outputsOf, type ModelSummary, type Task } from "./card";
import { EngineError } from "./errors";
import type { Network } from "./network";
import type { Pixels } from "./pixels";
import type { Point } from "./view";

const INPUT = "image";
const BATCH = 64;

export type Attributes = Readonly<Record<string, AttributeValue>>;

export class Model {
  /** Side of the crops that the network takes, in pixels. */
  readonly size: number;
  /** Where a face's landmarks lie in a crop, in units of its side. */
  readonly template: readonly Point[];

  /**
   * @param network The model file, opened.
   * @param summary What the service says of it.
   * @param tasks The tasks to read.
   * @throws EngineError The file lacks a task's output.
   */
  constructor(
    private readonly network: Network,
    private readonly summary: ModelSummary,
    private readonly tasks: readonly Task[],
  ) {
    this.size = summary.card.input.size;
    this.template = summary.card.input.landmarks;
    const absent = tasks.find((task) => !network.outputs.includes(task.name));
    if (absent) throw this.broken(`has no output "${absent.name}"`);
  }

  /**
   * Read crops, as many as there are.
   *
   * @param crops Each `size` x `size`, with 3 channels.
   * @throws EngineError The network's answers are not what the card says.
   */
  async read(crops: readonly Pixels[]): Promise<Attributes[]> {
    const found: Attributes[] = [];
    // Parts of bounded size keep a crowd's memory bounded.
    for (let start = 0; start < crops.length && this.tasks.length > 0; start += BATCH) {
      found.push(...(await this.readPart(crops.slice(start, start + BATCH))));
    }
    return this.tasks.length > 0 ? found : crops.map(() => ({}));
  }

  private async readPart(crops: readonly Pixels[]): Promise<Attributes[]> {
    const pixels = 3 * this.size ** 2;
    const data = new Uint8Array(crops.length * pixels);
    crops.forEach((crop, index) => data.set(crop.data, index * pixels));
    const shape = [crops.length, this.size, this.size, 3];
    const wanted = this.tasks.map((task) => task.name);
    const outputs = await this.network.run({ name: INPUT, data, shape }, wanted);
    this.tasks.forEach((task, index) => this.check(task, outputs[index], crops.length));
    return crops.map((_, row) =>
      Object.fromEntries(
        this.tasks.map((task, index) => {
          const count = outputsOf(task);
          const numbers = outputs[index]!.subarray(row * count, (row + 1) * count);
          return [task.name, attributeOf(task, numbers)];
        }),
      ),
    );
  }

  private check(task: Task, output: Float32Array | undefined, rows: number): void {
    const wanted = rows * outputsOf(task);
    if (output?.length !== wanted || !output.every(Number.isFinite)) {
      throw this.broken(`answers "${task.name}" with something else than ${wanted} finite numbers`);
    }
  }

  private broken(what: string): EngineError {
    return new EngineError(
      "model",
      `The model "${this.summary.name}" ${what}. Export it again, or choose another model.`,
    );
  }
}
