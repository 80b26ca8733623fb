/** The end of contexts: done, log, delete, in this order, with time for those that ask for it. */
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import { type Context, Moment, type RootContext } from './context.js';
import { Usual } from './usual-callbacks.js';

/** Ends a context; pending calls are cancelled. A trap on the way changes nothing for anybody. */
export function endContext(context: Context): void {
  if (context.ended || context.waiting) return;
  const { instance } = context;
  const { calls, clock } = instance.options.services;
  calls.cancel(context);
  if (context.stream) context.moment = Moment.LOG;
  if (!instance.seesEnd) return drop(context);
  try {
    const isDone = instance.askUsual(context, Usual.DONE, 0, 0, 1) !== 0;
    if (isDone) return finishDone(context, true);
    context.waiting = true;
    clock.setTimeout(() => finishDone(context), limits.filterDoneMs.value);
  } catch (error) {
    passTrap(error);
  }
}

/** After `proxy_done`, or where nothing was to wait for. Does nothing the second time. */
export function finishDone(context: Context, now = false): void {
  if (context.ended || (!context.waiting && !now)) return;
  const { instance } = context;
  context.waiting = false;
  try {
    if (context.stream) instance.askUsual(context, Usual.LOG, 0, 0);
    instance.askUsual(context, Usual.DELETE, 0, 0);
  } catch (error) {
    passTrap(error);
  }
  instance.options.services.calls.cancel(context);
  drop(context);
}

function drop(context: Context): void {
  const { instance, root } = context;
  context.ended = true;
  instance.contexts.delete(context);
  if (context.stream === null) return endInstance(root);
  root.streams--;
  if (root.retired && root.streams === 0) endContext(root);
}

/** The configuration of a root is not used any more: it ends with its last stream. */
export function retireRoot(root: RootContext): void {
  if (root.retired || root.ended) return;
  root.retired = true;
  root.instance.options.services.clock.clearTimeout(root.tickTimer);
  root.tickTimer = null;
  if (root.streams === 0) endContext(root);
}

function endInstance(root: RootContext): void {
  const { instance } = root;
  instance.options.services.clock.clearTimeout(root.tickTimer);
  if (instance.contexts.size === 0) instance.dispose();
}

/** What traps here has been reported by the instance's death. */
function passTrap(error: unknown): void {
  if (!(error instanceof GatewayError)) throw error;
}
