// Asks for the daemon's token when something is to be changed.

import { useId, useState } from "preact/hooks";
import { tokenWanted } from "../state/change";
import { Modal } from "./modal";

export function TokenDialog() {
  const wanted = tokenWanted.value;
  return wanted && <Ask refused={wanted.refused} give={wanted.give} />;
}

function Ask({ refused, give }: { refused: boolean; give: (token: string | null) => void }) {
  const [token, setToken] = useState("");
  const [id, about] = [useId(), useId()];
  const submit = (event: Event) => {
    event.preventDefault();
    if (token.trim() !== "") give(token.trim());
  };
  return (
    <Modal title="The daemon’s token" onClose={() => give(null)}>
      <div id={about} class="about">
        <p>
          Whoever changes something shows that they may read the daemon’s data directory. Its file <code>token</code> holds
          the token: <code>/var/lib/squirrel/token</code> of a daemon that runs as root, else{" "}
          <code>~/.local/state/squirrel/token</code>, unless it was started with another data directory.
        </p>
        <p>This tab keeps it until it is closed; looking at things needs none.</p>
      </div>
      {/* No field here has a name: nothing of this form can ever get into an address. */}
      <form class="fields" onSubmit={submit}>
        <label for={id}>Token</label>
        <input id={id} type="password" autocomplete="off" spellcheck={false} maxLength={1024} autofocus value={token} aria-invalid={refused}
          aria-describedby={about} onInput={(event) => setToken(event.currentTarget.value)} />
        {refused && <p class="wrong" role="alert">That is not this daemon’s token. Copy the whole line of the file.</p>}
        <div class="buttons">
          <button type="button" class="button" onClick={() => give(null)}>Cancel</button>
          <button type="submit" class="button primary" disabled={token.trim() === ""}>Go on</button>
        </div>
      </form>
    </Modal>
  );
}
