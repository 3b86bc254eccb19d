// All charts that the server's table has for a page.

import { useEffect, useState } from "preact/hooks";
import type { Subject } from "../lib/promql";
import { ApiError, charts, type ChartSpec } from "../state/api";
import { connection } from "../state/stream";
import { ChartCard } from "./card";

/** `page`: the name that the page has in the table; `subject`, the same object while it means the same. */
export function ChartGrid({ page, subject }: { page: string; subject?: Subject }) {
  const [specs, setSpecs] = useState<readonly ChartSpec[] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const live = connection.value.state === "live";
  useEffect(() => {
    if (specs) return;
    charts().then(
      (all) => {
        setFailure(null);
        setSpecs(all.filter((spec) => spec.page === page));
      },
      (error: unknown) => setFailure(error instanceof ApiError ? error.message : String(error)),
    );
  }, [live]);
  if (failure !== null && !specs) return <p class="empty" role="alert">The list of charts cannot be read: {failure}</p>;
  return (
    <div class="chart-grid">
      {specs?.map((spec) => <ChartCard key={spec.id} spec={spec} subject={subject} />)}
    </div>
  );
}
