/** The areas over the camera's picture; corners are moved by mouse, finger or arrow keys. */
import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import { useSettings } from "../app/settings";
import type { Camera } from "../api/types";
import { percent } from "../ui/numbers";
import { useShownWidth } from "../ui/size";
import { type Edit, type Editing, FEWEST, type Point, middle } from "./editing";

const STEP = 0.01;
const LARGE_STEP = 0.05;
// In pixels of the screen: what is drawn, and what a finger can hit.
const CORNER = 7;
const FINGER = 18;
const ARROWS: Record<string, Point> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

interface Props {
  camera: Camera;
  still: string | null;
  state: Editing;
  act: (step: Edit) => void;
  /** The area that is being drawn is complete. */
  onClose: () => void;
}

export function AreaCanvas({ camera, still, state, act, onClose }: Props) {
  const words = useSettings().texts.audience.areas;
  const { element, width: shown } = useShownWidth<HTMLDivElement>();
  const drawn = useRef<SVGSVGElement>(null);
  const held = useRef<{ area: number; corner: number } | null>(null);
  const [width, height] = [camera.width || 1280, camera.height || 720];
  const scale = shown > 0 ? width / shown : 1;
  const { areas, selected, drawing } = state;
  const placeOf = ({ clientX, clientY }: PointerEvent): Point => {
    const box = drawn.current?.getBoundingClientRect();
    if (!box?.width || !box.height) return [0, 0];
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  };
  const near = ([x, y]: Point, [u, v]: Point) =>
    Math.hypot((x - u) * width, (y - v) * height) < FINGER * scale;
  const onDown = (event: PointerEvent) => {
    if (!drawing) return;
    const point = placeOf(event);
    const [first] = drawing;
    if (first && drawing.length >= FEWEST && near(first, point)) onClose();
    else act({ do: "place", point });
  };
  const hold = (event: PointerEvent, area: number, corner: number) => {
    event.preventDefault();
    event.stopPropagation();
    held.current = { area, corner };
    drawn.current?.setPointerCapture(event.pointerId);
    (event.currentTarget as SVGElement).focus();
  };
  const onMove = (event: PointerEvent) => {
    if (held.current) act({ do: "move", ...held.current, point: placeOf(event) });
  };
  const release = () => {
    if (held.current) act({ do: "settle" });
    held.current = null;
  };
  const corners = (points: readonly Point[]) =>
    points.map(([x, y]) => `${x * width},${y * height}`).join(" ");
  return (
    <div ref={element} className="area-canvas" style={{ aspectRatio: `${width} / ${height}` }}>
      {still && <img src={still} alt="" />}
      <svg
        ref={drawn}
        viewBox={`0 0 ${width} ${height}`}
        role="group"
        aria-label={words.view(camera.name)}
        className={drawing ? "drawing" : undefined}
        onPointerDown={onDown}
        onPointerMove={onMove}
        onPointerUp={release}
        onPointerCancel={release}
      >
        {areas.map(({ name, polygon, ignore }, n) => {
          const [x = 0, y = 0] = polygon.reduce<Point>(
            ([u, v], [a, b]) => [u + a / polygon.length, v + b / polygon.length],
            [0, 0],
          );
          return (
            <g key={n} className={`area${ignore ? " ignored" : ""}${selected === n ? " selected" : ""}`}>
              <polygon
                points={corners(polygon)}
                strokeWidth={2 * scale}
                onPointerDown={() => !drawing && act({ do: "select", area: n })}
              />
              <text x={x * width} y={y * height} fontSize={14 * scale} strokeWidth={3 * scale}>
                {name}
              </text>
            </g>
          );
        })}
        {drawing && (
          <g className="area selected">
            <polyline points={corners(drawing)} strokeWidth={2 * scale} />
            {drawing.map(([x, y], n) => (
              <circle
                key={n}
                className={n === 0 ? "corner first" : "corner"}
                cx={x * width}
                cy={y * height}
                r={CORNER * scale}
                strokeWidth={2 * scale}
              />
            ))}
          </g>
        )}
        {selected !== null && !drawing && (
          <Corners
            state={state}
            area={selected}
            {...{ width, height, scale, act, hold }}
          />
        )}
      </svg>
    </div>
  );
}

interface CornersProps {
  state: Editing;
  area: number;
  width: number;
  height: number;
  scale: number;
  act: (step: Edit) => void;
  hold: (event: PointerEvent, area: number, corner: number) => void;
}

/** The corners of the area that is worked on, and between them where new ones can be pulled out. */
function Corners({ state, area, width, height, scale, act, hold }: CornersProps) {
  const { texts, language } = useSettings();
  const words = texts.audience.areas;
  const known = state.areas[area];
  if (!known) return null;
  const { name, polygon } = known;
  const onKey = (event: KeyboardEvent, corner: number, [x, y]: Point) => {
    const arrow = ARROWS[event.key];
    if (arrow) {
      const step = event.shiftKey ? LARGE_STEP : STEP;
      act({ do: "move", area, corner, point: [x + arrow[0] * step, y + arrow[1] * step] });
    } else if (event.key === "Delete" || event.key === "Backspace") {
      act({ do: "drop-corner", area, corner });
    } else if (event.key === "Insert" || event.key === "+") {
      act({ do: "split", area, corner });
    } else return;
    event.preventDefault();
  };
  return (
    <>
      {polygon.map((_, n) => {
        const [x, y] = middle(polygon, n);
        return (
          <g
            key={`edge ${n}`}
            className="edge"
            aria-hidden="true"
            onPointerDown={(event) => {
              act({ do: "split", area, corner: n });
              hold(event, area, n + 1);
            }}
          >
            <circle className="finger" cx={x * width} cy={y * height} r={FINGER * scale * 0.8} />
            <circle cx={x * width} cy={y * height} r={4 * scale} strokeWidth={1.5 * scale} />
          </g>
        );
      })}
      {polygon.map((point, n) => {
        const [x, y] = point;
        return (
          <g
            key={`corner ${n}`}
            className="handle"
            role="button"
            tabIndex={0}
            aria-label={words.corner(n + 1, name, percent(x, language), percent(y, language))}
            onKeyDown={(event) => onKey(event, n, point)}
            onPointerDown={(event) => hold(event, area, n)}
          >
            <circle className="finger" cx={x * width} cy={y * height} r={FINGER * scale} />
            <circle
              className="corner"
              cx={x * width}
              cy={y * height}
              r={CORNER * scale}
              strokeWidth={2 * scale}
            />
          </g>
        );
      })}
    </>
  );
}
