/** Who came, when, and for how long: live and stored totals, cameras, areas, and how far to trust. */
import { useCallback, useEffect, useRef, useState } from "react";
import { isAbsent } from "../api/watch";
import { useTexts } from "../app/settings";
import { useWatch } from "../app/watch";
import { FailureBox } from "../ui/FailureBox";
import { useKept } from "../ui/useKept";
import { useLoaded } from "../ui/useLoaded";
import { Absent } from "./Absent";
import { AreaEditor } from "./AreaEditor";
import { CameraStates } from "./CameraStates";
import { LiveTotals } from "./LiveTotals";
import { Privacy } from "./Privacy";
import { Totals } from "./Totals";
import { Trust } from "./Trust";
import { useLive } from "./useLive";
import "../styles/audience.css";

const TODAY = { from: "", to: "" };

export default function AudiencePage() {
  const texts = useTexts();
  const service = useWatch();
  const load = useCallback(
    (signal: AbortSignal) => service.audience(TODAY, ["camera", "area"], signal),
    [service],
  );
  const loaded = useLoaded(load);
  if (isAbsent(loaded.failure)) return <Absent />;
  return (
    <>
      {loaded.failure && <FailureBox failure={loaded.failure} onRetry={loaded.retry} />}
      {!loaded.value && !loaded.failure && <p className="muted">{texts.audience.loading}</p>}
      {loaded.value && <Watched base={loaded.value} />}
    </>
  );
}

function Watched({ base: newest }: { base: NonNullable<Parameters<typeof Totals>[0]["base"]> }) {
  const texts = useTexts();
  const base = useKept(newest) ?? newest;
  const service = useWatch();
  const { live, state, failure, retry } = useLive(service);
  const [drawing, setDrawing] = useState<string | null>(null);
  const camera = live?.cameras.find(({ name }) => name === drawing);
  const place = useBackTo(drawing);
  return (
    <>
      <p className="muted">{texts.audience.notPeople}</p>
      {failure && <FailureBox failure={failure} onRetry={retry} />}
      <LiveTotals live={live} state={state} zone={base.zone} />
      <div ref={place} className="part" tabIndex={-1}>
        {camera ? (
          <AreaEditor key={camera.name} camera={camera} onClose={() => setDrawing(null)} />
        ) : (
          <CameraStates
            cameras={live?.cameras ?? null}
            k={base.k}
            zone={base.zone}
            onDraw={({ name }) => setDrawing(name)}
          />
        )}
      </div>
      <Totals base={base} live={live} />
      <Trust base={base} live={live} />
      <Privacy />
    </>
  );
}

/** The place of what comes and goes; it takes the focus, which would else be lost with it. */
function useBackTo(shown: unknown) {
  const place = useRef<HTMLDivElement>(null);
  const before = useRef(shown);
  useEffect(() => {
    if (before.current === shown) return;
    before.current = shown;
    place.current?.focus();
  }, [shown]);
  return place;
}
