// Which page is shown. The time range lives in the same address: see range.ts.

import { signal } from "@preact/signals";

export type Route =
  | { page: "overview" }
  | { page: "interfaces" }
  | { page: "interface"; device: string }
  | { page: "applications" }
  | { page: "application"; application: string }
  | { page: "alerts" }
  | { page: "alert"; fingerprint: string }
  | { page: "probes" }
  | { page: "probe"; job: string; instance: string }
  | { page: "unknown"; path: string };

function parse(path: string): Route {
  if (path === "/" || path === "/index.html") return { page: "overview" };
  if (path === "/interfaces" || path === "/interfaces/") return { page: "interfaces" };
  if (path === "/applications" || path === "/applications/") return { page: "applications" };
  if (path === "/alerts" || path === "/alerts/") return { page: "alerts" };
  if (path === "/probes" || path === "/probes/") return { page: "probes" };
  const [, job, instance] = /^\/probes\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  if (job !== undefined && instance !== undefined) {
    try {
      return { page: "probe", job: decodeURIComponent(job), instance: decodeURIComponent(instance) };
    } catch {
      return { page: "unknown", path };
    }
  }
  const [, list, encoded] = /^\/(interfaces|applications|alerts)\/([^/]+)$/.exec(path) ?? [];
  if (encoded !== undefined) {
    try {
      const name = decodeURIComponent(encoded);
      if (list === "alerts") return { page: "alert", fingerprint: name };
      return list === "interfaces" ? { page: "interface", device: name } : { page: "application", application: name };
    } catch {
      // Not an address of ours: a percent sign that encodes nothing.
    }
  }
  return { page: "unknown", path };
}

export const route = signal<Route>(parse(location.pathname));

/** The address of one interface. */
export const interfacePath = (device: string): string => `/interfaces/${encodeURIComponent(device)}`;

/** The address of one application. */
export const applicationPath = (application: string): string => `/applications/${encodeURIComponent(application)}`;

/** The address of one alert. */
export const alertPath = (fingerprint: string): string => `/alerts/${encodeURIComponent(fingerprint)}`;

/** The address of one target. */
export const probePath = (job: string, instance: string): string => `/probes/${encodeURIComponent(job)}/${encodeURIComponent(instance)}`;

/** Goes to another page and keeps the time range. */
export function navigate(path: string): void {
  history.pushState(null, "", path + location.search);
  route.value = parse(location.pathname);
  scrollTo(0, 0);
}

addEventListener("popstate", () => {
  const next = parse(location.pathname);
  if (JSON.stringify(next) !== JSON.stringify(route.value)) route.value = next;
});
