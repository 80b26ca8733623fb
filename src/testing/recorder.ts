/** Notes which handlers of which plugins run for a request. */
import { type AnyPlugin, type HandlerName, handlerPhases } from '../plugin/define.js';

/** Handlers whose first argument knows the request. */
const recorded: readonly HandlerName[] = [
  'rewrite',
  'access',
  'response',
  'headerFilter',
  'bodyFilter',
  'wsHandshake',
  'wsClientFrame',
  'wsUpstreamFrame',
  'wsClose',
];

export class PhaseRecorder {
  readonly #byRequest = new Map<string, string[]>();

  /** The plugin, with every handler noted as `name.phase` when it runs. */
  wrap(plugin: AnyPlugin): AnyPlugin {
    const wrapped: Record<string, unknown> = { ...plugin };
    for (const name of recorded) {
      const handler = plugin[name] as ((...input: unknown[]) => unknown) | undefined;
      if (!handler) continue;
      wrapped[name] = (...input: unknown[]) => {
        const { request } = input[0] as { request: { id: string } };
        this.#note(request.id, `${plugin.name}.${handlerPhases[name]}`);
        return handler.apply(plugin, input);
      };
    }
    return Object.freeze(wrapped) as unknown as AnyPlugin;
  }

  /** What ran for a request, in order; the parts of a body count once. */
  phasesOf(requestId: string): readonly string[] {
    return this.#byRequest.get(requestId) ?? [];
  }

  #note(requestId: string, entry: string): void {
    const known = this.#byRequest.get(requestId) ?? [];
    if (known.at(-1) !== entry) known.push(entry);
    this.#byRequest.set(requestId, known);
  }
}
