/** Boxes with labels, drawn over a picture in the picture's own pixels. */
import type { Box } from "../api/types";

export interface Boxed {
  key: string | number;
  box: Box;
  /** What stands beside the box; none for the box alone. */
  lines: string[];
  marked?: boolean;
}

interface Props {
  width: number;
  height: number;
  /** How wide the picture is shown, in pixels of the screen; letters keep their size by it. */
  shownWidth: number;
  boxes: Boxed[];
  label: string;
}

const LETTER = 13;
const PITCH = 1.35;
/** Pictures shown narrower than this have room for the first line of each label only. */
const ROOMY = 480;

export function FaceBoxes({ width, height, shownWidth, boxes, label }: Props) {
  const letter = (LETTER * width) / Math.max(1, shownWidth);
  const most = shownWidth < ROOMY ? 1 : Infinity;
  const labels = boxes.map((boxed) => ({ ...boxed, lines: boxed.lines.slice(0, most) }));
  return (
    <svg className="boxes" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {boxes.map(({ key, box, marked }) => (
        <g key={key} className={marked ? "marked" : undefined}>
          <rect className="box-edge" {...box} />
          <rect className="box-line" {...box} />
        </g>
      ))}
      {labels.map(({ key, box, lines }) => (
        <Label
          key={key}
          lines={lines}
          letter={letter}
          place={placeOf(box, lines, letter, { width, height })}
        />
      ))}
    </svg>
  );
}

/** Where a label's upper left corner comes: above the box, below it, or at last inside it. */
function placeOf(
  box: Box,
  lines: string[],
  letter: number,
  picture: { width: number; height: number },
) {
  const high = labelHeight(lines, letter);
  const below = box.y + box.height;
  const x = Math.max(0, Math.min(box.x, picture.width - labelWidth(lines, letter)));
  if (box.y >= high) return { x, y: box.y - high };
  return { x, y: below + high <= picture.height ? below : Math.max(0, box.y) };
}

function labelHeight(lines: string[], letter: number): number {
  return lines.length * letter * PITCH + letter * 0.5;
}

/** About how wide a label is; drawn letters are seldom wider than this. */
function labelWidth(lines: string[], letter: number): number {
  return Math.max(0, ...lines.map((line) => line.length)) * letter * 0.56 + letter * 0.8;
}

interface LabelProps {
  lines: string[];
  letter: number;
  place: { x: number; y: number };
}

function Label({ lines, letter, place }: LabelProps) {
  if (lines.length === 0) return null;
  return (
    <g className="box-label" transform={`translate(${place.x} ${place.y})`} fontSize={letter}>
      <rect
        width={labelWidth(lines, letter)}
        height={labelHeight(lines, letter)}
        rx={letter * 0.25}
      />
      {lines.map((line, n) => (
        <text key={n} x={letter * 0.4} y={letter * (1.1 + n * PITCH)}>
          {line}
        </text>
      ))}
    </g>
  );
}
