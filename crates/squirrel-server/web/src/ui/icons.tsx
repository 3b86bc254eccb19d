// Our own icons: 20 by 20, one stroke, the colour of the text around them.

const PATHS = {
  overview: "M3 10h3l2.500-6 3.500 12 2.500-6h2.500",
  interfaces: "M4 4h12v7H4zM8 4v2.500M12 4v2.500M10 11v2.500M4.500 16.500h11M10 13.500v3",
  applications: "M3.500 3.500h5.500v5.500H3.500zM11.500 3.500h5v5.500h-5zM3.500 11.500h5.500v5H3.500zM11.500 14h5M14 11.500v5",
  help: "M7.500 7.600a2.500 2.500 0 1 1 3.700 2.200c-.8.4-1.200.9-1.200 1.800M10 14.200v.1",
  pause: "M7.500 5v10M12.500 5v10",
  play: "M7 4.800v10.400l8-5.200z",
  clock: "M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14M10 6v4l2.800 1.800",
  sun: "M10 6.800a3.200 3.200 0 1 1 0 6.400 3.200 3.200 0 0 1 0-6.400M10 2.500v1.500M10 16v1.500M2.500 10H4M16 10h1.500M4.700 4.700l1 1M14.300 14.300l1 1M4.700 15.300l1-1M14.300 5.700l1-1",
  moon: "M16.500 11.800A7 7 0 0 1 8.200 3.500a7 7 0 1 0 8.300 8.300z",
  system: "M3 4.500h14v9H3zM7.500 16.500h5M10 13.500v3",
  check: "M4.500 10.500l3.700 3.700 7.300-8",
  warning: "M10 3.500l7.500 13h-15zM10 8.500v3.500M10 14.200v.1",
  bad: "M6.800 2.800h6.400l4 4v6.400l-4 4H6.800l-4-4V6.800zM10 6.500v4.200M10 13.400v.1",
  unknown: "M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14M7 10h6",
  search: "M9 3.500a5.500 5.500 0 1 1 0 11 5.500 5.500 0 0 1 0-11M13 13l3.800 3.800",
  down: "M10 4v11M5.500 10.800L10 15.300l4.500-4.500",
  up: "M10 16V5M5.500 9.200L10 4.700l4.500 4.500",
  back: "M12 4.500L6.500 10l5.500 5.500",
  zoomOut: "M9 3.500a5.500 5.500 0 1 1 0 11 5.500 5.500 0 0 1 0-11M13 13l3.800 3.800M6.500 9h5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
