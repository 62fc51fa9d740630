export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/{unit,integration,e2e}/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '<rootDir>/scripts/strip-transform.mjs' },
  globalSetup: '<rootDir>/test/harness/global-setup.ts',
  globalTeardown: '<rootDir>/test/harness/global-teardown.ts',
  reporters: ['default', '<rootDir>/scripts/count-reporter.mjs'],
  // One more than a small machine has cores: tests wait for timers, disks and processes as much as they compute.
  maxWorkers: 3,
  testTimeout: 30_000,
};
