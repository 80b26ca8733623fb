/** The kong.conf form: `name = value` lines with `#` comments. */

export interface ConfEntry {
  readonly name: string;
  readonly value: string;
  /** 1-based. */
  readonly line: number;
}

export interface ConfFile {
  readonly entries: readonly ConfEntry[];
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

/** Parses a file. A `#` after white space starts a comment too; `\#` is a plain one. */
export function parseConf(text: string): ConfFile {
  const entries: ConfEntry[] = [];
  const problems: { line: number; message: string }[] = [];
  const seen = new Map<string, number>();
  for (const [index, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const line = index + 1;
    const content = raw
      .replace(/^\ufeff/, '')
      .replace(/(^|\s)#.*$/, '')
      .replaceAll('\\#', '#')
      .trim();
    if (content === '') continue;
    const match = /^([A-Za-z][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(content);
    if (!match) {
      problems.push({ line, message: "expected 'name = value'" });
      continue;
    }
    const [, name, value] = match;
    const first = seen.get(name);
    if (first !== undefined) {
      problems.push({ line, message: `'${name}' was set before, at line ${first}` });
      continue;
    }
    seen.set(name, line);
    entries.push({ name, value: value.replace(/^(["'])(.*)\1$/, '$2'), line });
  }
  return { entries, problems };
}
