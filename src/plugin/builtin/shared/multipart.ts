/** multipart/form-data (RFC 7578) as parts: heads are kept as they were sent. */

export interface Part {
  readonly name: string;
  /** Header lines without the empty line, latin1. */
  readonly head: string;
  readonly content: Buffer;
}

const crlf = '\r\n';

/** The named parts of a body; broken ones are left out. */
export function readParts(body: Uint8Array, boundary: string): Part[] {
  const text = Buffer.from(body).toString('latin1');
  const parts: Part[] = [];
  const pieces = `${crlf}${text}`.split(`${crlf}--${boundary}`);
  for (const piece of pieces.slice(1)) {
    if (piece.startsWith('--')) break;
    const start = piece.indexOf(crlf) + crlf.length;
    const end = piece.indexOf(crlf + crlf, start - crlf.length);
    if (end < 0) continue;
    const head = piece.slice(start, Math.max(start, end));
    const name = /^content-disposition:.*[;\s]name="?([^";]*)"?/im.exec(head)?.[1];
    if (name === undefined) continue;
    parts.push({ name, head, content: Buffer.from(piece.slice(end + 4), 'latin1') });
  }
  return parts;
}

/** The body again. */
export function writeParts(parts: readonly Part[], boundary: string): Buffer {
  const pieces = parts.flatMap(({ head, content }) => [
    Buffer.from(`--${boundary}${crlf}${head}${crlf}${crlf}`, 'latin1'),
    content,
    Buffer.from(crlf),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--${crlf}`)]);
}

/** A part with text, as browsers send it for a plain field. */
export function textPart(name: string, value: string): Part {
  const head = `Content-Disposition: form-data; name="${name.replace(/["\r\n]/g, '')}"`;
  return { name, head, content: Buffer.from(value) };
}
