// The frame around every page.

import { useEffect } from "preact/hooks";
import { visible } from "./lib/text";
import { AlertPage, alertTitle } from "./pages/alert";
import { AlertsPage } from "./pages/alerts";
import { ApplicationPage } from "./pages/application";
import { ApplicationsPage } from "./pages/applications";
import { InterfacePage } from "./pages/interface";
import { InterfacesPage } from "./pages/interfaces";
import { OverviewPage } from "./pages/overview";
import { ProbePage } from "./pages/probe";
import { ProbesPage } from "./pages/probes";
import { announcement, useAlertCount } from "./state/alerts";
import { refreshCollectors } from "./state/health";
import { INTERFACE_QUERIES } from "./state/interfaces";
import { type Route, route } from "./state/route";
import { connection, useLiveQueries } from "./state/stream";
import { AlertDialogs } from "./ui/alert-dialogs";
import { Banner } from "./ui/banner";
import { Link } from "./ui/link";
import { Rail } from "./ui/rail";
import { Shortcuts } from "./ui/shortcuts";
import { TokenDialog } from "./ui/token-dialog";
import { TopBar } from "./ui/topbar";

export function App() {
  useLiveQueries(INTERFACE_QUERIES);
  useAlertCount();
  const live = connection.value.state === "live";
  useEffect(refreshCollectors, [live]);
  return (
    <div class="frame">
      <a class="skip" href="#main">To the content</a>
      <Rail />
      <div class="column">
        <TopBar />
        <Banner />
        <main id="main" tabIndex={-1}><Page /></main>
      </div>
      <p class="sr-only" aria-live="polite" data-announcement>{visible(announcement.value)}</p>
      <AlertDialogs />
      <TokenDialog />
      <Shortcuts />
    </div>
  );
}

function Page() {
  const current = route.value;
  const title = titleOf(current);
  useEffect(() => {
    document.title = `${title} · Squirrel`;
  }, [title]);
  switch (current.page) {
    case "overview":
      return <OverviewPage />;
    case "interfaces":
      return <InterfacesPage />;
    case "interface":
      return <InterfacePage key={current.device} device={current.device} />;
    case "applications":
      return <ApplicationsPage />;
    case "application":
      return <ApplicationPage key={current.application} name={current.application} />;
    case "alerts":
      return <AlertsPage />;
    case "alert":
      return <AlertPage key={current.fingerprint} fingerprint={current.fingerprint} />;
    case "probes":
      return <ProbesPage />;
    case "probe":
      return <ProbePage key={JSON.stringify(current)} job={current.job} instance={current.instance} />;
    case "unknown":
      return (
        <section class="empty">
          <h1>There is no page here</h1>
          <p><bdi>{visible(current.path)}</bdi> is not an address of the dashboard.</p>
          <p><Link to="/">Go to the overview</Link></p>
        </section>
      );
  }
}

function titleOf(current: Route): string {
  if (current.page === "interface") return visible(current.device);
  if (current.page === "probe") return visible(current.instance);
  if (current.page === "alert") return alertTitle(current.fingerprint);
  return current.page === "application" ? visible(current.application) : TITLES[current.page];
}

const TITLES = { overview: "Overview", interfaces: "Interfaces", applications: "Applications", alerts: "Alerts", probes: "Probes", unknown: "Not found" } as const;
