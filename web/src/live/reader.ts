/** What reads a camera's frames: the engine in this browser, or the service's stream. */
import { Failure, asFailure } from "../api/failure";
import type { Server, Service } from "../api/service";
import type { Face, Model } from "../api/types";
import type { EngineName } from "../app/settings";
import { wantedTasks } from "../photo/tasks";
import { liveModel } from "./model";
import { StreamReader } from "./stream";

export interface FrameReading {
  width: number;
  height: number;
  faces: readonly Face[];
  /** Milliseconds from the frame to its result. */
  latency: number;
}

export interface FrameReader {
  /** Read the frame that a video shows now; null where it shows none or was passed over. */
  read: (video: HTMLVideoElement) => Promise<FrameReading | null>;
  close: () => void;
}

export interface ReaderOptions {
  engine: EngineName;
  server: Server;
  service: Service;
  race: boolean;
}

/** Open what reads frames, by which model. Throws a Failure, or the engine's own error. */
export async function openReader(
  options: ReaderOptions,
): Promise<{ reader: FrameReader; model: Model }> {
  const { engine, server, service, race } = options;
  const { models } = await service.models();
  const model = liveModel(models, engine);
  if (!model) throw new Failure("no-model");
  const tasks = wantedTasks(model.card, race);
  const reader =
    engine === "server"
      ? await StreamReader.open(server, tasks)
      : await openEngine(server, model.name, tasks);
  return { reader, model };
}

async function openEngine(
  { url, key }: Server,
  model: string,
  tasks: string[] | undefined,
): Promise<FrameReader> {
  // Fetched only when it is wanted: it is larger than the rest of the page.
  const { Engine } = await import("../engine");
  const engine = await Engine.open(url, model, { tasks, key: key || undefined });
  return {
    read: async (video) => {
      // Its first frame may come long after the networks.
      if (!video.videoWidth || video.readyState < video.HAVE_CURRENT_DATA) return null;
      const reading = await engine.read(video);
      return reading && { ...reading, latency: reading.milliseconds };
    },
    close: () => engine.close(),
  };
}

/** Anything thrown while frames are read, as a failure that the page has words for. */
export function readerFailure(thrown: unknown): Failure {
  if (thrown instanceof Error && "kind" in thrown && !(thrown instanceof Failure)) {
    if (thrown.kind === "service") return new Failure("unreachable", thrown.message);
    if (thrown.kind === "key") return new Failure("unauthorised");
    return new Failure("broken", thrown.message);
  }
  return asFailure(thrown);
}
