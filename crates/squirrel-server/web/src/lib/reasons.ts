// Why numbers may be missing although everything that could be read was read.

import { namesIn } from "./promql";

/** What an expression without samples does not mean: a link of unknown speed is not an idle one. */
export function missingSentence(expr: string): string | null {
  for (const name of namesIn(expr)) {
    if (name === "squirrel_network_capacity_bytes_per_second") {
      return "The speed of the link is not known, so neither is the share of it in use.";
    }
  }
  return null;
}
