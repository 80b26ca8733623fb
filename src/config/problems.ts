/** The error that a configuration with problems is refused with, and the way back from it. */
import { GatewayError } from '../errors.js';
import { formatProblem, type Problem } from './load.js';

/** The error of a configuration with problems. */
export function problemsError(problems: readonly Problem[], file = 'config'): GatewayError {
  const lines = problems.map((problem) => formatProblem(problem, file));
  const parsed = problems.every((problem) => problem.parsed);
  return new GatewayError(parsed ? 'GW_E_CONFIG_INVALID' : 'GW_E_CONFIG_PARSE', lines.join('\n'), {
    details: problems,
  });
}

/** The problems that an error of `parseSteps` stands for; null for other errors. */
export function problemsOf(error: unknown): readonly Problem[] | null {
  if (!(error instanceof GatewayError)) return null;
  const isConfig = error.code === 'GW_E_CONFIG_INVALID' || error.code === 'GW_E_CONFIG_PARSE';
  const { details } = error;
  const isList = Array.isArray(details) && details.every((one) => 'line' in Object(one));
  return isConfig && isList ? (details as Problem[]) : null;
}
