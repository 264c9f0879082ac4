import base from '../../../jest.config.mjs'

/** The tests that need emulators; `npm test` leaves them out, `npm run test:azure` runs them. */
export default {
  ...base,
  rootDir: '../../..',
  testMatch: ['<rootDir>/tests/cloud/azure/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  modulePathIgnorePatterns: ['<rootDir>/tests/cloud/azure/emulators/'],
  globalSetup: '<rootDir>/tests/cloud/azure/emulators/start.mjs',
  globalTeardown: '<rootDir>/tests/cloud/azure/emulators/stop.mjs',
  testTimeout: 120_000,
}
