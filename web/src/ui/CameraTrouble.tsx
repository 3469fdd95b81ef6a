/** Says why there is no picture from the camera, and what to do. */
import { useTexts } from "../app/settings";
import type { CameraTrouble as Trouble } from "./camera";

interface Props {
  trouble: Trouble;
  onRetry: () => void;
}

export function CameraTrouble({ trouble, onRetry }: Props) {
  const texts = useTexts();
  return (
    <div className="result wrong" role="alert">
      <p>{texts.camera[trouble]}</p>
      <button type="button" onClick={onRetry}>
        {texts.camera.retry}
      </button>
    </div>
  );
}
