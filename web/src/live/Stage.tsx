/** The camera's picture with boxes over it; before that, the button that starts it. */
import type { RefObject } from "react";
import { useSettings } from "../app/settings";
import { type Boxed, FaceBoxes } from "../faces/FaceBoxes";
import { boxLines } from "../faces/words";
import type { Box } from "../api/types";
import { Icon } from "../ui/Icon";
import type { Camera } from "../ui/camera";
import { useShownWidth } from "../ui/size";
import type { Readings } from "./useReadings";

interface Props {
  video: RefObject<HTMLVideoElement | null>;
  camera: Camera;
  readings: Readings;
  onStart: () => void;
}

export function Stage({ video, camera, readings, onStart }: Props) {
  const { texts, language, engine } = useSettings();
  const { element, width: shownWidth } = useShownWidth<HTMLDivElement>();
  const on = camera.state === "on";
  const mirrored = on && camera.mirrored;
  const { width, height, tracks } = readings;
  const boxes = tracks.flatMap<Boxed>(({ id, face }) =>
    face.box
      ? [
          {
            key: id,
            box: mirrored ? mirror(face.box, width) : face.box,
            lines: boxLines(face, texts, language),
          },
        ]
      : [],
  );
  return (
    <div
      ref={element}
      className="stage"
      style={on && width ? { aspectRatio: `${width} / ${height}` } : undefined}
    >
      <video
        ref={video}
        muted
        playsInline
        hidden={!on}
        aria-label={texts.live.view}
        className={mirrored ? "mirrored" : undefined}
      />
      {on && width > 0 && (
        <FaceBoxes
          width={width}
          height={height}
          shownWidth={shownWidth}
          boxes={boxes}
          label={texts.photo.faces(boxes.length)}
        />
      )}
      {on && readings.state === "opening" && (
        <p className="stage-words" role="status">
          {engine === "browser" ? texts.live.loading : texts.live.connecting}
        </p>
      )}
      {camera.state === "starting" && (
        <p className="stage-words" role="status">
          {texts.camera.starting}
        </p>
      )}
      {camera.state === "off" && (
        <div className="stage-start">
          <button type="button" className="main" onClick={onStart}>
            <Icon name="video" />
            {texts.live.start}
          </button>
          <p>{texts.live.idle}</p>
        </div>
      )}
    </div>
  );
}

/** A box as a mirror shows it. */
function mirror(box: Box, width: number): Box {
  return { ...box, x: width - box.x - box.width };
}
