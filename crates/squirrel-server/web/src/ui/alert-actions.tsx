// What a person can do about one alert.

import { useEffect, useState } from "preact/hooks";
import { visible } from "../lib/text";
import type { Alert } from "../state/alert-types";
import { nameOf } from "../state/alerts";
import { act, notice, whyOf } from "../state/change";
import { openAcknowledge, openSilence } from "./alert-dialogs";

export function AlertActions({ of }: { of: Alert }) {
  const name = visible(nameOf(of));
  const [wrong, setWrong] = useState<string | null>(null);
  const said = of.acknowledgement;
  const takeBack = async () => {
    setWrong(null);
    try {
      const done = await act("/api/alerts/unacknowledge", { fingerprint: of.fingerprint, who: said?.who ?? "" });
      if (done) notice.value = `Nobody takes care of ${nameOf(of)} any more.`;
    } catch (error) {
      setWrong(whyOf(error));
    }
  };
  return (
    <div class="alert-actions">
      {said === null
        ? of.state === "firing" && <button type="button" class="button" onClick={() => openAcknowledge(of)} aria-label={`Acknowledge ${name}`}>Acknowledge</button>
        : <button type="button" class="button" onClick={takeBack} aria-label={`Take the acknowledgement of ${name} back`}>Take back</button>}
      {of.state !== "inactive" && <button type="button" class="button" onClick={() => openSilence(of)} aria-label={`Silence ${name}`}>Silence…</button>}
      {wrong !== null && <p class="wrong" role="alert">{visible(wrong)}</p>}
    </div>
  );
}

/** What was done last, until the page is left. */
export function Notice() {
  useEffect(() => () => void (notice.value = null), []);
  return <p class="notice" role="status">{notice.value === null ? "" : visible(notice.value)}</p>;
}
