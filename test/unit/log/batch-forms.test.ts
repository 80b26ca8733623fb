import { expect, test } from 'vitest';
import { createCore } from '../../../src/core/instance.js';
import { LogTexts } from '../../../src/core/log-text.js';
import { RingTable } from '../../../src/core/ring.js';
import { asArray, asObjects, asTexts, joinTexts } from '../../../src/log/batch-forms.js';
import { entitiesText, entryText, peerText } from '../../../src/log/entry-text.js';
import { tlsText } from '../../../src/log/tls-text.js';
import { logRecord, resolver } from '../../support/log-record.js';

const core = createCore();
const ring = new RingTable(core).open('forms', { maxEntries: 10 });
const texts = new LogTexts(core, {
  entities: (generation, route) => entitiesText(resolver.route(generation, route), resolver),
  peer: (target) => peerText(target, resolver),
  fallback: (record) => entryText(record, resolver),
  client: () => new Uint8Array(0),
  tls: tlsText,
  credential: () => new Uint8Array(0),
  hasNotes: false,
});

function fill(): void {
  for (const status of [200, 404]) ring.push(logRecord({ fields: { status } }));
}

test('every form of a batch can be had from every other', () => {
  fill();
  const byText = texts.take(ring, 10, () => {});
  const objects = byText.map((text) => JSON.parse(String(text)));
  for (const form of ['texts', 'array', 'objects']) {
    fill();
    const batch =
      form === 'objects'
        ? objects
        : form === 'texts'
          ? texts.take(ring, 10, () => {})
          : texts.takeArray(ring, 10, () => {});
    while (ring.count > 0) ring.take(10);
    expect(asObjects(batch), form).toEqual(objects);
    expect(asTexts(batch).map(String), form).toEqual(byText.map(String));
    expect(String(Buffer.from(asArray(batch))), form).toBe(`[${byText.join()}]`);
  }
});

test('no texts are an empty array', () => {
  expect(String(joinTexts([]))).toBe('[]');
});
