/** Texts of `plain-yaml.ts` that go over several lines. */
import { NotPlain } from './plain-yaml-scalars.js';

/** Lines become words; a blank line becomes a line feed (YAML 1.2.2, 6.5). Not for deeper lines. */
export function foldLines(lines: readonly string[]): string {
  let text = '';
  let blank = 0;
  for (const [index, line] of lines.entries()) {
    if (line === '') {
      blank++;
      continue;
    }
    const start = text === '' && index === blank;
    text += `${blank > 0 ? '\n'.repeat(blank) : start ? '' : ' '}${line}`;
    blank = 0;
  }
  return text;
}

/**
 * The text of a block scalar from its lines, without their indentation, and its header such as
 * `|` or `>-`. Lines at the end that are blank do not count.
 */
export function blockText(header: string, lines: readonly string[]): string {
  const [style, chomp = ''] = header;
  if (header.length > 2 || (chomp !== '' && chomp !== '-')) throw new NotPlain();
  let length = lines.length;
  while (length > 0 && lines[length - 1] === '') length--;
  const kept = lines.slice(0, length);
  if (kept.length === 0) throw new NotPlain();
  if (style === '>' && kept.some((line) => /^[ \t]/.test(line))) throw new NotPlain();
  const text = style === '|' ? kept.join('\n') : foldLines(kept);
  return chomp === '' ? `${text}\n` : text;
}
