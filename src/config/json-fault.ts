/** The first fault of a text that has to be JSON, with its position; YAML would accept more. */

export interface JsonFault {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

export function jsonFault(text: string): JsonFault | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    // The engine's message quotes the text; only the position in it is used.
    const found = /at position (\d+)/.exec((error as Error).message);
    const before = text.slice(0, found ? Number(found[1]) : text.length);
    const line = before.split('\n').length;
    const message = found ? 'unexpected token in JSON' : 'unexpected end of JSON input';
    return { message, line, column: before.length - before.lastIndexOf('\n') };
  }
}
