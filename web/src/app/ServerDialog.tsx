/** Asks for the server's address and its key. */
import { type FormEvent, useId, useState } from "react";
import { readAddress } from "../api/address";
import { Dialog } from "../ui/Dialog";
import { useSettings } from "./settings";

export function ServerDialog({ onClose }: { onClose: () => void }) {
  const { texts, server, key, change } = useSettings();
  const [address, setAddress] = useState(server);
  const [secret, setSecret] = useState(key);
  const [invalid, setInvalid] = useState(false);
  const id = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = readAddress(address);
    setInvalid(read === null);
    if (read === null) return;
    change({ server: read, key: secret.trim() });
    onClose();
  };
  return (
    <Dialog title={texts.server.title} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <label htmlFor={`${id}-address`}>{texts.server.address}</label>
        <input
          id={`${id}-address`}
          inputMode="url"
          autoComplete="url"
          spellCheck={false}
          placeholder="http://192.168.1.20:8000"
          value={address}
          onChange={(event) => setAddress(event.target.value)}
          aria-invalid={invalid}
          aria-describedby={`${id}-hint`}
        />
        <p id={`${id}-hint`} className={invalid ? "hint wrong" : "hint"} role="status">
          {invalid ? texts.server.invalid : texts.server.hint}
        </p>
        {address.trim() && <p className="hint">{texts.server.foreign}</p>}
        <label htmlFor={`${id}-key`}>{texts.server.key}</label>
        <input
          id={`${id}-key`}
          type="password"
          autoComplete="off"
          value={secret}
          onChange={(event) => setSecret(event.target.value)}
          aria-describedby={`${id}-key-hint`}
        />
        <p id={`${id}-key-hint`} className="hint">
          {texts.server.keyHint}
        </p>
        <div className="actions">
          <button type="submit" className="main">
            {texts.server.save}
          </button>
          <button type="button" onClick={onClose}>
            {texts.server.cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
