/** The service's address: as typed, as used, and as a stream. */

/** The folder that the page came from, which is where its own service is. */
export function ownAddress(location: Location = window.location): string {
  return new URL(".", location.href).href.replace(/\/$/, "");
}

/** A typed address without what is not needed; null where it is none. Nothing means the own. */
export function readAddress(typed: string): string | null {
  const text = typed.trim();
  if (!text) return "";
  // Some browsers take a host with spaces.
  if (/\s/.test(text)) return null;
  const full = /^[a-z][a-z+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  try {
    const url = new URL(full);
    if (!/^https?:$/.test(url.protocol) || url.username || url.password) return null;
    return (url.origin + url.pathname).replace(/\/+$/, "");
  } catch {
    return null;
  }
}

/** The address of the stream of the service at an address. */
export function streamAddress(server: string): string {
  return `${server.replace(/^http/, "ws")}/v1/stream`;
}
