import suite from './jest.config.mjs';

/** The real agents against stubs of the model APIs: apart from the ordinary suite, since it needs them installed. */
export default {
  ...suite,
  testMatch: ['<rootDir>/test/agents/**/*.test.ts'],
  reporters: ['default'],
  maxWorkers: 1,
  testTimeout: 300_000,
};
