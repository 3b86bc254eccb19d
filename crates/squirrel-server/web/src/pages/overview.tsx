// "Is my network fine, and if not, what is wrong?"

import { ChartGrid } from "../chart/grid";
import { Tiles } from "../ui/tiles";
import { VerdictPanel } from "../ui/verdict";

export function OverviewPage() {
  return (
    <>
      <h1 class="sr-only">Overview</h1>
      <VerdictPanel />
      <Tiles />
      <ChartGrid page="overview" />
    </>
  );
}
