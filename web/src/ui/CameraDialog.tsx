/** Takes one picture by the camera. */
import { useState } from "react";
import { useTexts } from "../app/settings";
import { CameraTrouble } from "./CameraTrouble";
import { Dialog } from "./Dialog";
import { Icon } from "./Icon";
import { useCamera, useVideo } from "./camera";
import { grab } from "./grab";

interface Props {
  onPicture: (picture: File) => void;
  onClose: () => void;
}

export function CameraDialog({ onPicture, onClose }: Props) {
  const texts = useTexts();
  const [attempt, setAttempt] = useState(0);
  const camera = useCamera(true, "", attempt);
  const video = useVideo(camera.state === "on" ? camera.stream : null);
  const shoot = async () => {
    const picture = video.current && (await grab(video.current, { quality: 0.92 }));
    if (picture) onPicture(new File([picture], `${texts.capture.name}.jpg`, { type: picture.type }));
  };
  return (
    <Dialog title={texts.capture.title} onClose={onClose}>
      {camera.state === "failed" ? (
        <CameraTrouble trouble={camera.trouble} onRetry={() => setAttempt(attempt + 1)} />
      ) : (
        <div className="viewfinder">
          <video
            ref={video}
            muted
            playsInline
            aria-label={texts.capture.view}
            className={camera.state === "on" && camera.mirrored ? "mirrored" : undefined}
          />
          {camera.state !== "on" && <p role="status">{texts.camera.starting}</p>}
        </div>
      )}
      <div className="actions">
        <button
          type="button"
          className="main"
          disabled={camera.state !== "on"}
          onClick={() => void shoot()}
        >
          <Icon name="camera" />
          {texts.capture.shoot}
        </button>
        <button type="button" onClick={onClose}>
          {texts.capture.cancel}
        </button>
      </div>
    </Dialog>
  );
}
