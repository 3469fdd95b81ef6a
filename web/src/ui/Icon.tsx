/** The few signs of the page, drawn in the colour of the text beside them. */
const PATHS = {
  mark: "M4 9V5a1 1 0 0 1 1-1h4M15 4h4a1 1 0 0 1 1 1v4M20 15v4a1 1 0 0 1-1 1h-4M9 20H5a1 1 0 0 1-1-1v-4M7 12h3.5M13.5 12H17M10.5 12a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0",
  server:
    "M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9h.01",
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM8.500 13a3.500 3.500 0 1 0 7 0a3.500 3.500 0 1 0-7 0",
  video: "M3 7h12v10H3zM15 11l6-3v8l-6-3z",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  close: "M6 6l12 12M18 6L6 18",
  area: "M5 8l8-4 6 6-3 9-9 1zM5 8h.01M13 4h.01M19 10h.01M16 19h.01M7 20h.01",
  up: "M12 19V5M6 11l6-6 6 6",
  undo: "M9 7L4 12l5 5M4 12h11a5 5 0 0 1 0 10h-2",
  tally: "M6 5v14M10 5v14M14 5v14M18 5v14M3 16L21 8",
  stop: "M7 7h10v10H7z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
