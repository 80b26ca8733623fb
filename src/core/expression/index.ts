export { type CompiledExpression, compileExpression, expressionProblem } from './compile.js';
export { ExpressionWriter, type Span } from './encode.js';
export type { FieldSet } from './fields.js';
export { type Narrowed, narrow } from './narrow.js';
export { type HostReach, type Reach, reachOf } from './reach.js';
