/** Draws the areas of a camera over a picture of now, and saves them. */
import { useCallback, useEffect, useReducer, useState } from "react";
import { type Failure, asFailure } from "../api/failure";
import type { Area, Camera } from "../api/types";
import { useSettings } from "../app/settings";
import { useWatch } from "../app/watch";
import { FailureBox } from "../ui/FailureBox";
import { Icon } from "../ui/Icon";
import { useLoaded } from "../ui/useLoaded";
import { AreaCanvas } from "./AreaCanvas";
import { AreaList } from "./AreaList";
import { FEWEST, begin, edit, problemsOf, tidy } from "./editing";

interface Props {
  camera: Camera;
  onClose: () => void;
}

type Saving = "no" | "saving" | "saved" | Failure;

export function AreaEditor({ camera, onClose }: Props) {
  const words = useSettings().texts.audience.areas;
  const service = useWatch();
  // The camera's areas come anew with each live total; what is being drawn stands.
  const [state, apply] = useReducer(edit, camera.areas, begin);
  const [saving, setSaving] = useState<Saving>("no");
  const [stored, setStored] = useState<readonly Area[]>(camera.areas);
  const { still, failed, again } = useStill(camera.name);
  const { areas, drawing } = state;
  const problems = problemsOf(areas);
  const changed = areas !== stored;
  const canSave = changed && !drawing && problems.every((one) => one === null);
  const act = (step: Parameters<typeof apply>[0]) => {
    if (saving !== "saving") setSaving("no");
    apply(step);
  };
  const fresh = () => {
    const taken = new Set(areas.map(({ name }) => name));
    const numbers = Array.from({ length: areas.length + 1 }, (_, n) => words.defaultName(n + 1));
    return numbers.find((name) => !taken.has(name)) ?? "";
  };
  const save = async () => {
    setSaving("saving");
    try {
      await service.saveAreas(camera.name, tidy(areas));
      setStored(areas);
      setSaving("saved");
    } catch (thrown) {
      setSaving(asFailure(thrown));
    }
  };
  return (
    <section className="card area-editor" aria-labelledby="area-editor">
      <div className="section-head">
        <h2 id="area-editor">{words.title(camera.name)}</h2>
        <button type="button" className="plain" onClick={onClose}>
          {changed ? words.discard : words.back}
        </button>
      </div>
      <p className="hint">{words.hint}</p>
      <div className="area-parts">
        <div className="area-view">
          <AreaCanvas
            camera={camera}
            still={still}
            state={state}
            act={act}
            onClose={() => act({ do: "close", name: fresh() })}
          />
          <p className="hint" role="status">
            {drawing
              ? words.drawing(drawing.length)
              : still
                ? words.shown
                : failed
                  ? words.noStill
                  : words.loadingStill}
          </p>
          <div className="actions">
            {drawing ? (
              <>
                <button
                  type="button"
                  className="main"
                  disabled={drawing.length < FEWEST}
                  onClick={() => act({ do: "close", name: fresh() })}
                >
                  {words.close}
                </button>
                <button type="button" onClick={() => act({ do: "cancel" })}>
                  {words.cancelDrawing}
                </button>
              </>
            ) : (
              <>
                <button type="button" onClick={() => act({ do: "draw" })}>
                  <Icon name="area" />
                  {words.draw}
                </button>
                <button type="button" onClick={() => act({ do: "rectangle", name: fresh() })}>
                  {words.rectangle}
                </button>
              </>
            )}
            <button
              type="button"
              disabled={!state.past.length && !drawing?.length}
              onClick={() => act({ do: "undo" })}
            >
              <Icon name="undo" />
              {words.undo}
            </button>
            <button type="button" className="plain" onClick={again}>
              {words.newStill}
            </button>
          </div>
        </div>
        <div className="area-side">
          <AreaList state={state} problems={problems} act={act} />
          <div className="actions">
            <button
              type="button"
              className="main"
              disabled={!canSave || saving === "saving"}
              onClick={() => void save()}
            >
              {saving === "saving" ? words.saving : words.save}
            </button>
          </div>
          <p className="hint" role="status">
            {saving === "saved" && words.saved}
          </p>
          {saving instanceof Error && (
            <FailureBox failure={saving} onRetry={() => void save()} />
          )}
        </div>
      </div>
    </section>
  );
}

/** A picture of now, which lives as long as it is looked at. */
function useStill(camera: string) {
  const service = useWatch();
  const load = useCallback(
    async (signal: AbortSignal) => URL.createObjectURL(await service.still(camera, signal)),
    [service, camera],
  );
  const { value: still, failure, retry } = useLoaded(load);
  useEffect(() => {
    if (still) return () => URL.revokeObjectURL(still);
  }, [still]);
  return { still, failed: failure !== null, again: retry };
}
