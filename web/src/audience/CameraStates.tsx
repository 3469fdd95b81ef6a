/** How each camera is, since when and why. */
import { useSettings } from "../app/settings";
import type { Camera } from "../api/types";
import { stepText } from "../charts/figures";
import { count, decimal } from "../ui/numbers";
import { Icon } from "../ui/Icon";
import { sinceText } from "./moments";

interface Props {
  cameras: readonly Camera[] | null;
  k: number;
  zone: string;
  onDraw: (camera: Camera) => void;
}

export function CameraStates({ cameras, k, zone, onDraw }: Props) {
  const texts = useSettings().texts.audience.cameras;
  return (
    <section className="card" aria-labelledby="audience-cameras">
      <h2 id="audience-cameras">{texts.title}</h2>
      {cameras?.length === 0 ? (
        <p className="muted">{texts.none}</p>
      ) : (
        <ul className="cameras">
          {cameras?.map((camera) => (
            <One
              key={camera.name}
              camera={camera}
              k={k}
              zone={zone}
              onDraw={() => onDraw(camera)}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

interface OneProps {
  camera: Camera;
  k: number;
  zone: string;
  onDraw: () => void;
}

function One({ camera, k, zone, onDraw }: OneProps) {
  const { texts, language } = useSettings();
  const words = texts.audience.cameras;
  const states: Record<string, string> = words.states;
  const number = (n: number) => count(n, language);
  // A recording that ends before its end is a trouble, too.
  const early = camera.state === "ended" && camera.reason !== "";
  const facts = [
    camera.width > 0 && words.picture(camera.width, camera.height),
    camera.rate > 0 && words.rate(decimal(camera.rate, language, 1)),
    camera.state === "live" && words.present(stepText(camera.present, k, language)),
    camera.dropped > 0 && words.dropped(number(camera.dropped)),
    camera.damaged > 0 && words.damaged(number(camera.damaged)),
    camera.failed > 0 && words.failed(number(camera.failed)),
    camera.losses > 0 && words.losses(camera.losses, number(camera.losses)),
    camera.areas.length === 0 && words.whole,
  ].filter((fact) => fact !== false);
  return (
    <li className="camera">
      <div>
        <h3>
          {camera.name} <code className="muted">{camera.source}</code>
        </h3>
        <p>
          <span className={`state ${early ? "lost" : camera.state}`}>{states[camera.state] ?? camera.state}</span>{" "}
          {words.since(sinceText(camera.since, language, zone))}
          {camera.reason && (
            <>
              {": "}
              <span lang="en">{camera.reason}</span>
            </>
          )}
        </p>
        <p className="hint">{facts.join(" · ")}</p>
      </div>
      <button type="button" onClick={onDraw} aria-label={words.drawAreas(camera.name)}>
        <Icon name="area" />
        {words.areas}
      </button>
    </li>
  );
}
