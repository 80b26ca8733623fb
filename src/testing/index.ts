export {
  createTestGateway,
  type InjectedResponse,
  type InjectOptions,
  type TestGateway,
  type TestGatewayOptions,
} from './gateway.js';
export { type MockUpstream, startUpstream, type UpstreamRequest } from './upstream.js';
export { validateConfig } from './validate.js';
