import { describe, expect, test } from 'vitest';
import { EditList } from '../../../src/core/exchange-edits.js';
import { EditOp } from '../../../src/core/layout.js';
import { limits } from '../../../src/limits.js';
import { errorReply, linesOf, replyHeader, replyOf } from '../../../src/plugin/reply.js';

const text = (body: Uint8Array) => Buffer.from(body).toString();

describe('replyOf', () => {
  test('sends strings and bytes as they are, objects as JSON', () => {
    expect(text(replyOf(200, 'plain', {}, new EditList()).body)).toBe('plain');
    expect(text(replyOf(200, new Uint8Array([104, 105]), {}, new EditList()).body)).toBe('hi');
    const json = replyOf(200, { a: 1 }, {}, new EditList());
    expect(text(json.body)).toBe('{"a":1}');
    expect(linesOf(json)).toBe('Content-Type: application/json; charset=utf-8\r\n');
  });

  test('a content type of the plugin replaces the one of JSON', () => {
    const reply = replyOf(200, {}, { 'content-type': 'application/problem+json' }, new EditList());
    expect(linesOf(reply)).toBe('content-type: application/problem+json\r\n');
  });

  test('earlier header edits survive unless the answer names the field', () => {
    const edits = new EditList();
    edits.push(EditOp.SET, 'X-Kept', '1');
    edits.push(EditOp.ADD, 'x-kept', '2');
    edits.push(EditOp.SET, 'X-Named', 'early');
    edits.push(EditOp.SET, 'X-Gone', 'early');
    edits.push(EditOp.REMOVE, 'x-gone', '');
    const reply = replyOf(200, null, { 'x-named': ['a', 'b'] }, edits);
    expect(linesOf(reply)).toBe('X-Kept: 1\r\nx-kept: 2\r\nx-named: a\r\nx-named: b\r\n');
    expect(replyHeader(reply, 'x-named')).toBe('a');
    expect(edits.count).toBe(0);
  });

  test('framing and connection fields stay with the gateway', () => {
    const headers = { 'Content-Length': '5', Connection: 'close', 'Transfer-Encoding': 'chunked' };
    expect(linesOf(replyOf(200, 'x', headers, new EditList()))).toBe('');
  });

  test.each([
    ['a line break in a value', { 'x-a': 'a\r\nx-b: c' }],
    ['a bad name', { 'x a': 'b' }],
    ['a character of two bytes', { 'x-a': 'ก' }],
  ])('refuses %s', (_, headers) => {
    const make = () => replyOf(200, null, headers, new EditList());
    expect(make).toThrow(expect.objectContaining({ code: 'GW_E_PLUGIN_FAILED' }));
  });

  test('refuses a bad status and a body above the limit', () => {
    expect(() => replyOf(99, null, {}, new EditList())).toThrow('expected a status, got 99');
    const tooLong = new Uint8Array(limits.replyBodyBytes.value + 1);
    const make = () => replyOf(200, tooLong, {}, new EditList());
    expect(make).toThrow(expect.objectContaining({ code: 'GW_E_REPLY_TOO_LARGE' }));
  });
});

describe('errorReply', () => {
  test.each([
    [null, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['image/png', 'application/json'],
    ['text/html, application/json', 'text/html'],
    ['text/html;q=0.5, application/json', 'application/json'],
    ['text/*', 'text/plain'],
    ['application/xml;q=0.9, text/plain;q=0.8', 'application/xml'],
  ])('Accept %j is answered with %s', (accept, type) => {
    const reply = errorReply(500, 'Oops', 'f'.repeat(32), accept);
    expect(linesOf(reply)).toBe(`Content-Type: ${type}; charset=utf-8\r\n`);
    expect(text(reply.body)).toContain('Oops');
    expect(text(reply.body)).toContain('f'.repeat(32));
  });
});
