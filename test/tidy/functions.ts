/** Finds functions and their length in TypeScript and AssemblyScript (same grammar to a parser). */
import ts from 'typescript';

export interface FunctionSpan {
  readonly name: string;
  /** First line, counted from 1. */
  readonly line: number;
  readonly lineCount: number;
}

/** Grouping calls of the test runner: their callback is a heading, not a function to read. */
const grouping = /^(describe|suite)\b/;

/** Every function, method, accessor and arrow function of a source text. */
export function functionsOf(path: string, text: string): FunctionSpan[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const spans: FunctionSpan[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body && !isGroup(node, source)) {
      spans.push(span(node, source));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return spans;
}

function span(node: ts.SignatureDeclaration, source: ts.SourceFile): FunctionSpan {
  const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
  const last = source.getLineAndCharacterOfPosition(node.getEnd()).line;
  const name = node.name?.getText(source) ?? '(anonymous)';
  return { name, line: first + 1, lineCount: last - first + 1 };
}

function isGroup(node: ts.Node, source: ts.SourceFile): boolean {
  return ts.isCallExpression(node.parent) && grouping.test(node.parent.expression.getText(source));
}
