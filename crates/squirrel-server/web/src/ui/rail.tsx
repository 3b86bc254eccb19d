// The way between pages: a rail on the left, a bar at the bottom on phones.

import { openAlerts } from "../state/alerts";
import { route } from "../state/route";
import { Icon } from "./icons";
import { Link } from "./link";

export function Rail() {
  const page = route.value.page;
  return (
    <nav class="rail" aria-label="Pages">
      <Link to="/" class="brand" label="Squirrel, overview">
        <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
          <path class="tail" d="M21.500 25.500c4-1.600 5.600-6 4.600-10.100-.9-3.800-3.900-6.900-7.300-6.200-2.600.5-3.600 2.900-2.500 4.900 1 1.700 3.100 1.800 3.300 3.700.2 1.500-.8 2.700-2.100 3.400" />
          <path class="body" d="M6 18.500c0-3.200 2.200-5.700 5.200-6l.6-2.500 1.800 2.900c1.700.8 2.600 2.400 2.400 4.100-.2 1.500-1.300 2.400-2.800 2.500 2 1.300 3 3.500 2.500 6H7.500c1.500-1 2-2.300 1.800-3.600C7.300 21.700 6 20.400 6 18.500z" />
        </svg>
        <span>Squirrel</span>
      </Link>
      <Link to="/" class="rail-link" current={page === "overview"}>
        <Icon name="overview" /><span>Overview</span>
      </Link>
      <Link to="/interfaces" class="rail-link" current={page === "interfaces" || page === "interface"}>
        <Icon name="interfaces" /><span>Interfaces</span>
      </Link>
      <Link to="/probes" class="rail-link" current={page === "probes" || page === "probe"}>
        <Icon name="probes" /><span>Probes</span>
      </Link>
      <Link to="/applications" class="rail-link" current={page === "applications" || page === "application"}>
        <Icon name="applications" /><span>Applications</span>
      </Link>
      <Link to="/alerts" class="rail-link" current={page === "alerts" || page === "alert"}>
        <Icon name="alerts" /><span>Alerts</span><Count />
      </Link>
    </nav>
  );
}

/** How many alerts wait for somebody. */
function Count() {
  const { count, level } = openAlerts.value;
  if (count === 0) return null;
  return <b class={`rail-count ${level}`} data-count={count}><i class="sr-only">, firing: </i>{count > 99 ? "99+" : count}</b>;
}
