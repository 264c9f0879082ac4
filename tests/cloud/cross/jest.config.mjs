import base from '../../../jest.config.mjs'

/** Homes in both clouds at once, on the emulators of both; `npm test` leaves them out, `npm run test:cross` runs them. */
export default {
  ...base,
  rootDir: '../../..',
  testMatch: ['<rootDir>/tests/cloud/cross/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  modulePathIgnorePatterns: ['<rootDir>/tests/cloud/azure/emulators/'],
  globalSetup: '<rootDir>/tests/cloud/cross/start.mjs',
  globalTeardown: '<rootDir>/tests/cloud/aws/emulators/stop.mjs',
  testTimeout: 120_000,
}
