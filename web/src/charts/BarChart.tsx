/** Bars side by side with their intervals; what is hidden is hatched, never a bar of height 0. */
import { AxisBottom, AxisLeft } from "@visx/axis";
import { GridRows } from "@visx/grid";
import { Group } from "@visx/group";
import { PatternLines } from "@visx/pattern";
import { scaleBand, scaleLinear } from "@visx/scale";
import { Bar } from "@visx/shape";
import { useId } from "react";
import { type Figure, errorBar, highest } from "./figures";
import type { ChartData } from "./chart";
import { labelled } from "./labels";

const HEIGHT = 240;
const MARGIN = { top: 12, right: 8, bottom: 28, left: 44 };
// Below few bars each has its name, in two lines if need be.
const FEW = 8;
const TWO_LINES = 16;
const HATCH = 24;
const CAP = 8;
const WIDEST = 36;

interface Props {
  data: ChartData;
  /** In pixels. */
  width: number;
  active: number | null;
  onActive: (slot: number | null) => void;
  format: (value: number) => string;
}

export default function BarChart({ data, width, active, onActive, format }: Props) {
  const id = useId();
  const { slots, series } = data;
  const inner = Math.max(0, width - MARGIN.left - MARGIN.right);
  const few = slots.length <= FEW;
  const height = HEIGHT - MARGIN.top - MARGIN.bottom - (few ? TWO_LINES : 0);
  const x = scaleBand({
    domain: slots.map(({ key }) => key),
    range: [0, inner],
    paddingInner: 0.25,
    paddingOuter: 0.15,
  });
  const within = scaleBand({
    domain: series.map(({ tone }) => tone),
    range: [0, x.bandwidth()],
    paddingInner: 0.1,
  });
  const y = scaleLinear({
    domain: [0, highest(series.flatMap(({ figures }) => figures))],
    range: [height, 0],
    nice: 4,
  });
  const names = new Map(slots.map(({ key, short }) => [key, short]));
  const wide = Math.min(within.bandwidth(), WIDEST);
  return (
    <svg className="bar-chart" width={width} height={HEIGHT} aria-hidden="true">
      <PatternLines
        id={id}
        width={6}
        height={6}
        orientation={["diagonal"]}
        className="hatch"
        strokeWidth={1.5}
      />
      <Group left={MARGIN.left} top={MARGIN.top}>
        <GridRows scale={y} width={inner} numTicks={4} className="grid" />
        {slots.map(({ key }, n) => {
          const left = x(key) ?? 0;
          return (
            <g
              key={key}
              className={active === n ? "slot active" : "slot"}
              onPointerEnter={() => onActive(n)}
              onPointerLeave={() => onActive(null)}
            >
              <rect
                className="slot-ground"
                x={left - (x.step() - x.bandwidth()) / 2}
                width={x.step()}
                y={0}
                height={height}
              />
              {series.map(({ tone, figures }) => {
                const figure = figures[n];
                const place = left + (within(tone) ?? 0) + (within.bandwidth() - wide) / 2;
                return (
                  figure && (
                    <OneBar
                      key={tone}
                      figure={figure}
                      tone={tone}
                      x={place}
                      width={wide}
                      y={y}
                      height={height}
                      hatch={`url(#${id})`}
                    />
                  )
                );
              })}
            </g>
          );
        })}
        <AxisLeft
          scale={y}
          numTicks={4}
          hideAxisLine
          hideTicks
          axisClassName="axis"
          tickFormat={(value) => (Number.isInteger(Number(value)) ? format(Number(value)) : "")}
          tickLabelProps={{ className: "tick", dx: -4, dy: "0.32em", textAnchor: "end" }}
        />
        <AxisBottom
          scale={x}
          top={height}
          tickValues={few ? x.domain() : labelled(slots, inner)}
          tickFormat={(key) => names.get(key) ?? ""}
          hideTicks
          axisClassName="axis"
          tickLabelProps={{
            className: "tick",
            textAnchor: "middle",
            verticalAnchor: "start",
            dy: "-0.6em",
            ...(few ? { width: x.step() } : {}),
          }}
        />
      </Group>
    </svg>
  );
}

interface OneBarProps {
  figure: Figure;
  tone: string;
  x: number;
  width: number;
  y: (value: number) => number;
  height: number;
  hatch: string;
}

function OneBar({ figure, tone, x, width, y, height, hatch }: OneBarProps) {
  const { value, hidden } = figure;
  if (value === null) {
    return hidden ? (
      <rect className="hatched" x={x} width={width} y={height - HATCH} height={HATCH} fill={hatch} />
    ) : null;
  }
  const top = y(value);
  const ends = errorBar(figure);
  const middle = x + width / 2;
  const cap = Math.min(4, width / 3);
  return (
    <>
      <Bar className={`chart-bar ${tone}`} x={x} width={width} y={top} height={height - top} />
      {hidden && (
        <rect className="hatched" x={x} width={width} y={top - CAP} height={CAP} fill={hatch} />
      )}
      {ends && (
        <path
          className="error-bar"
          d={
            `M${middle} ${y(ends[0])}V${y(ends[1])}` +
            `M${middle - cap} ${y(ends[0])}h${2 * cap}M${middle - cap} ${y(ends[1])}h${2 * cap}`
          }
        />
      )}
    </>
  );
}
