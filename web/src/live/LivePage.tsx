/** Faces live, from a camera. */
import { useMemo, useState } from "react";
import { useService } from "../app/service";
import { ENGINES, useSettings } from "../app/settings";
import { CameraTrouble } from "../ui/CameraTrouble";
import { FailureBox } from "../ui/FailureBox";
import { Icon } from "../ui/Icon";
import { Select } from "../ui/Select";
import { useCamera, useCameras, useVideo } from "../ui/camera";
import { decimal } from "../ui/numbers";
import { LiveFaces } from "./LiveFaces";
import { LiveFigures } from "./LiveFigures";
import { Stage } from "./Stage";
import { useReadings } from "./useReadings";

export function LivePage() {
  const { texts, language, url, key, race, engine, change } = useSettings();
  const service = useService();
  const [wanted, setWanted] = useState(false);
  const [device, setDevice] = useState("");
  const [attempt, setAttempt] = useState(0);
  const camera = useCamera(wanted, device, attempt);
  const on = camera.state === "on";
  const cameras = useCameras(on);
  const video = useVideo(on ? camera.stream : null);
  const server = useMemo(() => ({ url, key }), [url, key]);
  const readings = useReadings(video, on, { engine, server, service, race });
  const again = () => {
    // A camera that was pulled out is not asked for again: whichever there is will do.
    if (camera.state === "failed" && camera.trouble === "absent") setDevice("");
    setAttempt(attempt + 1);
  };
  return (
    <div className="live">
      <div className="live-view">
        <Stage video={video} camera={camera} readings={readings} onStart={() => setWanted(true)} />
        {camera.state === "failed" && <CameraTrouble trouble={camera.trouble} onRetry={again} />}
        {on && readings.failure && <FailureBox failure={readings.failure} onRetry={again} />}
        <div className="actions">
          {wanted && (
            <button type="button" onClick={() => setWanted(false)}>
              <Icon name="stop" />
              {texts.live.stop}
            </button>
          )}
          {on && cameras.length > 1 && (
            <Select
              label={texts.camera.choose}
              value={device}
              options={[
                ["", texts.camera.choose],
                ...cameras.map(
                  ({ deviceId, label }, n) =>
                    [deviceId, label || texts.camera.numbered(n + 1)] as const,
                ),
              ]}
              onChange={setDevice}
            />
          )}
        </div>
      </div>
      <div className="live-side">
        <fieldset className="card">
          <legend>{texts.live.engine}</legend>
          {ENGINES.map((name) => (
            <label key={name} className="switch">
              <input
                type="radio"
                name="engine"
                checked={engine === name}
                onChange={() => change({ engine: name })}
              />
              {texts.live[name]}
            </label>
          ))}
          <p className="hint">
            {engine === "browser" ? texts.live.browserPrivacy : texts.live.serverPrivacy}
          </p>
          {on && readings.model && engine === "browser" && (
            <p className="hint" data-model={readings.model.name}>
              {texts.live.model(
                readings.model.name,
                texts.models.megabytes(decimal(readings.model.bytes / 1e6, language, 1)),
              )}
            </p>
          )}
        </fieldset>
        <LiveFigures readings={on ? readings : null} />
        <LiveFaces tracks={on ? readings.tracks : []} />
      </div>
    </div>
  );
}
