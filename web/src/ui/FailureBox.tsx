/** Tells in words why something failed, and offers to try again. */
import type { Failure } from "../api/failure";
import { useSettings } from "../app/settings";

interface Props {
  failure: Failure;
  onRetry?: (() => void) | undefined;
}

export function FailureBox({ failure, onRetry }: Props) {
  const { texts, url } = useSettings();
  const words = texts.failure[failure.kind];
  return (
    <div className="result wrong" role="alert">
      <p>{typeof words === "function" ? words(url) : words}</p>
      {failure.message && (
        <p className="detail">
          {texts.failure.said} <span lang="en">{failure.message}</span>
        </p>
      )}
      {onRetry && (
        <button type="button" onClick={onRetry}>
          {texts.failure.retry}
        </button>
      )}
    </div>
  );
}
