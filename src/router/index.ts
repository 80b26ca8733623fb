export type { Route, Service } from '../config/model.js';
export type { Captures } from '../core/route-captures.js';
export type { RouterFlavor } from '../core/router.js';
export { type ErrorCode, GatewayError } from '../errors.js';
export {
  createRouter,
  type RouteMatch,
  type Router,
  type RouterOptions,
  type RouterRequest,
} from './create-router.js';
