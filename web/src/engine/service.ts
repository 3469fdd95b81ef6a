/** What the engine fetches, all of it from the one service that it was given. */

import { checkedSummary, type ModelSummary } from "./card";
import { EngineError } from "./errors";

const DETECTOR = "v1/detector/file";

export class Service {
  private readonly base: URL;

  /**
   * @param base The service's address.
   * @param key An API key, where the service asks for one.
   */
  constructor(
    base: string,
    private readonly key?: string,
  ) {
    this.base = new URL(base.endsWith("/") ? base : `${base}/`);
  }

  /** Return what the service says of a model. */
  async summary(name: string): Promise<ModelSummary> {
    const response = await this.get(`v1/models/${encodeURIComponent(name)}`, `the model "${name}"`);
    return checkedSummary(await response.json().catch(() => null), name);
  }

  /** Return a model's file. */
  async modelFile(summary: ModelSummary): Promise<Uint8Array> {
    const path = `v1/models/${encodeURIComponent(summary.name)}/file`;
    const file = await this.file(path, `the file of the model "${summary.name}"`);
    if (file.length === summary.bytes) return file;
    throw new EngineError(
      "service",
      `The file of the model "${summary.name}" came with ${file.length} bytes instead of ` +
        `${summary.bytes}. Load it again.`,
    );
  }

  /** Return the face detector's file. */
  async detectorFile(): Promise<Uint8Array> {
    return this.file(DETECTOR, "the face detector's file");
  }

  private async file(path: string, what: string): Promise<Uint8Array> {
    const response = await this.get(path, what);
    try {
      return new Uint8Array(await response.arrayBuffer());
    } catch {
      throw this.unreachable(what);
    }
  }

  private async get(path: string, what: string): Promise<Response> {
    const headers: HeadersInit = this.key ? { Authorization: `Bearer ${this.key}` } : {};
    const response = await fetch(new URL(path, this.base), { headers }).catch(() => {
      throw this.unreachable(what);
    });
    if (response.ok) return response;
    const { status } = response;
    if (status === 401) {
      throw new EngineError("key", `The service at ${this.base.href} asks for a valid API key.`);
    }
    if (status === 404) {
      throw new EngineError("missing", `The service at ${this.base.href} does not have ${what}.`);
    }
    throw new EngineError(
      "service",
      `The service at ${this.base.href} answered ${status} when asked for ${what}. Try again.`,
    );
  }

  private unreachable(what: string): EngineError {
    return new EngineError(
      "service",
      `The service at ${this.base.href} cannot be reached for ${what}. Check its address, ` +
        "whether it runs, and whether it allows this page's origin.",
    );
  }
}
