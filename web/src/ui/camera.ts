/** The camera: opening it, and why it could not be opened. */
import { useEffect, useRef, useState } from "react";

export type CameraTrouble = "denied" | "absent" | "busy" | "insecure" | "failed";

const TROUBLES = new Map<string, CameraTrouble>([
  ["NotAllowedError", "denied"],
  ["SecurityError", "denied"],
  ["NotFoundError", "absent"],
  ["OverconstrainedError", "absent"],
  ["NotReadableError", "busy"],
  ["AbortError", "busy"],
  ["InsecureError", "insecure"],
]);

export type Camera =
  | { state: "off" | "starting" }
  | { state: "on"; stream: MediaStream; mirrored: boolean }
  | { state: "failed"; trouble: CameraTrouble };

const OFF: Camera = { state: "off" };
const STARTING: Camera = { state: "starting" };

/** Why opening a camera failed. */
export function troubleOf(thrown: unknown): CameraTrouble {
  return TROUBLES.get(thrown instanceof Error ? thrown.name : "") ?? "failed";
}

/** Whether a camera looks at who sits before it, so that its picture is shown as a mirror's. */
function looksAtUser(stream: MediaStream): boolean {
  // What says nothing of itself is a computer's camera, above its screen.
  return stream.getVideoTracks()[0]?.getSettings().facingMode !== "environment";
}

/**
 * Keep a camera open as long as it is wanted.
 *
 * @param wanted Whether the camera is to run.
 * @param device Which; empty for the browser's choice.
 * @param attempt Changed to try again.
 */
export function useCamera(wanted: boolean, device = "", attempt = 0): Camera {
  const which = `${attempt}:${device}`;
  const [opened, setOpened] = useState<{ which: string; camera: Camera } | null>(null);
  useEffect(() => {
    if (!wanted) return;
    let given: MediaStream | null = null;
    let over = false;
    const report = (camera: Camera) => {
      if (!over) setOpened({ which, camera });
    };
    open(device).then(
      (stream) => {
        if (over) return stop(stream);
        given = stream;
        // It was pulled out, or taken away by the system.
        stream.getVideoTracks()[0]?.addEventListener("ended", () => {
          report({ state: "failed", trouble: "busy" });
        });
        report({ state: "on", stream, mirrored: looksAtUser(stream) });
      },
      (thrown: unknown) => report({ state: "failed", trouble: troubleOf(thrown) }),
    );
    return () => {
      over = true;
      if (given) stop(given);
      setOpened(null);
    };
  }, [wanted, device, which]);
  if (!wanted) return OFF;
  return opened?.which === which ? opened.camera : STARTING;
}

async function open(device: string): Promise<MediaStream> {
  // Browsers leave this out on pages that are not secure.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices) throw insecure();
  const size = { width: { ideal: 640 }, height: { ideal: 480 } };
  const which = device ? { deviceId: { exact: device } } : { facingMode: "user" };
  return devices.getUserMedia({ audio: false, video: { ...size, ...which } });
}

function insecure(): Error {
  const error = new Error("this page is not secure");
  error.name = "InsecureError";
  return error;
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** The cameras there are; their names are told only while one is open. */
export function useCameras(open: boolean): MediaDeviceInfo[] {
  const [cameras, setCameras] = useState<MediaDeviceInfo[]>([]);
  useEffect(() => {
    if (!open) return;
    let over = false;
    const look = async () => {
      const devices = await navigator.mediaDevices.enumerateDevices();
      if (!over) setCameras(devices.filter(({ kind }) => kind === "videoinput"));
    };
    void look();
    return () => {
      over = true;
    };
  }, [open]);
  return cameras;
}

/** Show a stream in a video element. */
export function useVideo(stream: MediaStream | null) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.srcObject = stream;
    // It is refused only where the element goes away again at once.
    if (stream) element.play().catch(() => undefined);
  }, [stream]);
  return video;
}
