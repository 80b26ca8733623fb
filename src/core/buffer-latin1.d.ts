/** Methods of Node's Buffer that its types leave out; documented in Node's own tests and stable. */
interface Buffer {
  latin1Slice(start?: number, end?: number): string;
  latin1Write(text: string, offset?: number, length?: number): number;
}
