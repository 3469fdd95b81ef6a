/** On a phone at the door: tap who passes, so that mien learns how many it misses. */
import { useCallback, useState } from "react";
import type { RunningTally, TallyResult } from "../api/types";
import { isAbsent } from "../api/watch";
import { useTexts } from "../app/settings";
import { useWatch } from "../app/watch";
import { Absent } from "../audience/Absent";
import { FailureBox } from "../ui/FailureBox";
import { useLoaded } from "../ui/useLoaded";
import { Doors } from "./Doors";
import { type Joined, join, keepJoined, loadJoined } from "./link";
import { Result } from "./Result";
import { Tapping } from "./Tapping";
import "../styles/audience.css";
import "../styles/tally.css";

type Stage = { at: "doors" } | { at: "tapping"; joined: Joined } | { at: "done"; result: TallyResult };

export default function TallyPage() {
  const texts = useTexts();
  // A phone that was locked, or whose page was closed, goes on where it was.
  const [stage, setStage] = useState<Stage>(() => {
    const joined = loadJoined();
    return joined ? { at: "tapping", joined } : { at: "doors" };
  });
  const begin = (tally: RunningTally) => {
    const joined = join(tally);
    keepJoined(joined);
    setStage({ at: "tapping", joined });
  };
  const leave = () => {
    keepJoined(null);
    setStage({ at: "doors" });
  };
  return (
    <div className="tally">
      {stage.at === "doors" && <Choosing onBegin={begin} />}
      {stage.at === "tapping" && (
        <Tapping
          key={stage.joined.who}
          joined={stage.joined}
          onLeave={leave}
          onDone={(result) => {
            keepJoined(null);
            setStage({ at: "done", result });
          }}
        />
      )}
      {stage.at === "done" && <Result result={stage.result} onAgain={leave} />}
      <p className="hint kept-note">{texts.tally.kept}</p>
    </div>
  );
}

function Choosing({ onBegin }: { onBegin: (tally: RunningTally) => void }) {
  const texts = useTexts();
  const service = useWatch();
  const load = useCallback(
    async (signal: AbortSignal) => {
      const [tallies, cameras] = await Promise.all([
        service.tallies(signal),
        service.cameras(signal),
      ]);
      return { tallies, cameras };
    },
    [service],
  );
  const { value, failure, retry } = useLoaded(load);
  if (isAbsent(failure)) return <Absent />;
  if (failure) return <FailureBox failure={failure} onRetry={retry} />;
  if (!value) return <p className="muted">{texts.audience.loading}</p>;
  return <Doors {...value} onBegin={onBegin} />;
}
