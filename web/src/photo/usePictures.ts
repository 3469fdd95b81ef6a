/** Reads the page's pictures by the service, a few at a time. */
import { useCallback, useEffect, useReducer, useRef } from "react";
import { Failure, asFailure } from "../api/failure";
import type { Service } from "../api/service";
import { type Item, type Outcome, changed } from "./items";

const AT_ONCE = 2;

export interface Pictures {
  items: Item[];
  add: (files: File[]) => void;
  again: (id: number) => void;
  remove: (id: number) => void;
  clear: () => void;
}

/**
 * The pictures and what was read from them.
 *
 * @param service Reads them.
 * @param tasks What is to be read; undefined for what the model's card names. All pictures are
 *   read anew when this or the service changes.
 */
export function usePictures(service: Service, tasks: string[] | undefined): Pictures {
  const [items, change] = useReducer(changed, []);
  const under = useRef(new Map<number, AbortController>());
  const next = useRef(0);

  const wanted = tasks?.join(",");
  useEffect(() => {
    abortAll(under.current);
    change({ type: "again" });
  }, [service, wanted]);

  useEffect(() => {
    const waiting = items.filter(({ outcome }) => outcome.state === "waiting").reverse();
    for (const { id, file } of waiting.slice(0, Math.max(0, AT_ONCE - under.current.size))) {
      const control = new AbortController();
      under.current.set(id, control);
      change({ type: "outcome", id, outcome: { state: "reading" } });
      void read(service, file, wanted?.split(","), control.signal).then((outcome) => {
        if (control.signal.aborted) return;
        under.current.delete(id);
        change({ type: "outcome", id, outcome });
      });
    }
  }, [items, service, wanted]);

  useEffect(() => {
    const running = under.current;
    return () => abortAll(running);
  }, []);
  useRevoked(items);

  const add = useCallback((files: File[]) => {
    const items = files.map<Item>((file) => ({
      id: next.current++,
      name: file.name,
      file,
      url: URL.createObjectURL(file),
      outcome: { state: "waiting" },
    }));
    change({ type: "add", items });
  }, []);
  const remove = useCallback((id: number) => {
    under.current.get(id)?.abort();
    under.current.delete(id);
    change({ type: "remove", id });
  }, []);
  return {
    items,
    add,
    remove,
    again: useCallback((id: number) => change({ type: "again", id }), []),
    clear: useCallback(() => {
      abortAll(under.current);
      change({ type: "clear" });
    }, []),
  };
}

async function read(
  service: Service,
  file: File,
  tasks: string[] | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    const picture = await service.analyze(file, { tasks, signal });
    if (picture.error) throw new Failure("unreadable", picture.error);
    return { state: "read", picture };
  } catch (thrown) {
    return { state: "failed", failure: asFailure(thrown) };
  }
}

function abortAll(under: Map<number, AbortController>): void {
  for (const control of under.values()) control.abort();
  under.clear();
}

/** Give up the addresses of pictures that are no more shown. */
function useRevoked(items: Item[]): void {
  const known = useRef(new Set<string>());
  useEffect(() => {
    const shown = new Set(items.map(({ url }) => url));
    for (const url of known.current) if (!shown.has(url)) URL.revokeObjectURL(url);
    known.current = shown;
  }, [items]);
  useEffect(
    () => () => {
      for (const url of known.current) URL.revokeObjectURL(url);
    },
    [],
  );
}
