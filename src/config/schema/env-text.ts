/**
 * A string that came out of `${NAME}`. It travels through validation as an object, so that it may
 * turn into the number or boolean that a field wants, and so that no message shows its value.
 */
export class EnvText {
  /**
   * @param text the string after substitution
   * @param source the string as written
   */
  constructor(
    readonly text: string,
    readonly source: string,
  ) {}
}

/** What a message may show of a value: the source of an EnvText, else the value as text. */
export function shown(value: unknown): string {
  if (value instanceof EnvText) return value.source;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A copy without EnvText objects: their values, or their sources where `mask` is true. */
export function unwrap(value: unknown, mask = false): unknown {
  if (value instanceof EnvText) return mask ? value.source : value.text;
  if (Array.isArray(value)) return value.map((item) => unwrap(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unwrap(item, mask)]));
}

/** The value as a field of that type reads it: only EnvText is converted. */
export function convert(value: unknown, type: string): unknown {
  if (!(value instanceof EnvText)) return value;
  const { text } = value;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (type !== 'number' && type !== 'integer') return text;
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : text;
}

/** A message of somebody else's check, with the values of EnvText below `value` taken out again. */
export function maskText(message: string, value: unknown): string {
  if (value instanceof EnvText) {
    // Shorter ones would turn ordinary words of the message into variable names.
    return value.text.length < 3 ? message : message.replaceAll(value.text, value.source);
  }
  if (typeof value !== 'object' || value === null) return message;
  return Object.values(value).reduce<string>((text, item) => maskText(text, item), message);
}
