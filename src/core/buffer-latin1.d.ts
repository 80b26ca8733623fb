/** Methods of Node's Buffer that its types leave out; documented in Node's own tests and stable. */
interface Buffer {
  latin1Slice(start?: number, end?: number): string;
  utf8Slice(start?: number, end?: number): string;
  utf8Write(text: string, offset?: number, length?: number): number;
  latin1Write(text: string, offset?: number, length?: number): number;
}

/** ES2024, in Node since version 20. */
interface String {
  isWellFormed(): boolean;
}
