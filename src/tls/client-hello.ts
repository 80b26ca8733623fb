/**
 * The server name in the first message of a TLS connection, read before OpenSSL does: a certificate
 * for a name can only take the place of the default one as a whole if the choice comes first.
 */

const handshakeRecord = 22;
const clientHello = 1;
const serverNameExtension = 0;
const hostName = 0;
/** Longer messages are left to OpenSSL. */
const helloBytesMax = 16_384;

/**
 * The name of a ClientHello (RFC 8446 4.1.2, RFC 6066 3) in lower case; null where it names none or
 * is no such message, undefined where more bytes are needed.
 */
export function serverNameOf(bytes: Buffer): string | null | undefined {
  const message = handshakeOf(bytes);
  if (!message) return message;
  const reader = new Reader(message);
  reader.skip(2 + 32);
  reader.skip(reader.number(1));
  reader.skip(reader.number(2));
  reader.skip(reader.number(1));
  const extensions = reader.part(reader.number(2));
  while (extensions.left >= 4) {
    const type = extensions.number(2);
    const body = extensions.part(extensions.number(2));
    if (type === serverNameExtension) return nameIn(body);
  }
  return null;
}

function nameIn(list: Reader): string | null {
  const names = list.part(list.number(2));
  while (names.left >= 3) {
    const type = names.number(1);
    const name = names.part(names.number(2));
    if (type === hostName && !name.isShort && name.left > 0) return name.text().toLowerCase();
  }
  return null;
}

/** The body of the ClientHello, which may come in several records (RFC 8446 5.1). */
function handshakeOf(bytes: Buffer): Buffer | null | undefined {
  const parts: Buffer[] = [];
  let size = 0;
  for (let at = 0; ; ) {
    if (size >= 4) {
      const start = parts.length === 1 ? parts[0] : Buffer.concat(parts);
      const length = start.readUIntBE(1, 3);
      if (start[0] !== clientHello || length > helloBytesMax) return null;
      if (size >= 4 + length) return start.subarray(4, 4 + length);
    }
    if (at < bytes.length && bytes[at] !== handshakeRecord) return null;
    if (at + 5 > bytes.length) return undefined;
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    // Records without content never end.
    if (end === at + 5) return null;
    const part = bytes.subarray(at + 5, end);
    parts.push(part);
    size += part.length;
    at = end;
  }
}

/** Reads numbers and parts; where bytes are missing it gives zeros and empty parts. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  /** Something was read that is not there. */
  isShort = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  number(size: 1 | 2): number {
    const at = this.#take(size);
    return this.isShort ? 0 : this.#bytes.readUIntBE(at, size);
  }

  part(size: number): Reader {
    const at = this.#take(size);
    const part = new Reader(this.#bytes.subarray(at, this.#at));
    part.isShort = this.isShort;
    return part;
  }

  skip(size: number): void {
    this.#take(size);
  }

  text(): string {
    return this.#bytes.toString('latin1', this.#at);
  }

  #take(size: number): number {
    const at = this.#at;
    if (size > this.left) {
      this.isShort = true;
      this.#at = this.#bytes.length;
    } else this.#at += size;
    return at;
  }
}
