/** What the part says of a service without cameras: how to start one with. */
import { useTexts } from "../app/settings";

const CONFIGURATION = `[[cameras]]
name = "door"
# a webcam's number, a file, or "rtsp://192.168.1.20/stream1"
source = 0`;

export function Absent() {
  const { audience } = useTexts();
  return (
    <div className="card howto">
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
