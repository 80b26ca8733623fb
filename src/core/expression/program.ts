/**
 * Turns a parsed expression into the steps that the core runs: one per predicate, with the step to
 * go on with where it holds and where it does not. `&&`, `||` and `!` are only jumps.
 */
import { ExpressionField, ExpressionFlag, ExpressionOp } from '../layout.js';
import type { Node, Operator, Predicate } from './syntax.js';

/** Where a jump leads; known when the step there is made. */
export interface Label {
  at: number;
}

export interface Step {
  /** ExpressionOp code. */
  readonly op: number;
  /** What a step compares; SAVE and RESTORE have none. */
  readonly predicate?: Predicate;
  /** True where the step leaves the prefix that it matched. */
  readonly records: boolean;
  /** Where SAVE and RESTORE keep the prefix. */
  readonly place: number;
  readonly onTrue: Label;
  readonly onFalse: Label;
}

export const operatorCodes: Readonly<Record<Operator, number>> = {
  '==': ExpressionOp.EQUAL,
  '!=': ExpressionOp.NOT_EQUAL,
  '^=': ExpressionOp.STARTS_WITH,
  '=^': ExpressionOp.ENDS_WITH,
  '~': ExpressionOp.REGEX,
  contains: ExpressionOp.CONTAINS,
  '<': ExpressionOp.LESS,
  '<=': ExpressionOp.LESS_EQUAL,
  '>': ExpressionOp.GREATER,
  '>=': ExpressionOp.GREATER_EQUAL,
  in: ExpressionOp.IN,
  'not in': ExpressionOp.NOT_IN,
};

/** The steps of an expression in order; jumps go forward only. */
export function stepsOf(node: Node): readonly Step[] {
  const compiler = new Compiler();
  const accept = { at: -1 };
  const reject = { at: -1 };
  compiler.add(node, accept, reject, true);
  reject.at = compiler.steps.length;
  accept.at = compiler.steps.length + 1;
  return compiler.steps;
}

class Compiler {
  readonly steps: Step[] = [];
  #saved = 0;

  /** `recording`: what matches the path here is the prefix of the route. */
  add(node: Node, onTrue: Label, onFalse: Label, recording: boolean): void {
    switch (node.kind) {
      case 'predicate': {
        const records = recording && leavesPrefix(node);
        const op = operatorCodes[node.operator];
        this.steps.push({ op, predicate: node, records, place: 0, onTrue, onFalse });
        break;
      }
      case 'not':
        this.add(node.node, onFalse, onTrue, false);
        break;
      case 'and':
        node.parts.forEach((part, index) => {
          const next = index === node.parts.length - 1 ? onTrue : { at: -1 };
          this.add(part, next, onFalse, recording);
          if (next !== onTrue) next.at = this.steps.length;
        });
        break;
      case 'or':
        node.parts.forEach((part, index) => {
          if (index === node.parts.length - 1) this.add(part, onTrue, onFalse, recording);
          else this.#alternative(part, onTrue, recording);
        });
        break;
    }
  }

  /** An alternative that another one follows: where it fails, what it matched is forgotten. */
  #alternative(node: Node, onTrue: Label, recording: boolean): void {
    const next = { at: -1 };
    if (!recording || !mayFailAfterMatch(node)) {
      this.add(node, onTrue, next, recording);
      next.at = this.steps.length;
      return;
    }
    const place = this.#saved++;
    this.#keep(ExpressionOp.SAVE, place);
    this.add(node, onTrue, next, recording);
    next.at = this.steps.length;
    this.#keep(ExpressionOp.RESTORE, place);
    this.#saved--;
  }

  #keep(op: number, place: number): void {
    const next = { at: this.steps.length + 1 };
    this.steps.push({ op, records: false, place, onTrue: next, onFalse: next });
  }
}

/** True for a predicate on the path whose match strip_path takes off. */
export function leavesPrefix({ field, operator }: Predicate): boolean {
  return field.code === ExpressionField.PATH && /^(?:==|\^=|=\^|~)$/.test(operator);
}

/** True for a part that may leave a prefix. */
export function mayMatchPath(node: Node): boolean {
  if (node.kind === 'predicate') return leavesPrefix(node);
  return node.kind !== 'not' && node.parts.some(mayMatchPath);
}

/** True where a part may match the path before a later one makes the whole fail. */
function mayFailAfterMatch(node: Node): boolean {
  if (node.kind === 'predicate' || node.kind === 'not') return false;
  if (node.parts.some(mayFailAfterMatch)) return true;
  return node.kind === 'and' && node.parts.slice(0, -1).some(mayMatchPath);
}

/** ExpressionFlag bits of a step. */
export function flagsOf({ predicate, records }: Step): number {
  if (!predicate) return 0;
  const { any, lower, value } = predicate;
  const v6 = (value.type === 'IpAddr' || value.type === 'IpCidr') && value.text.includes(':');
  return (
    (any ? ExpressionFlag.ANY : 0) |
    (lower ? ExpressionFlag.LOWER : 0) |
    (records ? ExpressionFlag.RECORD : 0) |
    (v6 ? ExpressionFlag.IPV6 : 0)
  );
}
