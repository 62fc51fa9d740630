import { expect } from '@jest/globals';

const address: unknown = expect.stringMatching(/^http:\/\/\d+:sandbox@127\.0\.0\.1:\d+$/);
const direct = '127.0.0.1,localhost';

/** What a run's environment says about its proxy, which is the gateway. */
export const proxyVariables = {
  HTTPS_PROXY: address,
  https_proxy: address,
  HTTP_PROXY: address,
  http_proxy: address,
  NO_PROXY: direct,
  no_proxy: direct,
};
