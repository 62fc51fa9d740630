import suite from './jest.config.mjs';

/** The claims at their whole size, one file at a time: what is measured must not share the machine. */
export default {
  ...suite,
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  reporters: ['default'],
  maxWorkers: 1,
  testTimeout: 1_800_000,
};
