/** How fast faces are read. */
import { useSettings } from "../app/settings";
import { decimal } from "../ui/numbers";
import type { Readings } from "./useReadings";

const NONE = "–";

export function LiveFigures({ readings }: { readings: Readings | null }) {
  const { texts, language } = useSettings();
  const { rate = null, latency = null, tracks = [] } = readings ?? {};
  return (
    <dl className="figures">
      <div>
        <dt>{texts.live.rate}</dt>
        <dd data-figure="rate">{rate === null ? NONE : decimal(rate, language, 1)}</dd>
      </div>
      <div>
        <dt>{texts.live.latency}</dt>
        <dd data-figure="latency">
          {latency === null ? NONE : texts.live.milliseconds(Math.round(latency))}
        </dd>
      </div>
      <div>
        <dt>{texts.live.facesNow}</dt>
        <dd data-figure="faces">{readings ? tracks.length : NONE}</dd>
      </div>
    </dl>
  );
}
