// Which collectors run, so that an empty place can say why it is empty.

import { signal } from "@preact/signals";
import { namesIn } from "../lib/promql";
import { visible } from "../lib/text";
import { collectors, type Collector } from "./api";

export const collectorStates = signal<readonly Collector[]>([]);

/** Asks again; called at the start and when the stream comes back. */
export function refreshCollectors(): void {
  collectors().then(
    (all) => (collectorStates.value = all),
    // Without this answer an empty chart says less; the connection banner says the rest.
    () => undefined,
  );
}

/** Beginnings of metric names, and the collector that brings them. */
const BROUGHT_BY: readonly (readonly [RegExp, string])[] = [
  [/^node_nf_conntrack_/, "conntrack"],
  [/^node_softnet_/, "softnet"],
  [/^node_netstat_/, "netstat"],
  [/^node_sockstat_/, "sockstat"],
  [/^(squirrel_tcp_|node_tcp_connection_)/, "tcp"],
  [/^node_qdisc_/, "qdisc"],
  [/^node_udp_queues/, "udp_queues"],
  [/^(node_arp_|squirrel_neighbour_)/, "neighbours"],
  [/^node_ethtool_/, "ethtool"],
  [/^(node_network_|squirrel_network_)/, "interfaces"],
];

/** Why the metrics of an expression cannot be there, when a collector says so. */
export function unavailableSentence(expr: string): string | null {
  for (const name of namesIn(expr)) {
    const brought = BROUGHT_BY.find(([metric]) => metric.test(name))?.[1];
    const collector = collectorStates.value.find((candidate) => candidate.name === brought && candidate.state === "unavailable");
    if (collector) return visible(collector.sentence);
  }
  return null;
}

/** Why the bytes of this host are nobody's, when the configuration says so. */
export function accountingOffSentence(): string | null {
  const accounting = collectorStates.value.find((candidate) => candidate.name === "accounting" && candidate.state === "disabled");
  return accounting ? visible(accounting.sentence) : null;
}
