/** What the part says of a service without cameras: how to start one with. */
import { useTexts } from "../app/settings";

const CONFIGURATION = `[[cameras]]
name = "door"
source = "rtsp://192.168.1.20/stream1"

[serve]
enabled = true`;

export function Absent() {
  const { audience } = useTexts();
  return (
    <div className="card absent">
      <p>
        <strong>{audience.absent}</strong>
      </p>
      <p>{audience.absentHint}</p>
      <pre>
        <code>mien watch --camera 0 --serve</code>
      </pre>
      <p>{audience.absentMore}</p>
      <pre>
        <code>{CONFIGURATION}</code>
      </pre>
      <pre>
        <code>mien watch shop.toml</code>
      </pre>
    </div>
  );
}
