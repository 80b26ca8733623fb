/** Details of Kong's plugins that the sample of scenarios does not show, in the same form. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { openStage, type Stage } from '../support/scenario-stage.js';
import { authenticationDetails } from './scenarios/authentication.js';
import { cacheDetails } from './scenarios/cache.js';
import { conditionDetails } from './scenarios/conditions.js';
import { oauthDetails } from './scenarios/oauth.js';
import { tokenDetails } from './scenarios/tokens.js';
import { trafficDetails } from './scenarios/traffic.js';
import { transformerDetails } from './scenarios/transformers.js';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});

afterAll(() => stage.close());

describe.each([
  ['authentication', authenticationDetails],
  ['tokens', tokenDetails],
  ['oauth2', oauthDetails],
  ['traffic', trafficDetails],
  ['transformers', transformerDetails],
  ['proxy-cache', cacheDetails],
  ['conditions', conditionDetails],
])('%s', (_name, list) => {
  test.each([...list])('$name', { timeout: 30_000 }, (one) => stage.play(one));
});
