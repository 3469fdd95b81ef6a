/** Draws boxes and labels into a picture. */
import type { Box } from "../api/types";

export interface Drawing {
  url: string;
  labels: { box: Box; lines: string[] }[];
}

const DARK = "rgb(20 22 26)";
const PLATE = "rgb(20 22 26 / 75%)";
const LIGHT = "white";
const PITCH = 1.3;

/** The annotated picture as a PNG of the same size; null where the browser cannot make it. */
export async function draw({ url, labels }: Drawing): Promise<Blob | null> {
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = picture.naturalWidth;
  canvas.height = picture.naturalHeight;
  const pen = canvas.getContext("2d");
  if (!pen) return null;
  pen.drawImage(picture, 0, 0);
  for (const { box } of labels) drawBox(pen, box);
  for (const { box, lines } of labels) drawLabel(pen, box, lines);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** A light line between two dark ones, so that one of them shows on any ground. */
function drawBox(pen: CanvasRenderingContext2D, { x, y, width, height }: Box): void {
  const line = Math.max(1, Math.round(Math.min(pen.canvas.width, pen.canvas.height) / 350));
  pen.strokeStyle = DARK;
  pen.lineWidth = line * 3;
  pen.strokeRect(x, y, width, height);
  pen.strokeStyle = LIGHT;
  pen.lineWidth = line;
  pen.strokeRect(x, y, width, height);
}

function drawLabel(pen: CanvasRenderingContext2D, box: Box, lines: string[]): void {
  const { width, height } = pen.canvas;
  const size = Math.max(9, Math.min(box.width / 7, Math.min(width, height) / 20));
  pen.font = `${size}px system-ui, sans-serif`;
  const wide = Math.max(...lines.map((line) => pen.measureText(line).width)) + size * 0.6;
  const high = lines.length * size * PITCH + size * 0.4;
  const x = Math.max(0, Math.min(box.x, width - wide));
  const y = box.y >= high ? box.y - high : Math.min(box.y + box.height, height - high);
  pen.fillStyle = PLATE;
  pen.fillRect(x, y, wide, high);
  pen.fillStyle = LIGHT;
  lines.forEach((line, n) => {
    pen.fillText(line, x + size * 0.3, y + size * (1.1 + n * PITCH));
  });
}
