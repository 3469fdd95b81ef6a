/** Where to stand: begin a tally at a camera's area, or join the one that runs there. */
import { useState } from "react";
import { type Failure, asFailure } from "../api/failure";
import type { Camera, RunningTally, Tallies } from "../api/types";
import { useSettings } from "../app/settings";
import { useWatch } from "../app/watch";
import { type Place, placeKey, placeName, placesOf } from "../audience/places";
import { FailureBox } from "../ui/FailureBox";
import { count, percent } from "../ui/numbers";

interface Props {
  tallies: Tallies;
  cameras: readonly Camera[];
  onBegin: (tally: RunningTally) => void;
}

export function Doors({ tallies, cameras, onBegin }: Props) {
  const { texts, language } = useSettings();
  const words = texts.tally;
  const service = useWatch();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const running = new Map(tallies.running.map((one) => [placeKey(one), one]));
  const doors = new Map(tallies.doors.map((door) => [placeKey(door), door]));
  const places = new Map(
    [...placesOf(cameras), ...tallies.running].map((place) => [placeKey(place), place]),
  );
  const start = async ({ camera, area }: Place) => {
    setBusy(true);
    setFailure(null);
    try {
      onBegin(await service.startTally(camera, area));
    } catch (thrown) {
      const found = asFailure(thrown);
      // Somebody began there meanwhile: tap with them.
      const theirs = found.kind === "taken" ? await runningAt({ camera, area }) : null;
      if (theirs) onBegin(theirs);
      else setFailure(found);
    } finally {
      setBusy(false);
    }
  };
  const runningAt = async (place: Place): Promise<RunningTally | null> => {
    const now = await service.tallies().catch(() => null);
    return now?.running.find((one) => placeKey(one) === placeKey(place)) ?? null;
  };
  const about = (key: string): string => {
    const [tally, door] = [running.get(key), doors.get(key)];
    if (tally) {
      const taps = Object.values(tally.counts).reduce((sum, taps) => sum + taps, 0);
      const since = new Date(tally.started).toLocaleTimeString(language, {
        hour: "2-digit",
        minute: "2-digit",
        hourCycle: "h23",
      });
      return words.running(since, count(taps, language));
    }
    if (!door) return words.never;
    const date = new Date(door.newest).toLocaleDateString(language);
    return words.earlier(date, percent(door.capture.value, language));
  };
  return (
    <>
      <p>{words.intro}</p>
      {failure && <FailureBox failure={failure} />}
      <h2>{words.where}</h2>
      {places.size === 0 && <p className="muted">{words.noPlaces}</p>}
      <ul className="tally-doors">
        {[...places].map(([key, place]) => {
          const tally = running.get(key);
          const name = placeName(place, texts);
          return (
            <li key={key} className="card">
              <div>
                <h3>{name}</h3>
                <p className="hint">{about(key)}</p>
              </div>
              <button
                type="button"
                className="main"
                disabled={busy}
                aria-label={`${tally ? words.joins : words.start}: ${name}`}
                onClick={() => (tally ? onBegin(tally) : void start(place))}
              >
                {tally ? words.joins : words.start}
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}
