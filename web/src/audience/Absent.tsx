/** What the part says of a service without cameras: how to start one with. */
import { useTexts } from "../app/settings";

const CONFIGURATION = `[[cameras]]
name = "door"
source = 0  # a webcam; or a file, or "rtsp://192.168.1.20/stream1"`;

export function Absent() {
  const { audience } = useTexts();
  return (
    <div className="card absent">
      <p>
        <strong>{audience.absent}</strong>
      </p>
      <p>{audience.absentHint}</p>
      <pre>
        <code>{CONFIGURATION}</code>
      </pre>
      <p>{audience.absentStart}</p>
      <pre>
        <code>mien watch shop.toml --serve</code>
      </pre>
      <p className="muted">{audience.absentMore}</p>
    </div>
  );
}
