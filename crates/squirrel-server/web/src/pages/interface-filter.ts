// Which interfaces a typed text means. Words must all match; a minus in front means "not".
// `state:up` and `is:virtual` look at one thing; other words at name, alias and addresses.

import type { Interface } from "../state/interfaces";
import { stateWord } from "../ui/state-badge";

export function matches(one: Interface, filter: string): boolean {
  return filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "" && word !== "-")
    .every((word) => (word.startsWith("-") ? !matchesWord(one, word.slice(1)) : matchesWord(one, word)));
}

function matchesWord(one: Interface, word: string): boolean {
  const [field, rest] = word.includes(":") ? [word.slice(0, word.indexOf(":")), word.slice(word.indexOf(":") + 1)] : ["", ""];
  if (field === "state") return stateWord(one).toLowerCase().replace(/\s/g, "").startsWith(rest);
  if (field === "is") return (one.physical ? "physical" : "virtual").startsWith(rest);
  return [one.device, one.alias, one.hardwareAddress, one.kind, one.master, stateWord(one), ...one.addresses].some((text) => text.toLowerCase().includes(word));
}
