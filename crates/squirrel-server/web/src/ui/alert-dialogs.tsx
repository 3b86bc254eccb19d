// The forms that change alerts: to silence some, and to take care of one.

import { signal } from "@preact/signals";
import { useId, useMemo, useState } from "preact/hooks";
import { escapeString } from "../lib/promql";
import { visible } from "../lib/text";
import { momentText, parseSpan, spanText } from "../lib/time";
import type { Alert } from "../state/alert-types";
import { alertsDocument, nameOf } from "../state/alerts";
import { serverNow } from "../state/api";
import { act, notice, whyOf } from "../state/change";
import { Modal } from "./modal";

type Open = { form: "silence"; about: Alert | null } | { form: "acknowledge"; about: Alert };
const open = signal<Open | null>(null);

/** Opens the form of a silence, of one alert or of whatever will be written. */
export const openSilence = (about: Alert | null): void => void (open.value = { form: "silence", about });
/** Opens the form by which somebody takes care. */
export const openAcknowledge = (about: Alert): void => void (open.value = { form: "acknowledge", about });
const close = (): void => void (open.value = null);

export function AlertDialogs() {
  const now = open.value;
  if (now === null) return null;
  return now.form === "silence" ? <SilenceForm about={now.about} /> : <AcknowledgeForm about={now.about} />;
}

/** Who uses this browser, remembered so that nobody writes it twice. */
const NAME_KEY = "squirrel.name";

/** What both forms share: who, why, and what becomes of the request. */
function useForm(path: string, done: (body: object) => string) {
  const [who, setWho] = useState(localStorage.getItem(NAME_KEY) ?? "");
  const [comment, setComment] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const send = async (body: object) => {
    setWrong(null);
    setBusy(true);
    localStorage.setItem(NAME_KEY, who.trim());
    try {
      if ((await act(path, body)) !== null) {
        notice.value = done(body);
        close();
      }
    } catch (error) {
      setWrong(whyOf(error));
    } finally {
      setBusy(false);
    }
  };
  const fields = <Who who={who} setWho={setWho} comment={comment} setComment={setComment} />;
  const foot = (word: string) => (
    <>
      {wrong !== null && <p class="wrong" role="alert">{visible(wrong)}</p>}
      <div class="buttons">
        <button type="button" class="button" onClick={close}>Cancel</button>
        <button type="submit" class="button primary" disabled={busy}>{word}</button>
      </div>
    </>
  );
  return { who: who.trim(), comment: comment.trim(), setWrong, send, fields, foot };
}

interface WhoProps {
  who: string;
  setWho: (text: string) => void;
  comment: string;
  setComment: (text: string) => void;
}

function Who({ who, setWho, comment, setComment }: WhoProps) {
  const [whoId, commentId] = [useId(), useId()];
  return (
    <>
      <label for={whoId}>Your name</label>
      <input id={whoId} type="text" autocomplete="name" maxLength={100} required value={who} onInput={(event) => setWho(event.currentTarget.value)} />
      <label for={commentId}>Comment</label>
      <input id={commentId} type="text" autocomplete="off" maxLength={500} placeholder="what you know of it" value={comment} onInput={(event) => setComment(event.currentTarget.value)} />
    </>
  );
}

const condition = (name: string, value: string): string => `${name}="${escapeString(value)}"`;

function SilenceForm({ about }: { about: Alert | null }) {
  const labels = useMemo(() => Object.entries(about?.labels ?? {}), [about]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(labels.map(([name]) => name)));
  const [more, setMore] = useState("");
  const [span, setSpan] = useState("2h");
  const [moreId, spanId, presetsId] = [useId(), useId(), useId()];
  const { who, comment, setWrong, send, fields, foot } = useForm("/api/silences", (body) => `Silenced until ${momentText((body as { ends_at: number }).ends_at, serverNow())}.`);
  const equal = labels.filter(([name]) => chosen.has(name));
  const written = more.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const submit = (event: Event) => {
    event.preventDefault();
    const seconds = parseSpan(span);
    if (seconds === null || seconds < 1) return setWrong("Write for how long: 30m, 2h or 3d.");
    if (equal.length + written.length === 0) return setWrong("Name at least one condition: a silence without any would take every alert.");
    void send({ matchers: [...equal.map(([name, value]) => condition(name, value)), ...written], ends_at: serverNow() + seconds, author: who, comment });
  };
  const toggle = (name: string) => setChosen((now) => new Set(now.has(name) ? [...now].filter((one) => one !== name) : [...now, name]));
  return (
    <Modal title={about ? `Silence ${visible(nameOf(about))}` : "New silence"} onClose={close}>
      <form class="fields" onSubmit={submit}>
        {labels.length > 0 && (
          <fieldset>
            <legend>Alerts with</legend>
            {labels.map(([name, value]) => (
              <label key={name} class="choice">
                <input type="checkbox" checked={chosen.has(name)} onChange={() => toggle(name)} />
                <span><bdi>{visible(name)}</bdi> = <bdi>{visible(value)}</bdi></span>
              </label>
            ))}
            {written.length === 0 && equal.length > 0 && <p class="note" role="status">{takesText(equal)}</p>}
          </fieldset>
        )}
        <label for={moreId}>{labels.length > 0 ? "More conditions, one a line" : "Conditions, one a line"}</label>
        <textarea id={moreId} rows={labels.length > 0 ? 1 : 3} maxLength={4000} spellcheck={false} placeholder={labels.length > 0 ? 'instance=~"db.*"' : 'alertname="LinkDown"\ninstance=~"db.*"'}
          value={more} onInput={(event) => setMore(event.currentTarget.value)} />
        <label for={spanId}>For</label>
        <span class="span-choice">
          <input id={spanId} type="text" autocomplete="off" maxLength={20} required list={presetsId} value={span} onInput={(event) => setSpan(event.currentTarget.value)} />
          <datalist id={presetsId}>{["30m", "2h", "8h", "1d", "7d"].map((one) => <option key={one} value={one} />)}</datalist>
          <span class="note">{endText(span)}</span>
        </span>
        {fields}
        {foot("Silence")}
      </form>
    </Modal>
  );
}

/** How many of the alerts that fire now have all these labels. */
function takesText(labels: readonly (readonly [string, string])[]): string {
  const firing = (alertsDocument.value?.alerts ?? []).filter((one) => one.state === "firing");
  const taken = firing.filter((one) => labels.every(([name, value]) => one.labels[name] === value)).length;
  return `Takes ${taken} of the ${firing.length} ${firing.length === 1 ? "alert" : "alerts"} firing now.`;
}

function endText(span: string): string {
  const seconds = parseSpan(span);
  return seconds === null || seconds < 1 ? "such as 30m, 2h, 3d" : `${spanText(seconds)}, until ${momentText(serverNow() + seconds, serverNow())}`;
}

function AcknowledgeForm({ about }: { about: Alert }) {
  const { who, comment, send, fields, foot } = useForm("/api/alerts/acknowledge", () => `You take care of ${nameOf(about)}.`);
  const submit = (event: Event) => {
    event.preventDefault();
    void send({ fingerprint: about.fingerprint, who, comment });
  };
  return (
    <Modal title={`Take care of ${visible(nameOf(about))}`} onClose={close}>
      <p class="note">Everybody sees that you take care. Reminders and escalation stop until it is over or gets worse.</p>
      <form class="fields" onSubmit={submit}>
        {fields}
        {foot("Acknowledge")}
      </form>
    </Modal>
  );
}
