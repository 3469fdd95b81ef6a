/** Calls of the service, typed by its OpenAPI document. */
import createClient from "openapi-fetch";
import { patient, told } from "./call";
import { Failure, asFailure, failureOf } from "./failure";
import type { paths } from "./schema";
import type { Model, ModelList, Picture, Ranking } from "./types";

/** Where the service is, and the key it may ask for. */
export interface Server {
  url: string;
  key: string;
}

export interface FaceOptions {
  tasks?: string[] | undefined;
  signal?: AbortSignal | undefined;
}

export interface ClassifyOptions {
  model: string;
  top: number;
  signal?: AbortSignal | undefined;
}

export class Service {
  readonly #server;
  readonly #client;

  constructor(server: Server) {
    this.#server = server;
    this.#client = createClient<paths>({
      baseUrl: server.url,
      headers: headersOf(server),
      fetch: patient,
    });
  }

  /** Read the faces of one picture. */
  async analyze(picture: Blob, { tasks, signal }: FaceOptions = {}): Promise<Picture> {
    const answer = await told(
      this.#client.POST("/v1/analyze", {
        params: { query: tasks ? { tasks: tasks.join(",") } : {} },
        ...asFile(picture),
        signal: signal ?? null,
      }),
    );
    return first(answer.pictures);
  }

  /** Give the most probable classes of one picture. */
  async classify(picture: Blob, { model, top, signal }: ClassifyOptions): Promise<Ranking> {
    const answer = await told(
      this.#client.POST("/v1/classify", {
        params: { query: { model, top } },
        ...asFile(picture),
        signal: signal ?? null,
      }),
    );
    return first(answer.pictures);
  }

  /** List the models with their cards. */
  async models(signal?: AbortSignal): Promise<ModelList> {
    const answer = await told(this.#client.GET("/v1/models", { signal: signal ?? null }));
    // openapi-fetch takes pairs of numbers for lists.
    return answer as ModelList;
  }

  /** Fetch a model's file. */
  async file(model: Model): Promise<Blob> {
    try {
      const response = await fetch(this.#server.url + model.file, {
        headers: headersOf(this.#server),
      });
      if (!response.ok) throw failureOf(response.status, null);
      return await response.blob();
    } catch (thrown) {
      throw asFailure(thrown);
    }
  }

  /** Run a model over crops of zeros; for measuring how long that takes. */
  async infer(model: string, size: number): Promise<void> {
    const data = Array.from({ length: size * size * 3 }, () => 0);
    await told(
      this.#client.POST("/v2/models/{name}/infer", {
        params: { path: { name: model } },
        body: {
          id: null,
          outputs: [],
          parameters: {},
          inputs: [
            { name: "image", shape: [1, size, size, 3], datatype: "UINT8", data, parameters: {} },
          ],
        },
      }),
    );
  }
}

function headersOf({ key }: Server): Record<string, string> {
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** A body of one picture in the form field that the service reads. */
function asFile(picture: Blob): { body: { file: string[] }; bodySerializer: () => FormData } {
  const form = new FormData();
  form.append("file", picture);
  // The document knows files as strings only; what is sent is the form.
  return { body: { file: [] }, bodySerializer: () => form };
}

function first<T>(items: T[]): T {
  const [item] = items;
  if (item === undefined) throw new Failure("broken", "an answer without pictures");
  return item;
}
