/** The five big buttons, and what becomes of the taps. */
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { Failure, asFailure } from "../api/failure";
import type { TallyResult } from "../api/types";
import { useSettings } from "../app/settings";
import { useWatch } from "../app/watch";
import { placeName } from "../audience/places";
import { titled } from "../texts";
import { Dialog } from "../ui/Dialog";
import { FailureBox } from "../ui/FailureBox";
import { Icon } from "../ui/Icon";
import { count } from "../ui/numbers";
import { Elapsed, minutesSince } from "./Elapsed";
import { type Joined, TallyLink, keepJoined } from "./link";
import { useAwake } from "./useAwake";

const FEW_TAPS = 30;
const FEW_MINUTES = 10;

interface Props {
  joined: Joined;
  onLeave: () => void;
  onDone: (result: TallyResult) => void;
}

export function Tapping({ joined, onLeave, onDone }: Props) {
  const { texts, language } = useSettings();
  const words = texts.tally;
  const service = useWatch();
  const link = useLink(joined);
  const view = useSyncExternalStore(link.subscribe, () => link.view);
  const awake = useAwake(!view.over);
  const [asking, setAsking] = useState<"finish" | "drop" | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const total = Object.values(view.counts).reduce((sum, taps) => sum + taps, 0);
  const number = (n: number) => count(n, language);
  const end = async (how: "finish" | "drop") => {
    setAsking(null);
    setFailure(null);
    setBusy(true);
    try {
      if (how === "drop") {
        await service.drop(view.tally.id);
        onLeave();
      } else if (await link.flush()) {
        link.stop();
        onDone(await service.finish(view.tally.id));
      } else {
        setFailure(new Failure("unreachable"));
      }
    } catch (thrown) {
      link.start();
      setFailure(asFailure(thrown));
    } finally {
      setBusy(false);
    }
  };
  if (view.over) {
    return (
      <div className="card tally-over" role="alert">
        <p>{words.over}</p>
        {view.waiting > 0 && <p>{words.lostTaps(number(view.waiting))}</p>}
        <button type="button" className="main" onClick={onLeave}>
          {words.done.again}
        </button>
      </div>
    );
  }
  const short = total < FEW_TAPS || minutesSince(view.tally.started) < FEW_MINUTES;
  return (
    <>
      <div className="tally-head">
        <strong>{placeName(view.tally, texts)}</strong>
        <Elapsed since={view.tally.started} label={words.elapsed} />
        <span aria-live="off">{words.total(number(total))}</span>
      </div>
      <div className="tally-buttons" role="group" aria-label={words.groupsLabel}>
        {Object.entries(view.counts).map(([group, taps]) => (
          <button
            key={group}
            type="button"
            onClick={() => {
              navigator.vibrate?.(15);
              link.tap(group);
            }}
          >
            <span>{titled(texts, group)}</span>
            <strong>{number(taps)}</strong>
          </button>
        ))}
      </div>
      <button type="button" disabled={!view.canUndo} onClick={() => link.undo()}>
        <Icon name="undo" />
        {words.undo}
      </button>
      <p className={view.offline ? "hint wrong" : "hint"} role="status">
        {view.waiting > 0 && view.offline
          ? words.waiting(number(view.waiting))
          : view.offline
            ? words.offline
            : words.online}{" "}
        {awake ? words.awake : words.mayDim}
      </p>
      {view.failure && <FailureBox failure={view.failure} />}
      {failure && <FailureBox failure={failure} />}
      {asking && (
        <Dialog
          title={asking === "finish" ? words.finishSure : words.dropSure}
          onClose={() => setAsking(null)}
        >
          {asking === "finish" && short && <p className="hint">{words.short}</p>}
          {asking === "finish" && view.offline && <p className="hint wrong">{words.flushFirst}</p>}
          <div className="actions">
            <button type="button" className="main" disabled={busy} onClick={() => void end(asking)}>
              {words.yes}
            </button>
            <button type="button" onClick={() => setAsking(null)}>
              {words.no}
            </button>
          </div>
        </Dialog>
      )}
      <div className="actions tally-end">
        <button
          type="button"
          className="main"
          disabled={busy || total === 0}
          onClick={() => setAsking("finish")}
        >
          {words.finish}
        </button>
        <button type="button" className="plain" disabled={busy} onClick={() => setAsking("drop")}>
          {words.drop}
        </button>
      </div>
    </>
  );
}

/** This phone's link to the tally, which sends as long as it is shown. */
function useLink(joined: Joined): TallyLink {
  const service = useWatch();
  const link = useMemo(() => new TallyLink(service, joined, keepJoined), [service, joined]);
  useEffect(() => {
    link.start();
    const nudge = () => link.nudge();
    window.addEventListener("online", nudge);
    return () => {
      window.removeEventListener("online", nudge);
      link.stop();
    };
  }, [link]);
  return link;
}
