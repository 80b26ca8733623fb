/** Which operators go with which types (reference section 8.2, the table of operators). */
import type { Predicate } from './syntax.js';
import { meaningError } from './syntax.js';

/** Where the parts of a predicate start in the text. */
export interface Places {
  readonly from: number;
  readonly operatorAt: number;
  readonly valueAt: number;
}

const ofStrings: readonly string[] = ['^=', '=^', '~', 'contains'];
const ofNumbers: readonly string[] = ['>', '>=', '<', '<='];

/** @throws GatewayError GW_E_CONFIG_INVALID in the words of the reference, with the column */
export function checkTypes(
  text: string,
  predicate: Pick<Predicate, 'field' | 'operator' | 'value'>,
  places: Places,
): void {
  const { field, operator, value } = predicate;
  if (operator === 'in' || operator === 'not in') {
    if (value.type === 'IpCidr' && field.type === 'IpAddr') return;
    const message = 'In/NotIn operators only supports IP in CIDR';
    const wrong = field.type === 'IpAddr' ? places.valueAt : places.from;
    const found = `the operands are ${field.type} and ${value.type}`;
    throw meaningError(text, wrong, `${message}: ${found}`);
  }
  if (field.type !== value.type) {
    const message = 'Type mismatch between the LHS and RHS values of predicate';
    const found = `expected ${field.type}, found ${value.type}`;
    throw meaningError(text, places.valueAt, `${message}: ${found}`);
  }
  const needed = ofStrings.includes(operator)
    ? 'String'
    : ofNumbers.includes(operator)
      ? 'Int'
      : '';
  if (needed === '' || needed === field.type) return;
  const message = `the operator ${operator} expects ${needed} operands, found ${field.type}`;
  throw meaningError(text, places.operatorAt, message);
}
