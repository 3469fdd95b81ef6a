/** Measures how long the service takes for a crop. */
import { useState } from "react";
import { type Failure, asFailure } from "../api/failure";
import { useService } from "../app/service";
import { useSettings } from "../app/settings";
import { median } from "../live/rate";
import { FailureBox } from "../ui/FailureBox";
import { decimal } from "../ui/numbers";

const TIMES = 10;

type State = "unmeasured" | "measuring" | number | Failure;

export function Speed({ name, size }: { name: string; size: number }) {
  const { texts, language } = useSettings();
  const service = useService();
  const [state, setState] = useState<State>("unmeasured");
  const measure = async () => {
    setState("measuring");
    try {
      const taken: number[] = [];
      for (let n = 0; n < TIMES; n += 1) {
        const since = performance.now();
        await service.infer(name, size);
        taken.push(performance.now() - since);
      }
      setState(median(taken) ?? "unmeasured");
    } catch (thrown) {
      setState(asFailure(thrown));
    }
  };
  if (state instanceof Error) return <FailureBox failure={state} onRetry={() => void measure()} />;
  if (typeof state === "number") return texts.models.speedIs(decimal(state, language, 1));
  const measuring = state === "measuring";
  return (
    <button type="button" className="plain" disabled={measuring} onClick={() => void measure()}>
      {measuring ? texts.models.measuring : texts.models.measure}
    </button>
  );
}
