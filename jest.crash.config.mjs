import suite from './jest.config.mjs';

/** Processes that are killed at named points: run apart from the ordinary suite, since they take minutes. */
export default {
  ...suite,
  testMatch: ['<rootDir>/test/crash/**/*.test.ts'],
  maxWorkers: 2,
  testTimeout: 600_000,
};
