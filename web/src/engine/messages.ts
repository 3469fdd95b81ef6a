/** What the page and the engine's worker say to each other. */

import type { Trouble } from "./errors";
import type { RuntimeFiles } from "./runtime";
import type { FaceOptions, FaceResult } from "./reader";

export interface OpenOptions extends FaceOptions {
  /** Names of the tasks to read; by default those that the model's card names so. */
  readonly tasks?: readonly string[] | undefined;
  /** An API key, where the service asks for one. */
  readonly key?: string | undefined;
}

/** What a worker can take: pixels, or an encoded picture. */
export type Frame = ImageBitmap | ImageData | Blob;

export interface Reading {
  readonly width: number;
  readonly height: number;
  readonly faces: readonly FaceResult[];
}

export type Request =
  | {
      readonly type: "open";
      readonly base: string;
      readonly model: string;
      readonly options: OpenOptions;
      readonly files: RuntimeFiles;
    }
  | { readonly type: "read"; readonly frame: Frame };

export type Reply =
  | { readonly type: "opened"; readonly threads: number }
  | { readonly type: "reading"; readonly reading: Reading }
  | { readonly type: "failure"; readonly kind: Trouble; readonly message: string };
