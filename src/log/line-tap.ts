/**
 * Copies of the gateway's own log lines, for a plugin that ships them: those of a request wait for
 * its log record, the others for the next record of any request. Nothing is copied before somebody
 * asks for it.
 */
import { limits } from '../limits.js';

export interface TappedLine {
  /** Epoch milliseconds. */
  readonly timeMs: number;
  /** Number of pino's level: 20 debug to 60 fatal. */
  readonly level: number;
  readonly message: string;
}

export class LineTap {
  #wanted = false;
  #lost = 0;
  #own: TappedLine[] = [];
  readonly #byRequest = new Map<string, TappedLine[]>();

  /** From now on lines are kept. */
  open(): void {
    this.#wanted = true;
  }

  /** Lines that found no room, or whose request left no record. */
  get lost(): number {
    return this.#lost;
  }

  /** Keeps a line, unless there are too many; a request is known by `request_id` in the fields. */
  add(level: number, args: readonly unknown[]): void {
    if (!this.#wanted) return;
    const [first, second] = args;
    const message = typeof first === 'string' ? first : String(second ?? '');
    const id = (first as { request_id?: unknown } | null | undefined)?.request_id;
    const lines = typeof id === 'string' ? this.#linesOf(id) : this.#own;
    if (lines.length >= limits.tappedLines.value) this.#lost++;
    else lines.push({ timeMs: Date.now(), level, message });
  }

  /** The lines of a request, which are then forgotten. */
  take(requestId: string): readonly TappedLine[] {
    const lines = this.#byRequest.get(requestId) ?? [];
    this.#byRequest.delete(requestId);
    return lines;
  }

  /** The lines of no request, which are then forgotten. */
  takeOwn(): readonly TappedLine[] {
    const lines = this.#own;
    this.#own = [];
    return lines;
  }

  #linesOf(requestId: string): TappedLine[] {
    let lines = this.#byRequest.get(requestId);
    if (lines) return lines;
    if (this.#byRequest.size >= limits.tappedRequests.value) {
      const [oldest, forgotten] = this.#byRequest.entries().next().value ?? [];
      this.#lost += forgotten?.length ?? 0;
      if (oldest !== undefined) this.#byRequest.delete(oldest);
    }
    lines = [];
    this.#byRequest.set(requestId, lines);
    return lines;
  }
}

/** The tap of this event loop's loggers. */
export const lineTap = new LineTap();
