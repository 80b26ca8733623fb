/** A place in a text that a parser goes through. */
export class TextCursor {
  readonly text: string;
  /** In UTF-16 units. */
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Steps over what a sticky pattern matches here. */
  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at += found[0].length;
    return found;
  }
}
