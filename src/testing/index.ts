export { createTestGateway, type TestGateway, type TestGatewayOptions } from './gateway.js';
export type { InjectedResponse, InjectOptions } from './inject.js';
export {
  type MockUpstream,
  startUpstream,
  type UpstreamAnswer,
  type UpstreamRequest,
} from './upstream.js';
export { validateConfig } from './validate.js';
