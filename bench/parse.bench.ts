/** Parsing a request head in the core beside the obvious parser in JavaScript. */
import { createCore } from '../src/core/instance.js';
import { Region } from '../src/core/layout.js';
import type { BenchSuite } from './lib/suite.js';

const core = createCore();

const heads = {
  '1 field': ['Host: example.com'],
  '10 fields, 567 bytes': [
    'Host: shop.example.com',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language: en-GB,en;q=0.7,de;q=0.3',
    'Accept-Encoding: gzip, deflate, br',
    'Referer: https://shop.example.com/catalogue/page/2?sort=price',
    'Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=1',
    'Cache-Control: no-cache',
    'If-None-Match: "33a64df551425fcc55e4d42a148795d9f25f89d4"',
    'Connection: keep-alive',
  ],
};

/** Returns method, target, version and a Map of lower-case names, or undefined while incomplete. */
function parseText(
  bytes: Buffer,
): { method: string; target: string; fields: Map<string, string> } | undefined {
  const text = bytes.latin1Slice(0, bytes.length);
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const lines = text.slice(0, end).split('\r\n');
  const [method, target] = lines[0].split(' ');
  const fields = new Map<string, string>();
  for (let index = 1; index < lines.length; index++) {
    const colon = lines[index].indexOf(':');
    if (colon <= 0) throw new Error('400');
    fields.set(lines[index].slice(0, colon).toLowerCase(), lines[index].slice(colon + 1).trim());
  }
  return { method, target, fields };
}

function suiteOf(label: string, lines: readonly string[]): BenchSuite {
  const bytes = Buffer.from(`GET /catalogue/item/42?v=7 HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  const start = Region.read.offset;
  const end = start + bytes.length;
  core.u8.set(bytes, start);
  const { parse_request: parse } = core.exports;
  if (parse(start, end) !== end) throw new Error('the core refuses the head of this benchmark');
  return {
    name: `request head, ${label}`,
    cases: [
      { name: 'JavaScript: split and Map', fn: () => parseText(bytes), baseline: true },
      { name: 'core', fn: () => parse(start, end) },
      {
        name: 'core, bytes copied in',
        fn: () => {
          core.u8.set(bytes, start);
          return parse(start, end);
        },
      },
    ],
  };
}

export const suites = Object.entries(heads).map(([label, lines]) => suiteOf(label, lines));
