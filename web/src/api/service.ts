/** Calls of the service, typed by its OpenAPI document. */
import createClient from "openapi-fetch";
import { Failure, asFailure, failureOf } from "./failure";
import type { paths } from "./schema";
import type { ModelList, Picture, Ranking } from "./types";

const TRIES = 3;
const LONGEST_WAIT = 5;

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
  readonly #client;

  constructor(server: Server) {
    this.#client = createClient<paths>({
      baseUrl: server.url,
      headers: server.key ? { Authorization: `Bearer ${server.key}` } : {},
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

/** A body of one picture in the form field that the service reads. */
function asFile(picture: Blob): { body: { file: string[] }; bodySerializer: () => FormData } {
  const form = new FormData();
  form.append("file", picture);
  // The document knows files as strings only; what is sent is the form.
  return { body: { file: [] }, bodySerializer: () => form };
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

async function told<T>(call: Promise<Answer<T>>): Promise<T> {
  try {
    const { data, error, response } = await call;
    if (data === undefined || !response.ok) throw failureOf(response.status, error);
    return data;
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === "AbortError") throw thrown;
    throw asFailure(thrown);
  }
}

function first<T>(items: T[]): T {
  const [item] = items;
  if (item === undefined) throw new Failure("broken", "an answer without pictures");
  return item;
}

/** Fetch; where the service is full, wait as long as it says and try again. */
async function patient(request: Request): Promise<Response> {
  for (let left = TRIES - 1; left > 0; left -= 1) {
    const response = await fetch(request.clone());
    if (response.status !== 503) return response;
    const seconds = Number(response.headers.get("Retry-After") ?? "1") || 1;
    await sleep(Math.min(seconds, LONGEST_WAIT) * 1000, request.signal);
  }
  return fetch(request);
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("given up", "AbortError"));
    });
  });
}
