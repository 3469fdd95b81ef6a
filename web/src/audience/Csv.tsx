/** Gives the reader the totals as a file. */
import { useState } from "react";
import { type Failure, asFailure } from "../api/failure";
import type { Days } from "../api/watch";
import { useSettings } from "../app/settings";
import { useWatch } from "../app/watch";
import { FailureBox } from "../ui/FailureBox";
import { Icon } from "../ui/Icon";
import { download } from "../ui/download";
import type { Step } from "./period";

export function Csv({ days, step }: { days: Days; step: Step }) {
  const words = useSettings().texts.audience.period;
  const service = useWatch();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const fetchIt = async () => {
    setBusy(true);
    setFailure(null);
    try {
      const file = await service.csv(days, ["camera", "area", "age", step]);
      download(file, `audience-${days.from}-${days.to}-${step}.csv`);
    } catch (thrown) {
      setFailure(asFailure(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button
        type="button"
        disabled={busy}
        aria-label={`${words.csv}: ${words.download}`}
        onClick={() => void fetchIt()}
      >
        <Icon name="download" />
        {words.csv}
      </button>
      {failure && <FailureBox failure={failure} onRetry={() => void fetchIt()} />}
    </>
  );
}
